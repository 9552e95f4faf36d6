/**
 * What a fault may change in a running service, beside the usual settings: one variable for each
 * concern. The names and values must never show in telemetry.
 */

/** Changes of what a service publishes, with the unit and the range of their amount. */
export const OUTPUT_CHANGES = {
  position_offset: { unit: "metres", min: 1, max: 1e6 },
  position_noise: { unit: "metres, one standard deviation", min: 1, max: 1e6 },
  position_held: { unit: "share of the messages", min: 0.01, max: 1 },
  not_a_number: { unit: "share of the messages", min: 0.01, max: 1 },
  garbled: { unit: "share of the messages", min: 0.01, max: 1 },
  misclassified: { unit: "share of the messages", min: 0.01, max: 1 },
  dropped: { unit: "share of the messages", min: 0.01, max: 1 },
  time_offset: { unit: "seconds", min: -86_400, max: 86_400 },
  delayed: { unit: "seconds", min: 0.01, max: 120 },
  repeated: { unit: "further copies", min: 1, max: 1000 },
  foreign_sensor: { unit: "place in the list of sensors", min: 0, max: 2 },
} as const satisfies Record<
  string,
  { readonly unit: string; readonly min: number; readonly max: number }
>;
export type OutputChangeName = keyof typeof OUTPUT_CHANGES;
export const OUTPUT_CHANGE_NAMES = Object.keys(OUTPUT_CHANGES) as OutputChangeName[];

/** A change and how much of it, as `CMS_OUTPUT=<name>:<amount>` says. */
export interface OutputChange {
  readonly name: OutputChangeName;
  readonly amount: number;
}

/** Variables that only a fault sets: no investigator may read one of them. */
export const HOOK_VARIABLES = [
  "CMS_FORCE_QOS",
  "CMS_READER_QOS",
  "CMS_DDS_PARTITION",
  "CMS_OUTPUT",
  "CMS_LEAK_RATE_BYTES",
  "CMS_HOLD_BYTES",
  "CMS_INBOX_CAPACITY",
  "CMS_BUSY_SHARE",
  "CMS_START_DELAY_SECONDS",
  "CMS_METRICS_PORT",
  "CMS_DEBUG_LINES",
  "CMS_LOG_SHARE",
  "CMS_THREAT_OFFSET",
  "CMS_ENGAGE",
] as const;

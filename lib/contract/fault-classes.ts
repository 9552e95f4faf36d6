/**
 * The catalogue for all examinees: the fault classes that a diagnosis may name, the remediations,
 * and the remediations for each class. It has more classes than scenarios use; otherwise an
 * examinee could guess. It does not say how telemetry shows a class.
 */

/** The closed list of remediations. */
export const REMEDIATIONS = {
  start_service: "start the stopped service again",
  restart_service: "restart the service as it is configured",
  roll_back: "put the service back to the release before: its settings and its memory limit",
  raise_cpu_quota: "remove or raise the service's processor quota",
  raise_memory_limit: "raise the service's memory limit",
  fix_leak_and_redeploy: "redeploy the service without the leak; a restart only buys time",
  restore_network: "attach the service's network again",
  correct_qos_profile: "give the endpoint a QoS profile that its peers accept",
  correct_dds_domain: "give the service the DDS domain and peers of the others",
  reduce_publish_rate: "set the publisher back to its nominal rate",
  scale_consumer: "give the slow consumer more capacity",
  correct_configuration: "set the wrong setting right",
  synchronise_clock: "synchronise the host's clock",
  restore_monitoring: "let scrapes, exports and their ports through again",
  reduce_log_volume: "set the log level back",
  relieve_host: "take the other load off the machine",
  recalibrate_source: "take the source of bad data out of use or recalibrate it",
  no_action: "nothing to do",
  gather_more_evidence: "too little is known to act",
} as const;
export type Remediation = keyof typeof REMEDIATIONS;
export const REMEDIATION_NAMES = Object.keys(REMEDIATIONS) as Remediation[];

/**
 * The parameters of actions that take any. A missing one has a default unless its text says
 * something else.
 */
export const REMEDY_PARAMETERS = {
  raise_cpu_quota: "cores (default: no quota)",
  raise_memory_limit: "mib (default: twice the limit)",
  correct_qos_profile: "profile (default: the service's own)",
  correct_dds_domain: "domain (default: that of the others)",
  reduce_publish_rate: "hz (default: nominal)",
  scale_consumer: "capacity of its inbox (default: nominal)",
  correct_configuration: "setting, the variable's name (needed), value (default: the usual one)",
} as const satisfies Partial<Record<Remediation, string>>;

/** The parameters of all actions as one line of text. */
export const REMEDY_PARAMETERS_TEXT = Object.entries(REMEDY_PARAMETERS)
  .map(([action, text]) => `${action}: ${text}`)
  .join("; ");

interface CatalogueRow {
  readonly definition: string;
  /** Remediations for the class; the first one is the default. */
  readonly remedies: readonly [Remediation, ...Remediation[]];
}

const CATALOGUE = {
  process_exited: {
    definition: "the process ended on its own or was told to stop, and stays stopped",
    remedies: ["start_service", "restart_service"],
  },
  crash_loop: {
    definition: "the process keeps ending and being started again",
    remedies: ["restart_service", "correct_configuration"],
  },
  oom_kill: {
    definition:
      "the kernel killed the process for exceeding its memory limit, without a slow leak before",
    remedies: ["raise_memory_limit", "restart_service"],
  },
  hang: {
    definition:
      "the process runs but does no work: no output, no progress, whether it waits or spins",
    remedies: ["restart_service"],
  },
  cpu_starvation: {
    definition: "a processor quota gives the process less time than it needs",
    remedies: ["raise_cpu_quota"],
  },
  memory_leak: {
    definition: "memory in use grows steadily without bound",
    remedies: ["fix_leak_and_redeploy", "roll_back", "restart_service", "raise_memory_limit"],
  },
  network_partition: {
    definition: "the process runs but its network is cut off, wholly or in one direction",
    remedies: ["restore_network"],
  },
  packet_loss_or_delay: {
    definition: "the network works, but loses or delays a share of the packets",
    remedies: ["restore_network"],
  },
  qos_mismatch: {
    definition:
      "writer and reader find each other but their QoS is incompatible: nothing is delivered",
    remedies: ["correct_qos_profile", "roll_back"],
  },
  discovery_failure: {
    definition: "writer and reader never find each other (wrong domain, partition or peers)",
    remedies: ["correct_dds_domain", "roll_back", "restart_service"],
  },
  message_flood: {
    definition: "one publisher sends far more messages than it should",
    remedies: ["reduce_publish_rate", "correct_configuration", "roll_back"],
  },
  slow_publisher: {
    definition:
      "a publisher that runs and finds its readers sends nothing, far less than it should, or late",
    remedies: ["correct_configuration", "restart_service"],
  },
  downstream_backpressure: {
    definition: "a consumer that is too slow or too small makes messages wait or drops them",
    remedies: ["scale_consumer"],
  },
  clock_skew: {
    definition: "a host's clock is wrong: time stamps and ages make no sense",
    remedies: ["synchronise_clock"],
  },
  bad_configuration: {
    definition: "a setting is wrong in a way that no other class names",
    remedies: ["correct_configuration", "roll_back"],
  },
  host_contention: {
    definition: "other load on the machine takes processor time from many services at once",
    remedies: ["relieve_host"],
  },
  log_flood: {
    definition: "a service writes far more log records than it should",
    remedies: ["reduce_log_volume", "correct_configuration"],
  },
  monitoring_fault: {
    definition: "the service works, but its metrics, logs or traces do not arrive",
    remedies: ["restore_monitoring", "correct_configuration"],
  },
  data_quality: {
    definition: "messages arrive in time, but their content is wrong",
    remedies: ["recalibrate_source"],
  },
  none: {
    definition: "nothing is wrong: the alert is stale, spurious or already over",
    remedies: ["no_action"],
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>;

export type FaultClass = keyof typeof CATALOGUE;
export const FAULT_CLASSES: Readonly<Record<FaultClass, CatalogueRow>> = CATALOGUE;
export const FAULT_CLASS_NAMES = Object.keys(FAULT_CLASSES) as FaultClass[];

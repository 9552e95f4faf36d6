/** What is kept of one run: the manifest, and the score beside it. */
import { z } from "zod";
import { FAULT_CLASS_NAMES } from "../contract/fault-classes.ts";
import { SERVICES } from "../contract/topology.ts";

export const SCHEMA_VERSION = 1;

export const EVENT_NAMES = [
  "up",
  "baseline",
  "inject",
  "signature",
  "alert-pending",
  "alert-firing",
  "investigation-start",
  "investigation-end",
  "signature-after",
  "heal",
  "alert-resolved",
  "recovered",
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** Why a run is no measurement, or that it is one. */
export const OutcomeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("valid") }),
  z.strictObject({
    kind: z.literal("environment-invalid"),
    phase: z.string(),
    reason: z.string(),
  }),
  z.strictObject({ kind: z.literal("harness-defect"), reason: z.string() }),
]);
export type Outcome = z.infer<typeof OutcomeSchema>;

const CostSchema = z.strictObject({
  wallMs: z.number(),
  modelMs: z.number(),
  rounds: z.number(),
  toolCalls: z.number(),
  modelCalls: z.number(),
  promptTokens: z.number(),
  completionTokens: z.number(),
});

/** Points of a score, one by one. */
const ScoreItemSchema = z.strictObject({
  id: z.string(),
  points: z.number(),
  reason: z.string(),
});

export const ScoreSchema = z.strictObject({
  points: z.number(),
  max: z.number(),
  items: z.array(ScoreItemSchema),
  /** Right service. */
  component: z.boolean(),
  fault_class: z.boolean(),
  /** Both of them: a right diagnosis. */
  correct: z.boolean(),
  /** The right class, and the evidence that shows how it works: the first piece of the rubric. */
  mechanism: z.boolean(),
  remediation: z.boolean(),
  /** Said onset minus injection, seconds; null when none was said or nothing was injected. */
  onset_error_seconds: z.number().nullable(),
  grounded_citations: z.number(),
  invented_citations: z.number(),
  /** Squared difference between the stated confidence and whether the diagnosis was right. */
  brier: z.number(),
  confidence: z.number(),
  /** Whose fault it is that the run earned less than it could; null when it earned everything. */
  attribution: z.enum(["agent", "environment", "harness"]).nullable(),
});
export type Score = z.infer<typeof ScoreSchema>;

export const ManifestSchema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: z.string(),
  scenario: z.string(),
  title: z.string(),
  control: z.boolean(),
  investigator: z.string(),
  repeat: z.number(),
  /** What chance in the investigation was derived from. */
  seed: z.number(),
  engine: z.string(),
  isolation: z.enum(["fresh", "keep-telemetry"]),
  started_unix_ms: z.number(),
  /** Tries of the environment, this one included. */
  attempts: z.number(),
  /** What went wrong in the tries before this one. */
  earlier_attempts: z
    .array(z.strictObject({ phase: z.string(), reason: z.string() }))
    .default(() => []),
  outcome: OutcomeSchema,
  timeline: z.array(z.strictObject({ name: z.enum(EVENT_NAMES), unixMs: z.number() })),
  fault: z.strictObject({
    kind: z.string(),
    parameters: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
  metric: z.strictObject({
    title: z.string(),
    query: z.string(),
    threshold: z.number().nullable(),
    /** Prometheus may say NaN, which JSON has no word for; such a point tells nothing. */
    points: z
      .array(z.tuple([z.number(), z.number().nullable()]))
      .transform((points) =>
        points.flatMap(([at, value]): [number, number][] => (value === null ? [] : [[at, value]])),
      ),
  }),
  /** What the investigator said, in short; null when it said nothing. */
  diagnosis: z
    .strictObject({
      culprit: z.enum(SERVICES).nullable(),
      fault_class: z.enum([...FAULT_CLASS_NAMES, "unknown"]),
    })
    .nullable(),
  truth: z.strictObject({
    culprit: z.enum(SERVICES).nullable(),
    fault_class: z.enum(FAULT_CLASS_NAMES),
  }),
  /** Why the investigator handed in nothing; null when it did. */
  agent_failure: z.string().nullable(),
  cost: CostSchema.nullable(),
  struck_citations: z.number(),
  details: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
  score: ScoreSchema.nullable(),
});
export type Manifest = z.infer<typeof ManifestSchema>;

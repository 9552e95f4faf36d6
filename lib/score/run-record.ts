/** The schemas of the manifest and the score of a run. */
import { z } from "zod";
import { asSet, CULPRITS, isAbstention } from "../contract/answer.ts";
import { FAULT_CLASS_NAMES } from "../contract/fault-classes.ts";

export const SCHEMA_VERSION = 2;

export const EVENT_NAMES = [
  "up",
  "baseline",
  "inject",
  "signature",
  "alert-pending",
  "alert-firing",
  "frozen",
  "investigation-start",
  "investigation-end",
  "signature-after",
  "heal",
  "alert-resolved",
  "recovered",
  "signature-gone",
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** Whether a run is a valid measurement; if not, why. */
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

/** One item of a score. */
const ScoreItemSchema = z.strictObject({
  id: z.string(),
  points: z.number(),
  reason: z.string(),
});

export const ScoreSchema = z.strictObject({
  points: z.number(),
  max: z.number(),
  items: z.array(ScoreItemSchema),
  /**
   * 0 when a fault is missed, else the share of right ones among the named faults; without a true
   * fault, 1 for naming none.
   */
  diagnosis: z.number(),
  /** The answer names only `unknown`. */
  abstained: z.boolean(),
  /** The culprits are right. */
  component: z.boolean(),
  fault_class: z.boolean(),
  /** The answer names every fault by culprit and class, and nothing else: a right diagnosis. */
  correct: z.boolean(),
  /** The diagnosis is right, and the citations show how the fault works. */
  mechanism: z.boolean(),
  remediation: z.boolean(),
  /** Stated onset minus injection, seconds; null without a stated onset or without an injection. */
  onset_error_seconds: z.number().nullable(),
  grounded_citations: z.number(),
  invented_citations: z.number(),
  /**
   * Quality of the citations, 0 to 1: the harmonic mean of the share of expected pieces that are
   * shown and the share of citations that were needed for it. Null when nothing is expected or it
   * was not measured.
   */
  evidence_f1: z.number().nullable(),
  /** Brier score of the stated confidence, 0 to 2; see calibration.ts. */
  brier: z.number(),
  confidence: z.number(),
  /** The cause of lost points; null when the run has all points. */
  attribution: z.enum(["agent", "environment", "harness"]).nullable(),
});
export type Score = z.infer<typeof ScoreSchema>;

/** Whether a condition of a repair held; null when it was not checked. */
const VerdictSchema = z.strictObject({ holds: z.boolean().nullable(), seen: z.string() });
export type Verdict = z.infer<typeof VerdictSchema>;

/** The conditions of a repair, in the order of the tables. */
export const VerdictsSchema = z.strictObject({
  signature_gone: VerdictSchema,
  stays_gone: VerdictSchema,
  survives_restart: VerdictSchema,
  data_flows: VerdictSchema,
  nothing_else_changed: VerdictSchema,
});
export type Verdicts = z.infer<typeof VerdictsSchema>;

/** Results of executing the remedies of an answer. */
export const RepairSchema = z.strictObject({
  /** No condition failed. */
  repaired: z.boolean(),
  /** The executed actions as text; empty when none could be executed. */
  acts: z.array(z.string()),
  /** Reasons why remedies could not be executed. */
  refused: z.array(z.string()),
  verdicts: VerdictsSchema,
  /** Name of the execution's file below `remedies/`; null when an agent acted on the lab. */
  execution: z.string().nullable(),
});
export type Repair = z.infer<typeof RepairSchema>;

/** A named or true fault in short form. */
const ShortFaultSchema = z.strictObject({
  culprit: z.enum(CULPRITS).nullable(),
  fault_class: z.enum([...FAULT_CLASS_NAMES, "unknown"]).exclude(["none"]),
});

const CurrentManifestSchema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: z.string(),
  scenario: z.string(),
  title: z.string(),
  control: z.boolean(),
  investigator: z.string(),
  repeat: z.number(),
  /** Id of the examined frozen incident; null when the lab was examined. */
  incident: z.string().nullable().default(null),
  /** The seed of all random choices of the investigation. */
  seed: z.number(),
  engine: z.string(),
  isolation: z.enum(["fresh", "keep-telemetry"]),
  started_unix_ms: z.number(),
  /** Attempts at the environment, including this one. */
  attempts: z.number(),
  /** The failures of the earlier attempts. */
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
    /** Prometheus can return NaN, which JSON does not have; such points are dropped. */
    points: z
      .array(z.tuple([z.number(), z.number().nullable()]))
      .transform((points) =>
        points.flatMap(([at, value]): [number, number][] => (value === null ? [] : [[at, value]])),
      ),
  }),
  /** Short form of the answer; null without an answer. */
  diagnosis: z.array(ShortFaultSchema).nullable(),
  truth: z.array(ShortFaultSchema),
  /** Why there is no answer; null when there is one. */
  agent_failure: z.string().nullable(),
  cost: CostSchema.nullable(),
  struck_citations: z.number(),
  details: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
  score: ScoreSchema.nullable(),
  /** Result of executing the proposed remedy; null when it was not executed. */
  repair: RepairSchema.nullable().default(null),
});

/** Reads a manifest, also of version 1, in which diagnosis and truth had one fault each. */
export const ManifestSchema = z.preprocess(fromVersion1, CurrentManifestSchema);
export type Manifest = z.infer<typeof CurrentManifestSchema>;

function fromVersion1(raw: unknown): unknown {
  if (typeof raw !== "object" || raw === null) return raw;
  const old = raw as Record<string, unknown>;
  if (old["schema_version"] !== 1) return raw;
  const diagnosis = faultsIn(old["diagnosis"]);
  const score = old["score"] as Record<string, unknown> | null;
  return {
    ...old,
    schema_version: SCHEMA_VERSION,
    diagnosis,
    truth: faultsIn(old["truth"]),
    score: score && {
      ...score,
      diagnosis: score["correct"] === true ? 1 : 0,
      abstained: isAbstention(diagnosis ?? []),
      evidence_f1: null,
    },
  };
}

type ShortFault = z.infer<typeof ShortFaultSchema>;

/** A fault of version 1 as a set; null when there was no answer. */
function faultsIn(old: unknown): ShortFault[] | null {
  if (old === null) return null;
  const { faults } = asSet({ faults: [old] }) as { faults: ShortFault[] };
  return faults;
}

/**
 * Ground truth and rubric of a scenario. Investigators must not import this folder; the import
 * table of `lib/tidy.ts` forbids it.
 */
import { z } from "zod";
import { CULPRITS, MAX_FAULTS } from "../contract/answer.ts";
import { FAULT_CLASS_NAMES, REMEDIATION_NAMES } from "../contract/fault-classes.ts";
import { SERVICES } from "../contract/topology.ts";

const service = z.enum(SERVICES);
const culprit = z.enum(CULPRITS);
const faultClass = z.enum(FAULT_CLASS_NAMES).exclude(["none"]);

/** A signal that shows a piece of evidence: its exact name and a condition on its value. */
export const AcceptedSignalSchema = z.strictObject({
  signal: z.string().min(1),
  /** Labels of the fact or in the selectors of its query. */
  labels: z.record(z.string(), z.string()).optional(),
  /** The fact's service, if the piece of evidence does not set one. */
  service: service.optional(),
  /**
   * How the query computed the value: per second, a quantile or average of a histogram, the minimum
   * of all series, or the number of series selected by the labels.
   */
  as: z.enum(["rate", "duration", "least", "count"]).optional(),
  /** Condition on the value; if undefined, every recorded value counts. */
  holds: z
    .strictObject({
      op: z.enum(["==", "!=", "<", "<=", ">", ">=", "contains"]),
      value: z.union([z.number(), z.string()]),
    })
    .optional(),
});
export type AcceptedSignal = z.infer<typeof AcceptedSignalSchema>;

/** A piece of evidence in a correct diagnosis; each of the accepted signals shows it. */
export const ExpectedEvidenceSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  kind: z.enum(["metric", "log", "trace", "runtime", "dds"]),
  /** In words, as in expected_rca.md. */
  describe: z.string().min(1),
  any_of: z.array(AcceptedSignalSchema).min(1),
  /** The citation's service; if undefined, any service. */
  service: service.optional(),
  /**
   * True if a healthy system shows the same: the rubric requires it because it excludes a cause.
   */
  as_usual: z.boolean().optional(),
  /** Without this piece, the citations do not show the fault's mechanism. */
  shows_mechanism: z.boolean().optional(),
});
export type ExpectedEvidence = z.infer<typeof ExpectedEvidenceSchema>;

/** An injected fault. */
export const TrueFaultSchema = z.strictObject({
  culprit,
  fault_class: faultClass,
  /** The other end of a faulty link, which is also a correct culprit. */
  other_end: culprit.optional(),
  /**
   * Answers that telemetry cannot distinguish from this one, with the reason: another class,
   * another culprit, or both.
   */
  also_accept: z.array(
    z.strictObject({
      culprit: culprit.optional(),
      fault_class: faultClass.optional(),
      why: z.string().min(1),
    }),
  ),
  remediation: z.strictObject({
    actions: z.array(z.enum(REMEDIATION_NAMES)).min(1),
    target: culprit,
  }),
});
export type TrueFault = z.infer<typeof TrueFaultSchema>;

export const TruthSchema = z.strictObject({
  /** Empty for the controls. */
  faults: z.array(TrueFaultSchema).max(MAX_FAULTS),
  mechanism: z.string().min(1),
  evidence: z.array(ExpectedEvidenceSchema),
  /** Wrong answers that cost points: this culprit, or this class for any culprit. */
  misattributions: z.array(
    z.strictObject({
      culprit: culprit.optional(),
      fault_class: faultClass.optional(),
      points: z.union([z.literal(-1), z.literal(-2)]),
      why: z.string().min(1),
    }),
  ),
});
export type Truth = z.infer<typeof TruthSchema>;

/** The maximum score of a rubric: service, each piece of evidence, remediation. */
export function maxPoints(truth: Truth): number {
  return 1 + truth.evidence.length + 1;
}

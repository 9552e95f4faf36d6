/**
 * Ground truth and rubric of a scenario. No investigator may import this file; a structure test sees
 * to that.
 */
import { z } from "zod";
import { FAULT_CLASS_NAMES, REMEDIATION_NAMES } from "../contract/fault-classes.ts";
import { SERVICES } from "../contract/topology.ts";

const service = z.enum(SERVICES);
const faultClass = z.enum(FAULT_CLASS_NAMES);

/** One way to show a piece of evidence: a signal by its exact name, and what its cited value must satisfy. */
export const AcceptedSignalSchema = z.strictObject({
  signal: z.string().min(1),
  /** Labels that the fact must carry, or that its query selected by. */
  labels: z.record(z.string(), z.string()).optional(),
  /** The service that it must be about, where the piece of evidence leaves that open. */
  service: service.optional(),
  /** What the value must be: a counter per second, a histogram's quantile or average, or the least of all series. */
  as: z.enum(["rate", "duration", "least"]).optional(),
  /** Absent: any value that stands in the record. */
  holds: z
    .strictObject({
      op: z.enum(["==", "!=", "<", "<=", ">", ">=", "contains"]),
      value: z.union([z.number(), z.string()]),
    })
    .optional(),
});
export type AcceptedSignal = z.infer<typeof AcceptedSignalSchema>;

/** A piece of evidence that a right diagnosis cites; any one of the accepted signals shows it. */
export const ExpectedEvidenceSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/),
  kind: z.enum(["metric", "log", "trace", "runtime", "dds"]),
  /** In words, as it stands in expected_rca.md. */
  describe: z.string().min(1),
  any_of: z.array(AcceptedSignalSchema).min(1),
  /** The service that the citation must be about; absent: any. */
  service: service.optional(),
  /** Whether it is so in a healthy system too, and asked for because it rules something out. */
  as_usual: z.boolean().optional(),
});
export type ExpectedEvidence = z.infer<typeof ExpectedEvidenceSchema>;

export const TruthSchema = z.strictObject({
  /** Null for the controls, where nothing is wrong. */
  culprit: service.nullable(),
  fault_class: faultClass,
  /** Fault classes that also count as right, and why. */
  also_accept: z.array(z.strictObject({ fault_class: faultClass, why: z.string().min(1) })),
  mechanism: z.string().min(1),
  evidence: z.array(ExpectedEvidenceSchema),
  remediation: z.strictObject({
    actions: z.array(z.enum(REMEDIATION_NAMES)).min(1),
    target: service.nullable(),
  }),
  /** Wrong answers that cost points: naming this service, or this class whatever the service. */
  misattributions: z.array(
    z.strictObject({
      culprit: service.optional(),
      fault_class: faultClass.optional(),
      points: z.union([z.literal(-1), z.literal(-2)]),
      why: z.string().min(1),
    }),
  ),
});
export type Truth = z.infer<typeof TruthSchema>;

/** The best score that a rubric allows: service, each piece of evidence, remediation. */
export function maxPoints(truth: Truth): number {
  return 1 + truth.evidence.length + 1;
}

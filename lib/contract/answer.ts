/** The answer of an investigator, and the record of its calls. */
import { z } from "zod";
import { FAULT_CLASS_NAMES, REMEDIATION_NAMES } from "./fault-classes.ts";
import { SERVICES } from "./topology.ts";

const service = z.enum(SERVICES);
const faultClass = z.enum([...FAULT_CLASS_NAMES, "unknown"] as const);

/** A claim and the recorded call that shows it. */
export const CitationSchema = z.strictObject({
  /** Id of a recorded call, such as `E3`. */
  call_id: z.string().max(32),
  /** The metric, log event, span or state that the claim is about, by its exact name. */
  signal: z.string().max(200),
  /** The service that the value belongs to; null for a value of the whole system. */
  service: service.nullable(),
  /** The value as it was read; the recorded answer must contain it. */
  value: z.union([z.number(), z.string().max(300)]),
  /** What it shows, in a sentence. */
  claim: z.string().max(500),
});
export type Citation = z.infer<typeof CitationSchema>;

/** A structured root-cause analysis. */
export const AnswerSchema = z.strictObject({
  /** The service whose fault it is; null when nothing is wrong or it is not known. */
  culprit: service.nullable(),
  fault_class: faultClass,
  /** How the fault works, in a sentence or two. */
  mechanism: z.string().max(2000),
  /** When the fault set in, ISO 8601; null when not known. */
  onset: z.iso.datetime().nullable(),
  /** From the cause to the alert. */
  causal_chain: z.array(z.strictObject({ service, effect: z.string().max(500) })).max(12),
  evidence: z.array(CitationSchema).max(24),
  remediation: z.strictObject({
    action: z.enum(REMEDIATION_NAMES),
    target: service.nullable(),
    parameters: z.record(z.string(), z.union([z.string(), z.number()])),
    prose: z.string().max(2000),
  }),
  /** Probability that culprit and fault class are both right, 0 to 1. */
  confidence: z.number().min(0).max(1),
  alternatives: z
    .array(
      z.strictObject({
        service: service.nullable(),
        fault_class: faultClass,
        ruled_out_by: z.string().max(500),
      }),
    )
    .max(12),
});
export type Answer = z.infer<typeof AnswerSchema>;

/** One call that an investigator made, with the whole answer: a line of `evidence.jsonl`. */
export const EvidenceRecordSchema = z.strictObject({
  id: z.string(),
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  /** The HTTP requests, so that a person can repeat them. */
  request: z.array(z.strictObject({ method: z.string(), url: z.string() })),
  /** The time span that was looked at, Unix milliseconds. */
  window: z.strictObject({ start_unix_ms: z.number(), end_unix_ms: z.number() }).nullable(),
  asked_unix_ms: z.number(),
  duration_ms: z.number(),
  ok: z.boolean(),
  /** The full answer, or the full error. */
  answer: z.string(),
});
export type EvidenceRecord = z.infer<typeof EvidenceRecordSchema>;

/** What an investigation cost. Tokens are 0 where no model took part. */
export interface InvestigationCost {
  readonly wallMs: number;
  /** Part of `wallMs` in which the investigator waited for the model. */
  readonly modelMs: number;
  readonly rounds: number;
  readonly toolCalls: number;
  readonly modelCalls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

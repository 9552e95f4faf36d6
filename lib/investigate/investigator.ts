/**
 * The interface of an investigator: it gets an alert, tools and a budget, and returns an answer.
 */
import type { Clock } from "../base/clock.ts";
import type { Alert } from "../contract/alert.ts";
import type { Answer, EvidenceRecord, InvestigationCost, Remedy } from "../contract/answer.ts";
import type { Withheld } from "./tools/withhold.ts";

/** Addresses of the telemetry APIs; the same for every investigator. */
export interface TelemetryUrls {
  readonly grafana: string;
  readonly prometheus: string;
  readonly loki: string;
  readonly tempo: string;
}

export interface Budget {
  readonly wallMs: number;
  /** Maximum number of rounds of planning and gathering. */
  readonly rounds: number;
  /** Maximum number of tokens that a model may read and write in total. */
  readonly tokens: number;
}

/** The phases of a run in `run.log`. */
export const PHASES = [
  "Reading alert",
  "Loading integrations",
  "Planning",
  "Gathering evidence",
  "Diagnosing",
  "Investigation complete",
] as const;
export type Phase = (typeof PHASES)[number];

/** Receives the transcript during the investigation. */
export interface Transcript {
  phase(phase: Phase, detail?: string): void;
  note(line: string): void;
}

/**
 * Acts in the running system. Neither method reveals the state that it found; that is what
 * telemetry is for.
 */
export interface Actuator {
  /** Describes the effect of a remedy without any change; throws if it cannot be executed. */
  preview(remedy: Remedy): string;
  /** Executes a remedy; throws if that fails. */
  apply(remedy: Remedy): Promise<string>;
}

export interface InvestigationInput {
  /** The alert without the runner's annotation. */
  readonly alert: Alert;
  readonly urls: TelemetryUrls;
  readonly budget: Budget;
  readonly transcript: Transcript;
  readonly signal?: AbortSignal;
  /**
   * Clock of the telemetry: it is fixed in a frozen incident. Absent: the machine's. Budgets never
   * use it.
   */
  readonly clock?: Clock;
  readonly seed: number;
  /** Set if the investigator may act in the system. */
  readonly actuator?: Actuator;
  /** Pillars of telemetry that its tools do not give. */
  readonly withheld?: readonly Withheld[];
}

/**
 * How an investigation ended. An agent failure is a result: it scores 0 and is attributed to the
 * agent.
 */
export type InvestigationOutcome =
  | { readonly kind: "answered"; readonly answer: Answer }
  | {
      readonly kind: "agent-failure";
      readonly reason: string;
      /** The confidence that the agent stated; absent without one. */
      readonly confidence?: number;
    };

export interface Investigation {
  readonly outcome: InvestigationOutcome;
  readonly evidence: readonly EvidenceRecord[];
  readonly cost: InvestigationCost;
  /** Number of claims that were removed because their citation did not hold. */
  readonly struckCitations: number;
  /** The investigator's own facts for the manifest: model, context length, cuts. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Investigator {
  /** As written on the command line, such as `baseline` or `ollama:qwen2.5:7b`. */
  readonly name: string;
  investigate(input: InvestigationInput): Promise<Investigation>;
}

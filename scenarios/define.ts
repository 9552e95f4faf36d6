/** What a scenario and a fault are. `README.md` beside this file shows how to add one. */
import type { PrometheusClient } from "../lib/base/prometheus.ts";
import type { Observation } from "../lib/base/wait.ts";
import type { AlertUid } from "../lib/contract/alert.ts";
import type { Truth } from "../lib/contract/truth.ts";
import type { Lab } from "../lib/lab/lab.ts";

/** What a fault works on, and where it says what it does. */
export interface FaultContext {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
  /** One line of `inject.log` or `cleanup.log`. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * A fault: one small value with parameters, a way in, a way out and a measurement.
 *
 * The contract: `inject` returns once the change is made (not once it shows), keeps to its context's
 * signal while it waits, and undoes its own part when it fails. `heal` restores the canonical state whatever the
 * fault has led to meanwhile (a killed process, say), and may be called twice. `probe` measures the
 * effect on the system itself and says what it saw; it never concludes from `inject` having returned.
 */
export interface Fault {
  /** The kind of fault, such as `cpu-quota`. */
  readonly kind: string;
  /** Parameters with their units in the names, for the manifest. */
  readonly parameters: Readonly<Record<string, string | number>>;
  inject(context: FaultContext): Promise<void>;
  heal(context: FaultContext): Promise<void>;
  probe(context: FaultContext): Promise<Observation<unknown>>;
}

/** What a signature may look at: telemetry and runtime state. */
export interface SignatureView {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
}

/** The deadlines of a run's steps, milliseconds; those that are absent get the defaults. */
export interface Deadlines {
  readonly signatureMs: number;
  readonly alertMs: number;
  readonly recoveryMs: number;
}

export const DEFAULT_DEADLINES: Deadlines = {
  // A fault that is in force shows within a few scrapes; slow ones say so themselves.
  signatureMs: 60_000,
  // The longest wait of a rule (1 min), a rate over 1 min, and room for a slow machine.
  alertMs: 240_000,
  // A rule that looks back two minutes holds for as long after the fault is gone.
  recoveryMs: 240_000,
};

export interface ScenarioDefinition {
  readonly title: string;
  /** A control: nothing is wrong when the investigator looks. */
  readonly control?: boolean;
  readonly fault: Fault;
  /** Specific to the fault: true while it is in force, false for every other one and for a healthy system. */
  readonly signature: {
    readonly describe: string;
    readonly holds: (view: SignatureView) => Promise<Observation<unknown>>;
  };
  /** The alert that has to fire; labels that it must carry. */
  readonly alert: {
    readonly uid: AlertUid;
    readonly labels: Readonly<Record<string, string>>;
  };
  /**
   * When the investigator is called: while the alert fires (default); once the fault is healed but the alert still
   * stands; or after the alert has resolved.
   */
  readonly investigate?: "while-firing" | "after-heal" | "after-resolved";
  readonly deadlines?: Partial<Deadlines>;
  /** The metric that tells the story of a run in the report. */
  readonly metric: {
    readonly title: string;
    readonly query: string;
    readonly threshold?: number;
  };
  readonly truth: Truth;
}

/** Declares a scenario; its name is its folder's. */
export function defineScenario(definition: ScenarioDefinition): ScenarioDefinition {
  return definition;
}

/** What a scenario and a fault are. `README.md` beside this file shows how to add one. */
import type { PrometheusClient } from "../lib/base/prometheus.ts";
import type { Observation } from "../lib/base/wait.ts";
import type { AlertUid } from "../lib/contract/alert.ts";
import type { Truth } from "../lib/truth/truth.ts";
import type { Lab } from "../lib/lab/lab.ts";

/** Takes one line of `inject.log` or `cleanup.log`. */
export type Log = (line: string) => void;

/** What a fault works on, and where it says what it does. */
export interface FaultContext {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** Shows what the fault waits for, what it saw last, and the time left. */
  readonly waiting?: (what: string, seen: string, leftMs: number) => void;
}

/** Removes a fault: restores the canonical state, whatever has happened since. May be called twice. */
export type Healer = (log: Log) => Promise<void>;

/** Makes a change and returns its healer; heals at once when the change fails halfway. */
export async function changeOrHeal(
  log: Log,
  change: () => Promise<void>,
  healer: Healer,
): Promise<Healer> {
  try {
    await change();
    return healer;
  } catch (error) {
    await healer(log);
    throw error;
  }
}

/**
 * A fault: parameters, a change with its healer, and a measurement.
 *
 * The contract: `inject` returns when the change is made, not when its effect shows. It stops waiting
 * when the context's signal aborts, and undoes its part of the change when it fails. Work that goes
 * on after that, such as a loop, ends when the signal aborts and when the fault is healed. The healer
 * copes with all effects of the fault, such as a killed process. `probe` measures the effect on the
 * system; it never infers it from the return of `inject`.
 */
export interface Fault {
  /** The kind of fault, such as `cpu-quota`. */
  readonly kind: string;
  /**
   * Parameters with their units in the names, for the manifest. One that is called `service` must be one of
   * the eight.
   */
  readonly parameters: Readonly<Record<string, string | number>>;
  inject(context: FaultContext): Promise<Healer>;
  probe(context: FaultContext): Promise<Observation<unknown>>;
}

/** What a signature may look at: telemetry and runtime state. */
export interface SignatureView {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
}

/** The deadlines of a run's steps, milliseconds; those that are absent get the defaults. */
export interface Deadlines {
  /** From a lab that is up to a system that has been seen healthy for a while. */
  readonly baselineMs: number;
  /** For the change itself, and again for its effect to be measured. */
  readonly injectMs: number;
  readonly signatureMs: number;
  readonly alertMs: number;
  /** For the second look at the signature, after the investigation. */
  readonly signatureAfterMs: number;
  readonly healMs: number;
  readonly resolvedMs: number;
  readonly recoveryMs: number;
}

export const DEFAULT_DEADLINES: Deadlines = {
  // A fresh lab is healthy at once; a slow machine may take a while to show 40 s of it.
  baselineMs: 120_000,
  // A service may be kept away for up to a minute before its replacement starts.
  injectMs: 90_000,
  // A fault that is in force shows within a few scrapes; slow ones say so themselves.
  signatureMs: 60_000,
  // The longest wait of a rule (1 min), a rate over 1 min, and room for a slow machine.
  alertMs: 240_000,
  // It held before; a look that happens to fail gets a few more.
  signatureAfterMs: 30_000,
  // A process that does not end on SIGTERM is killed after a grace period, and its successor has to start.
  healMs: 60_000,
  // A rule that looks back two minutes holds for as long after the fault is gone.
  resolvedMs: 240_000,
  // The other alerts that the fault set off look back as far.
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

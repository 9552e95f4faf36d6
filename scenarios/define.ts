/** The types of scenarios and faults; `README.md` shows how to add one. */
import type { Alert } from "../lib/contract/alert.ts";
import type { Culprit } from "../lib/contract/answer.ts";
import type { Remediation } from "../lib/contract/fault-classes.ts";
import type { PrometheusClient } from "../lib/base/prometheus.ts";
import type { Observation } from "../lib/base/wait.ts";
import type { Truth } from "../lib/truth/truth.ts";
import type { Lab } from "../lib/lab/lab.ts";

/** Writes a line to `inject.log` or `cleanup.log`. */
export type Log = (line: string) => void;

/** A fault's access to the run. */
export interface FaultContext {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** Shows the fault's waiting: the condition, the last observation and the remaining time. */
  readonly waiting?: (what: string, seen: string, leftMs: number) => void;
}

/** Removes a fault: restores the canonical state from any state. May be called twice. */
export type Healer = (log: Log) => Promise<void>;

/** Makes a change and returns its healer; heals at once if the change fails halfway. */
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
 * The contract: `inject` returns after the change, without waiting for its effect. It stops waiting
 * when the context's signal aborts, and undoes its part of the change when it fails. Background
 * work such as a loop ends when the signal aborts or the fault is healed. The healer must handle
 * all effects of the fault, such as a killed process. `probe` measures the effect on the system; it
 * never infers it from the return of `inject`.
 */
export interface Fault {
  /** The kind of fault, such as `cpu-quota`. */
  readonly kind: string;
  /** Parameters for the manifest, with units in their names. `service` must be a service's name. */
  readonly parameters: Readonly<Record<string, string | number>>;
  inject(context: FaultContext): Promise<Healer>;
  probe(context: FaultContext): Promise<Observation<unknown>>;
  /**
   * The effect of a remedy on a part of the fault that is not in a service's state, such as a
   * packet filter; undefined if the remedy does not affect it.
   */
  readonly remedied?: (action: Remediation, target: Culprit) => Undoing | undefined;
}

/** Removes a part of a fault; may be called twice. */
export type Undoing = (context: FaultContext) => Promise<void>;

/** What a signature may read: telemetry and runtime state. */
export interface SignatureView {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
}

/** Deadlines of the steps of a run, milliseconds; undefined ones have defaults. */
export interface Deadlines {
  /** From the start of the lab to the end of the healthy baseline. */
  readonly baselineMs: number;
  /** For the injection, and again for the measurement of its effect. */
  readonly injectMs: number;
  readonly signatureMs: number;
  readonly alertMs: number;
  /** For the second check of the signature, after the investigation. */
  readonly signatureAfterMs: number;
  readonly healMs: number;
  readonly resolvedMs: number;
  readonly recoveryMs: number;
}

export const DEFAULT_DEADLINES: Deadlines = {
  // A new lab is healthy at once; a slow machine needs longer for 40 s of it.
  baselineMs: 120_000,
  // A fault may stop a service for up to a minute before its replacement starts.
  injectMs: 90_000,
  // A fault shows within a few scrapes; slower scenarios set their own deadline.
  signatureMs: 60_000,
  // The longest `for` of a rule (1 min), a rate over 1 min, and a margin for slow machines.
  alertMs: 240_000,
  // The signature held before; a single failed observation must not end the run.
  signatureAfterMs: 30_000,
  // A process that ignores SIGTERM is killed after a grace period before its successor starts.
  healMs: 60_000,
  // A rule over two minutes stays true for two minutes after the heal.
  resolvedMs: 240_000,
  // Other alerts of the fault cover the same time.
  recoveryMs: 240_000,
};

/** An alert that a scenario accepts: its rule and required labels. */
export interface AlertChoice {
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ScenarioDefinition {
  readonly title: string;
  /** A control: no fault is in force during the investigation. */
  readonly control?: boolean;
  readonly fault: Fault;
  /** Holds while this fault is in force, but under no other fault and not in a healthy system. */
  readonly signature: {
    readonly describe: string;
    readonly holds: (view: SignatureView) => Promise<Observation<unknown>>;
  };
  /**
   * Holds while the fault does harm, regardless of changed limits and settings; used to judge
   * remedies. Default: the signature.
   */
  readonly harm?: ScenarioDefinition["signature"];
  /**
   * The alert that must fire, or alternatives of which one must. The first is the one in
   * alert.json.
   */
  readonly alert: AlertChoice | readonly [AlertChoice, ...AlertChoice[]];
  /**
   * Start of the investigation: while the alert fires (default), after the heal while the alert
   * still fires, or after the alert has resolved.
   */
  readonly investigate?: "while-firing" | "after-heal" | "after-resolved";
  readonly deadlines?: Partial<Deadlines>;
  /** The metric that the report plots for a run. */
  readonly metric: {
    readonly title: string;
    readonly query: string;
    readonly threshold?: number;
  };
  readonly truth: Truth;
}

/** A checked scenario with all defaults. */
export interface Scenario extends Required<
  Omit<ScenarioDefinition, "alert" | "deadlines" | "metric" | "harm">
> {
  /** The name of its folder, or its parts in the notation of `compose.ts`. */
  readonly name: string;
  /** The alerts of which any one must fire. */
  readonly alerts: readonly AlertChoice[];
  readonly metric: ScenarioDefinition["metric"];
  readonly harm: ScenarioDefinition["signature"];
  readonly deadlines: Deadlines;
  /** The payload in alert.json: title, severity and labels; a run adds what fired. */
  readonly alertTemplate: Alert;
}

/** Declares a scenario; the name of its folder is its name. */
export function defineScenario(definition: ScenarioDefinition): ScenarioDefinition {
  return definition;
}

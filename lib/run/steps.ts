/** The conditions that a run verifies in sequence, each with a deadline. */
import type { ActiveAlert, PrometheusClient } from "../base/prometheus.ts";
import { asError, DeadlineError } from "../base/errors.ts";
import { type Observation, waitUntil } from "../base/wait.ts";
import type { AlertRule } from "../contract/alert-rules.ts";
import { processEnv } from "../base/env.ts";
import { readFleet } from "../contract/fleet.ts";
import { SERVICES } from "../contract/topology.ts";
import type { Scenario } from "../../scenarios/load.ts";
import type { Progress } from "./progress.ts";

/** Healthy seconds before the injection, as needed by the comparison tool. */
export const BASELINE_SECONDS = 40;

export interface StepContext {
  readonly prometheus: PrometheusClient;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

interface Check {
  readonly what: string;
  readonly query: string;
  readonly holds: (value: number) => boolean;
}

const HEALTHY_NOW: readonly Check[] = [
  {
    what: "sensors publishing",
    query:
      'count(sum by (sensor_id) (rate(cms_sensor_published_total{job="cms-services"}[10s])) > 0)',
    holds: (value) => value === readFleet(processEnv()).sensors.length,
  },
  {
    what: "sensors taken in",
    query:
      'count(sum by (sensor_id) (rate(cms_fusion_ingested_total{job="cms-services"}[10s])) > 0)',
    holds: (value) => value === readFleet(processEnv()).sensors.length,
  },
  {
    what: "services scraped",
    query: 'sum(up{job="cms-services"})',
    holds: (value) => value === SERVICES.length,
  },
  {
    what: "tracks in fusion",
    query: 'max(cms_fusion_active_tracks{job="cms-services"})',
    holds: (value) => value === readFleet(processEnv()).targets,
  },
  {
    what: "tracks on display",
    query: 'max(cms_display_active_tracks{job="cms-services"})',
    holds: (value) => value === readFleet(processEnv()).targets,
  },
];

const HEALTHY_FOR_A_WHILE: readonly Check[] = [
  {
    what: "seconds of history",
    query: `2 * count_over_time(cms_fusion_active_tracks{job="cms-services"}[${BASELINE_SECONDS}s])`,
    holds: (value) => value >= BASELINE_SECONDS - 4,
  },
  {
    what: "fewest tracks in it",
    query: `min_over_time(cms_fusion_active_tracks{job="cms-services"}[${BASELINE_SECONDS - 10}s])`,
    holds: (value) => value === readFleet(processEnv()).targets,
  },
];

/** Healthy seconds after the repair; a window of this length excludes samples from before it. */
const RECOVERED_SECONDS = 10;

const HEALTHY_FOR_A_MOMENT: readonly Check[] = [
  {
    what: `fewest tracks in ${RECOVERED_SECONDS} s`,
    query: `min_over_time(cms_fusion_active_tracks{job="cms-services"}[${RECOVERED_SECONDS}s])`,
    holds: (value) => value === readFleet(processEnv()).targets,
  },
  {
    what: "worst scrape in it",
    query: `min(min_over_time(up{job="cms-services"}[${RECOVERED_SECONDS}s]))`,
    holds: (value) => value === 1,
  },
];

/**
 * Waits until the system has been healthy for BASELINE_SECONDS and no alert is pending or firing.
 * After a change of a service, `secondsSinceChange` excludes the history from before it: a service
 * that was replaced has the series of its predecessor, but has not found all its peers yet.
 */
export async function proveBaseline(
  context: StepContext,
  deadlineMs: number,
  secondsSinceChange: () => number = () => Infinity,
): Promise<void> {
  await prove(context, "a healthy baseline", deadlineMs, async () => {
    const seconds = secondsSinceChange();
    const { ok, seen } = await lookHealthy(context.prometheus, [
      ...HEALTHY_NOW,
      ...HEALTHY_FOR_A_WHILE,
    ]);
    const changed = seconds === Infinity ? "" : `changed ${seconds.toFixed(0)} s ago, `;
    return { ok: ok && seconds >= BASELINE_SECONDS, seen: `${changed}${seen}` };
  });
}

/** Waits until every service works again, regardless of firing alerts. */
export async function proveWorking(context: StepContext, deadlineMs: number): Promise<void> {
  await prove(context, "a working system", deadlineMs, () =>
    lookAt(context.prometheus, [...HEALTHY_NOW, ...HEALTHY_FOR_A_MOMENT]),
  );
}

/** Waits until every alert has resolved and the system has been healthy since its repair. */
export async function proveRecovery(
  context: StepContext,
  deadlineMs: number,
  secondsSinceRepair: () => number,
): Promise<void> {
  await prove(context, "recovery", deadlineMs, async () => {
    const seconds = secondsSinceRepair();
    const { ok, seen } = await lookHealthy(context.prometheus, [
      ...HEALTHY_NOW,
      ...HEALTHY_FOR_A_MOMENT,
    ]);
    return {
      ok: ok && seconds >= RECOVERED_SECONDS,
      seen: `repaired ${seconds.toFixed(0)} s ago, ${seen}`,
    };
  });
}

async function lookAt(
  prometheus: PrometheusClient,
  checks: readonly Check[],
): Promise<Observation<unknown>> {
  const values = await Promise.all(
    checks.map(async ({ query }) => (await prometheus.instant(query))[0]?.value),
  );
  return {
    ok: checks.every(({ holds }, i) => holds(values[i] ?? Number.NaN)),
    seen: checks.map(({ what }, i) => `${what} ${values[i] ?? "no data"}`).join(", "),
  };
}

async function lookHealthy(
  prometheus: PrometheusClient,
  checks: readonly Check[],
): Promise<Observation<unknown>> {
  const { ok, seen } = await lookAt(prometheus, checks);
  const alerts = (await prometheus.alerts()).map(
    ({ labels, state }) => `${labels["alertname"]} ${state}`,
  );
  return {
    ok: ok && alerts.length === 0,
    seen: [seen, ...(alerts.length === 0 ? ["no alert"] : alerts)].join(", "),
  };
}

/** An alert that a scenario accepts. */
export interface AcceptedAlert {
  readonly rule: AlertRule;
  readonly labels: Readonly<Record<string, string>>;
}

/** A firing alert and its rule. */
interface Fired {
  readonly fired: ActiveAlert;
  readonly rule: AlertRule;
}

/** Waits until one of the accepted alerts fires and returns it. */
export async function proveAlert(
  context: StepContext,
  scenario: Scenario,
  accepted: readonly AcceptedAlert[],
  onPending: () => void,
): Promise<Fired> {
  const what = `alert ${titlesOf(accepted)} firing`;
  const found = await prove(context, what, scenario.deadlines.alertMs, async () => {
    const active = await activeOf(context, accepted);
    if (active.length > 0) onPending();
    const firing = active.find(({ fired }) => fired.state === "firing");
    const seen = statesOf(active);
    return firing === undefined ? { ok: false, seen } : { ok: true, seen, value: firing };
  });
  return found as Fired;
}

/** Waits until none of the accepted alerts is firing or pending. */
export async function proveResolved(
  context: StepContext,
  scenario: Scenario,
  accepted: readonly AcceptedAlert[],
): Promise<void> {
  const what = `alert ${titlesOf(accepted)} resolved`;
  await prove(context, what, scenario.deadlines.resolvedMs, async () => {
    const active = await activeOf(context, accepted);
    return { ok: active.length === 0, seen: statesOf(active) };
  });
}

async function activeOf(
  { prometheus }: StepContext,
  accepted: readonly AcceptedAlert[],
): Promise<Fired[]> {
  const active = await prometheus.alerts();
  return accepted.flatMap(({ rule, labels }) =>
    active.filter((each) => isAlertOf(each, rule, labels)).map((fired) => ({ fired, rule })),
  );
}

const titlesOf = (accepted: readonly AcceptedAlert[]): string =>
  accepted.map(({ rule }) => rule.title).join(" or ");

const statesOf = (active: readonly Fired[]): string =>
  active.map(({ fired }) => fired.state).join(", ") || "inactive";

/** Whether an active alert is of `rule` and has all `labels`. */
export function isAlertOf(
  alert: ActiveAlert,
  rule: AlertRule,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    alert.labels["alertname"] === rule.title &&
    Object.entries(labels).every(([name, value]) => alert.labels[name] === value)
  );
}

/** Waits for a condition and shows the progress; throws like waitUntil. */
export async function prove<T>(
  { progress, signal }: StepContext,
  what: string,
  deadlineMs: number,
  look: () => Promise<Observation<T>>,
): Promise<T | undefined> {
  let last = "";
  const value = await waitUntil(
    async () => {
      const seen = await look();
      last = seen.seen;
      return seen;
    },
    {
      what,
      deadlineMs,
      intervalMs: 500,
      signal,
      onProgress: (seen, leftMs) => progress.waiting(what, seen, leftMs),
    },
  );
  progress.line(`proven: ${what} (${last})`);
  return value;
}

/**
 * Waits for `change`. Throws DeadlineError after `deadlineMs`, and the signal's reason when that
 * aborts; the change itself continues.
 */
export async function within<T>(
  what: string,
  deadlineMs: number,
  change: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new DeadlineError(`Gave up on ${what} after ${(deadlineMs / 1000).toFixed(1)} s`));
  }, deadlineMs);
  const onAbort = (): void => reject(asError(signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    return await Promise.race([change(), promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

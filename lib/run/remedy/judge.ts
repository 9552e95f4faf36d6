/** Determines the five verdicts on a system after a remedy. */
import type { PrometheusClient } from "../../base/prometheus.ts";
import { DeadlineError } from "../../base/errors.ts";
import { type MonotonicClock, systemClock } from "../../base/clock.ts";
import { waitUntil } from "../../base/wait.ts";
import { FAULT_CLASSES } from "../../contract/fault-classes.ts";
import { isServiceName, type ServiceName } from "../../contract/topology.ts";
import type { Lab, ServiceState } from "../../lab/lab.ts";
import type { Verdict, Verdicts } from "../../score/run-record.ts";
import type { Scenario } from "../../../scenarios/load.ts";
import type { Progress } from "../progress.ts";
import { lookAtFlow } from "./data-flow.ts";
import { type Aspects, type Change, differencesOf, restart } from "./plan.ts";
import type { Act } from "./read-remedy.ts";

/** Waiting times of the verdicts, milliseconds. */
export interface Patience {
  /** From a change to the first check, because the last scrape was before the change. */
  readonly settleMs: number;
  /** For the signature to become false, and again after the restart. */
  readonly goneMs: number;
  /** How long it must stay false. */
  readonly holdMs: number;
  /** How long it must stay false after the restart. */
  readonly restartedMs: number;
  readonly flowMs: number;
}

export const PATIENCE: Patience = {
  // Two scrapes and a margin.
  settleMs: 6000,
  // Rates cover a minute, queues drain, and 110 s are needed to tell a leak from a start.
  goneMs: 130_000,
  holdMs: 120_000,
  restartedMs: 20_000,
  // A rate covers 45 s, and a display drops a lost track after ten seconds.
  flowMs: 90_000,
};

/** An executed act and what it changed. */
export interface Done {
  readonly act: Act;
  readonly change: Change | null;
}

export interface JudgeOptions {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
  readonly scenario: Scenario;
  /** All services in the healthy system, and just before the remedy. */
  readonly healthy: readonly Aspects[];
  readonly before: readonly ServiceState[];
  readonly done: readonly Done[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly patience?: Patience;
  readonly clock?: MonotonicClock;
}

const NOT_REACHED: Verdict = { holds: null, seen: "not looked at: an earlier verdict fell" };
const NO_FAULT: Verdict = { holds: null, seen: "nothing was wrong" };

/** Judges the system after the remedy. The first "no" ends the remaining waits. */
export async function judge(options: JudgeOptions): Promise<Verdicts> {
  const { progress, scenario } = options;
  const say = (name: string, verdict: Verdict): Verdict => {
    const { holds, seen } = verdict;
    progress.line(`verdict ${name}: ${holds === null ? "–" : holds ? "yes" : "no"} (${seen})`);
    return verdict;
  };
  const isWrong = scenario.truth.faults.length > 0;
  const gone = say("signature gone", isWrong ? await goneWithin(options) : NO_FAULT);
  const stays = say(
    "stays gone",
    gone.holds === true ? await staysGone(options, waits(options).holdMs) : restOf(gone),
  );
  // Checked before the restart, which is not part of the remedy.
  const unchanged = say("nothing else changed", await nothingElseChanged(options));
  const survives = say(
    "survives a restart",
    stays.holds === true ? await survivesRestart(options) : restOf(stays),
  );
  const isLost = [gone, stays, survives].some(({ holds }) => holds === false);
  const flows = say("data flows", isLost ? NOT_REACHED : await dataFlows(options));
  return {
    signature_gone: gone,
    stays_gone: stays,
    survives_restart: survives,
    data_flows: flows,
    nothing_else_changed: unchanged,
  };
}

/** Repaired: no verdict is "no". */
export const isRepaired = (verdicts: Verdicts): boolean =>
  Object.values(verdicts).every(({ holds }) => holds !== false);

const waits = ({ patience = PATIENCE }: JudgeOptions): Patience => patience;
const restOf = (before: Verdict): Verdict => (before === NO_FAULT ? NO_FAULT : NOT_REACHED);

async function lookAtHarm({ scenario, lab, prometheus }: JudgeOptions) {
  return scenario.harm.holds({ lab, prometheus });
}

async function goneWithin(options: JudgeOptions): Promise<Verdict> {
  const { clock = systemClock, signal } = options;
  await clock.sleep(waits(options).settleMs, signal);
  return awaited(options, "the signature to be gone", waits(options).goneMs, async () => {
    const { ok, seen } = await lookAtHarm(options);
    return { ok: !ok, seen };
  });
}

/** Waits for a condition; a timeout is the verdict "no". */
async function awaited(
  { progress, signal, clock = systemClock }: JudgeOptions,
  what: string,
  deadlineMs: number,
  look: () => Promise<{ ok: boolean; seen: string }>,
): Promise<Verdict> {
  let last = "";
  try {
    await waitUntil(
      async () => {
        const found = await look();
        last = found.seen;
        return found;
      },
      {
        what,
        deadlineMs,
        intervalMs: 1000,
        signal,
        clock,
        onProgress: (seen, leftMs) => progress.waiting(what, seen, leftMs),
      },
    );
    return { holds: true, seen: last };
  } catch (error) {
    if (error instanceof DeadlineError) return { holds: false, seen: last };
    throw error;
  }
}

async function staysGone(options: JudgeOptions, holdMs: number): Promise<Verdict> {
  const seconds = holdMs / 1000;
  let back: string | undefined;
  const { clock = systemClock } = options;
  const startMs = clock.nowMs();
  const held = await awaited(options, `the signature to stay gone`, 2 * holdMs, async () => {
    const { ok, seen } = await lookAtHarm(options);
    if (ok) back = `back after ${((clock.nowMs() - startMs) / 1000).toFixed(0)} s: ${seen}`;
    return { ok: ok || clock.nowMs() - startMs >= holdMs, seen };
  });
  return back === undefined
    ? { holds: held.holds, seen: `${seconds} s: ${held.seen}` }
    : { holds: false, seen: back };
}

/** Restarts the faulty services with their current configuration. */
async function survivesRestart(options: JudgeOptions): Promise<Verdict> {
  const services = guiltyServices(options.scenario);
  if (services.length === 0) return { holds: null, seen: "no service is at fault" };
  for (const service of services) await restart(options.lab, service);
  const gone = await goneWithin(options);
  const verdict = gone.holds === true ? await staysGone(options, waits(options).restartedMs) : gone;
  return { holds: verdict.holds, seen: `${services.join(", ")} restarted; ${verdict.seen}` };
}

async function dataFlows(options: JudgeOptions): Promise<Verdict> {
  return awaited(options, "data to flow", waits(options).flowMs, () =>
    lookAtFlow(options.prometheus),
  );
}

/** The services with the fault; both ends of a faulty link. */
export function guiltyServices({ truth }: Pick<Scenario, "truth">): ServiceName[] {
  const culprits = truth.faults.flatMap(({ culprit, other_end }) => [culprit, other_end]);
  return [
    ...new Set(culprits.filter((one) => one !== undefined && isServiceName(one))),
  ] as ServiceName[];
}

/**
 * Whether services without fault are unchanged and have the same process. Each aspect of a faulty
 * service must be as in the healthy system, as under the fault, or as set by a remedy that fits the
 * fault.
 */
async function nothingElseChanged(options: JudgeOptions): Promise<Verdict> {
  const { lab, scenario, before, healthy, done } = options;
  const now = (await lab.status())?.services ?? [];
  const guilty = guiltyServices(scenario);
  const found = before.flatMap((was) => {
    const is = now.find(({ service }) => service === was.service);
    if (is === undefined) return [`${was.service} is gone`];
    if (!guilty.includes(was.service)) {
      const differences = differencesOf(was, is);
      return was.startedUnixMs === is.startedUnixMs || differences.length > 0
        ? differences
        : [`${was.service} was restarted`];
    }
    const usual = healthy.find(({ service }) => service === was.service) ?? was;
    return misfits(was, usual, is, fittingChanges(done, was.service, scenario));
  });
  return {
    holds: found.length === 0,
    seen: found.length === 0 ? `${before.length} services compared` : found.join("; "),
  };
}

/** Differences from both states that no fitting change explains. */
function misfits(was: Aspects, usual: Aspects, is: Aspects, fitting: readonly Change[]): string[] {
  const from = differencesOf(usual, is);
  const aspectIn = (text: string): string => text.split(" ")[1] ?? "";
  const alsoFromWas = new Set(differencesOf(was, is).map(aspectIn));
  const allowed = new Set(fitting.flatMap(aspectsChanged));
  return from.filter((text) => alsoFromWas.has(aspectIn(text)) && !allowed.has(aspectIn(text)));
}

function fittingChanges(
  done: readonly Done[],
  service: ServiceName,
  { truth }: Pick<Scenario, "truth">,
): Change[] {
  const fitting = new Set(
    truth.faults.flatMap(({ fault_class, remediation }) => [
      ...FAULT_CLASSES[fault_class].remedies,
      ...remediation.actions,
    ]),
  );
  return done.flatMap(({ act, change }) =>
    change !== null && act.target === service && fitting.has(act.action) ? [change] : [],
  );
}

const aspectsChanged = ({ kind }: Change): string[] => {
  if (kind === "quota") return ["cpuQuotaCores"];
  if (kind === "configure") return ["env", "memoryLimitBytes"];
  return kind === "attach" ? ["network"] : [];
};

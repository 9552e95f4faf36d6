/**
 * Finds the onset of a fault: the start of the last unbroken span in which a confirmed claim
 * holds. If no claim has such a start, the onset is the start of a process that was replaced while
 * the system ran.
 */
import type { Alert } from "../../contract/alert.ts";
import type { ServiceName } from "../../contract/topology.ts";
import { beginningQuery, entailmentHolds } from "./entailment.ts";
import type { Check } from "./refute.ts";
import type { Toolbox } from "../toolbox.ts";

/** Time before the alert's start at which the search begins. */
const LOOK_BACK_MS = 6 * 60_000;
/** The lab's scrape interval; a shorter step gives no more information. */
const MIN_STEP_SECONDS = 2;
/** Points of a search; a tool's answer is cut beyond 240. */
const MAX_POINTS = 200;
/** All processes of a system start within this time. */
const START_UP_SECONDS = 10;
/** After this time all services of a system are scraped and rates are those of a running system. */
const SETTLED_SECONDS = 45;

const STARTED = "container_start_time_seconds";

/**
 * Returns the onset of a fault of `service` (null: of the whole system) in Unix milliseconds, or
 * null when it cannot be found.
 *
 * The earliest onset of all confirmed musts counts, because rates and slopes show a fault later
 * than states.
 */
export async function findOnset(
  service: ServiceName | null,
  checks: readonly Check[],
  alert: Alert,
  nowMs: number,
  tools: Toolbox,
): Promise<number | null> {
  const alertMs = Date.parse(alert.alerts[0]?.startsAt ?? "") || nowMs;
  const startMs = Math.max(alertMs - LOOK_BACK_MS, await startedUp(tools));
  const stepSeconds = Math.max(MIN_STEP_SECONDS, Math.ceil((nowMs - startMs) / 1000 / MAX_POINTS));
  const onsets: number[] = [];
  const confirmed = checks.filter(
    ({ outcome, entailment }) => outcome === "confirmed" && entailment.weight === "must",
  );
  for (const check of confirmed) {
    const call = await tools.call("promql_range", {
      query: beginningQuery(check.entailment, service),
      start: new Date(startMs).toISOString(),
      end: new Date(nowMs).toISOString(),
      step_seconds: stepSeconds,
    });
    const onset = beginningOf(check, call.facts);
    if (onset !== null) onsets.push(onset);
  }
  if (onsets.length > 0) return Math.min(...onsets);
  return service === null ? null : replacedAt(service, tools);
}

/**
 * Time at which the system had started up, Unix milliseconds; before, services do not answer and no
 * messages flow.
 */
async function startedUp(tools: Toolbox): Promise<number> {
  const { facts } = await tools.call("promql", { query: `min(${STARTED})` });
  return (Number(facts[0]?.value ?? 0) + SETTLED_SECONDS) * 1000;
}

/**
 * The start of the service's process in Unix milliseconds, if it is later than the system's start.
 */
async function replacedAt(service: ServiceName, tools: Toolbox): Promise<number | null> {
  const own = `${STARTED}{name="${service}"}`;
  const call = await tools.call("promql", {
    query: `${own} > scalar(min(${STARTED})) + ${START_UP_SECONDS}`,
  });
  const seconds = Number(call.facts[0]?.value);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

/**
 * The start of the last unbroken span in which a claim holds. A claim that holds at the first point
 * already has no visible onset.
 */
function beginningOf(
  { entailment }: Check,
  facts: readonly { readonly value: number | string; readonly when: string }[],
): number | null {
  const points = facts
    .map(({ value, when }) => ({
      holds: entailmentHolds(entailment, Number(value)),
      atMs: Date.parse(when),
    }))
    .toSorted((a, b) => a.atMs - b.atMs);
  const last = points.findLastIndex(({ holds }) => holds);
  const before = points.slice(0, Math.max(0, last)).findLastIndex(({ holds }) => !holds);
  return before === -1 ? null : (points[before + 1]?.atMs ?? null);
}

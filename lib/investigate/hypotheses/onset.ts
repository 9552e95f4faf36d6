/**
 * Finds the onset of a fault: the start of the unbroken span up to now in which a confirmed claim
 * holds. If no claim has such a start, the onset is the start of a process that was replaced while
 * the system ran.
 */
import type { ServiceName } from "../../contract/topology.ts";
import { beginningQuery, entailmentHolds } from "./entailment.ts";
import type { Check } from "./refute.ts";
import type { Toolbox } from "../toolbox.ts";

/** How far before the alert's start the search begins, and its step. */
const LOOK_BACK_MS = 6 * 60_000;
const STEP_SECONDS = 2;
/** All processes of a system start within this time. */
const START_UP_SECONDS = 10;

/**
 * Returns the onset of a fault of `service` in Unix milliseconds, or null when it cannot be found.
 *
 * The earliest onset of all confirmed musts counts: rates and slopes show later than states.
 */
export async function findOnset(
  service: ServiceName | null,
  checks: readonly Check[],
  alertStartMs: number,
  nowMs: number,
  tools: Toolbox,
): Promise<number | null> {
  const onsets: number[] = [];
  const confirmed = checks.filter(
    ({ outcome, entailment }) => outcome === "confirmed" && entailment.weight === "must",
  );
  for (const check of confirmed) {
    const startMs = alertStartMs - LOOK_BACK_MS;
    const call = await tools.call("promql_range", {
      query: beginningQuery(check.entailment, service),
      start: new Date(startMs).toISOString(),
      end: new Date(nowMs).toISOString(),
      step_seconds: STEP_SECONDS,
    });
    const onset = beginningOf(check, call.facts);
    if (onset !== null) onsets.push(onset);
  }
  return onsets.length === 0 ? replacedAt(service, tools) : Math.min(...onsets);
}

/**
 * The start of the service's process in Unix milliseconds, if it is later than the system's start.
 */
async function replacedAt(service: ServiceName | null, tools: Toolbox): Promise<number | null> {
  if (service === null) return null;
  const start = "container_start_time_seconds";
  const own = `${start}{name="${service}"}`;
  const call = await tools.call("promql", {
    query: `${own} > scalar(min(${start})) + ${START_UP_SECONDS}`,
  });
  const seconds = Number(call.facts[0]?.value);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

/** A claim that holds at the first point already has no visible onset. */
function beginningOf(
  { entailment }: Check,
  facts: readonly { readonly value: number | string; readonly when: string }[],
): number | null {
  const points = facts
    .map(({ value, when }) => ({ value: Number(value), atMs: Date.parse(when) }))
    .filter(({ value, atMs }) => Number.isFinite(value) && Number.isFinite(atMs))
    .toSorted((a, b) => a.atMs - b.atMs);
  const first = points[0];
  if (first === undefined || entailmentHolds(entailment, first.value)) return null;
  const lastFalse = points.findLastIndex(({ value }) => !entailmentHolds(entailment, value));
  return points[lastFalse + 1]?.atMs ?? null;
}

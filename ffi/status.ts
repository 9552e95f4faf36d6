/** Communication statuses, read on demand. Layouts: dds/ddsc/dds_public_status.h. */
import { check } from "./error.ts";
import { loadLibrary } from "./library.ts";
import { Block } from "./memory.ts";
import { policyName } from "./qos.ts";

/** Matching endpoints: now, and in total. */
export interface MatchedStatus {
  readonly current: number;
  readonly total: number;
}

/**
 * Refused endpoints, and the policy of the latest refusal; `lastPolicy` is null when there was
 * none.
 */
export interface IncompatibleQosStatus {
  readonly total: number;
  readonly lastPolicyId: number;
  readonly lastPolicy: string | null;
}

/** Matched writers by whether they met their lease. */
export interface LivelinessStatus {
  readonly alive: number;
  readonly notAlive: number;
}

const block = new Block(64);

type StatusGetter = Extract<
  keyof ReturnType<typeof loadLibrary>["dds"],
  `dds_get_${string}_status`
>;

/** Reads a status and returns its total, its first counter. */
export function readTotal(handle: number, getter: StatusGetter, what: string): number {
  check(loadLibrary().dds[getter](handle, block.pointer), getter, `read the status of the ${what}`);
  return block.view.getUint32(0, true);
}

/** total_count, total_count_change, current_count, current_count_change, last handle. */
export function readMatched(handle: number, getter: StatusGetter, what: string): MatchedStatus {
  const total = readTotal(handle, getter, what);
  return { total, current: block.view.getUint32(8, true) };
}

/** total_count, total_count_change, last_policy_id. */
export function readIncompatible(
  handle: number,
  getter: StatusGetter,
  what: string,
): IncompatibleQosStatus {
  const total = readTotal(handle, getter, what);
  const lastPolicyId = block.view.getUint32(8, true);
  return { total, lastPolicyId, lastPolicy: total === 0 ? null : policyName(lastPolicyId) };
}

/** alive_count, not_alive_count, their changes, last handle. */
export function readLiveliness(handle: number, what: string): LivelinessStatus {
  const alive = readTotal(handle, "dds_get_liveliness_changed_status", what);
  return { alive, notAlive: block.view.getUint32(4, true) };
}

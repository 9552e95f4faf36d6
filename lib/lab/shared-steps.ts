/** Common steps of both engines: validation, repair and waiting for readiness. */
import { type Observation, waitUntil } from "../base/wait.ts";
import type { ServiceName } from "../contract/topology.ts";
import { type Lab, type LabStatus, MIN_CORES, type ReplaceOptions } from "./lab.ts";

const MAX_CORES = 64;
/** A lab starts within seconds; a loaded machine takes longer. */
const UP_DEADLINE_MS = 120_000;

/** Throws RangeError for an invalid CPU limit. */
export function checkCores(service: ServiceName, cores: number | null): void {
  if (cores === null || (cores >= MIN_CORES && cores <= MAX_CORES)) return;
  throw new RangeError(
    `Cannot limit ${service}: a quota must be ${MIN_CORES} to ${MAX_CORES} cores, but is ${cores}`,
  );
}

/** Throws RangeError for an invalid memory limit. */
export function checkMemoryLimit({ memoryLimitBytes }: ReplaceOptions, minBytes: number): void {
  if (memoryLimitBytes === undefined) return;
  if (Number.isInteger(memoryLimitBytes) && memoryLimitBytes >= minBytes) return;
  throw new RangeError(
    `a memory limit must be at least ${minBytes} bytes, but is ${memoryLimitBytes}`,
  );
}

/** Restores every changed service, as an aborted run may leave it. */
export async function healServices(
  lab: Pick<Lab, "replace">,
  { services }: LabStatus,
  onProgress: (line: string) => void,
): Promise<void> {
  for (const { service, canonical } of services) {
    if (canonical) continue;
    onProgress(`making ${service} canonical again`);
    await lab.replace(service);
  }
}

/** Waits until `look` reports the complete lab, and prints its observation once a second. */
export async function awaitTracks(
  look: () => Promise<Observation<never>>,
  options: {
    readonly intervalMs: number;
    readonly signals: readonly (AbortSignal | undefined)[];
    readonly onProgress: (line: string) => void;
  },
): Promise<void> {
  const { intervalMs, signals, onProgress } = options;
  let lastSeconds = UP_DEADLINE_MS / 1000;
  await waitUntil(look, {
    what: "three tracks in the picture",
    deadlineMs: UP_DEADLINE_MS,
    intervalMs,
    signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
    onProgress: (seen, leftMs) => {
      const seconds = Math.floor(leftMs / 1000) + 1;
      if (seconds < lastSeconds) {
        onProgress(`waiting for three tracks: ${seen} (${seconds} s left)`);
      }
      lastSeconds = seconds;
    },
  });
}

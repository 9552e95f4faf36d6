/**
 * The hooks by which a fault makes a process busy, large or talkative. Without them nothing runs.
 */
import type { MonotonicClock } from "../base/clock.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Settings } from "./settings.ts";

/** By then the service has joined its peers: a fault hits a service that works. */
const ONSET_MS = 5000;
const SECOND_MS = 1000;
const CHUNK_BYTES = 16 * 2 ** 20;
const MAX_LINES_AT_ONCE = 50;

/** What the hooks use of a service. */
interface Hooked {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  readonly clock: MonotonicClock;
  every(periodMs: number, tick: () => void): void;
  after(delayMs: number, action: () => void): void;
}

/** Starts what the settings ask for. */
export function applyHooks(service: Hooked): void {
  const { holdBytes, busyShare, debugLines } = service.settings;
  if (holdBytes > 0) service.after(ONSET_MS, () => hold(holdBytes, service));
  if (busyShare > 0) service.after(ONSET_MS, () => keepBusy(busyShare, service));
  if (debugLines > 0) {
    const bursts = Math.ceil(debugLines / MAX_LINES_AT_ONCE);
    const lines = Math.round(debugLines / bursts);
    let tick = 0;
    service.every(SECOND_MS / bursts, () => {
      for (let i = 0; i < lines; i++) service.telemetry.logger.log("loop_debug", { tick: ++tick });
    });
  }
}

/** Takes memory at once, and touches it so that it is really resident. */
function hold(bytes: number, service: Hooked): void {
  const kept: Uint8Array[] = [];
  for (let left = bytes; left > 0; left -= CHUNK_BYTES) {
    kept.push(new Uint8Array(Math.min(left, CHUNK_BYTES)).fill(1));
  }
  // What a timer refers to is not collected.
  service.every(60 * SECOND_MS, () => void kept.length);
}

/** Spins for a share of each second; with a share of 1 the event loop never runs again. */
function keepBusy(share: number, service: Hooked): void {
  spin(service.clock, share === 1 ? Number.POSITIVE_INFINITY : share * SECOND_MS);
  service.after((1 - share) * SECOND_MS, () => keepBusy(share, service));
}

function spin(clock: MonotonicClock, forMs: number): void {
  const startMs = clock.monotonicMs();
  while (clock.monotonicMs() - startMs < forMs);
}

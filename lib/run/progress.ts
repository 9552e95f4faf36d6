/** Shows a person what a run is doing and waiting for, on standard error; keeps every line for the log. */
import { type Clock, systemClock } from "../base/clock.ts";

export interface Progress {
  /** A line that stays. */
  line(text: string): void;
  /** The state of a wait: shown in place on a terminal, every few seconds elsewhere. */
  waiting(what: string, seen: string, leftMs: number): void;
  /** Ends the current wait's line. */
  settle(): void;
}

/** How often a wait is reported where lines cannot be rewritten. */
const REPORT_INTERVAL_MS = 5000;
/** A wait that has said nothing for so long has ended. */
const ENDED_AFTER_MS = 3000;

export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
}

const standardError: Output = {
  write: (text) => {
    process.stderr.write(text);
  },
  isTTY: process.stderr.isTTY,
  columns: process.stderr.columns ?? 100,
};

/**
 * Creates a progress display. `prefix` stands before each line, so that runs side by side can be told
 * apart; `keep` receives every line that stays.
 */
export function createProgress(
  options: {
    readonly prefix?: string;
    readonly keep?: (line: string) => void;
    readonly output?: Output;
    readonly clock?: Clock;
    readonly quiet?: boolean;
  } = {},
): Progress {
  const { prefix = "", keep, output = standardError, clock = systemClock, quiet = false } = options;
  let open = false;
  /** Waits that go on at the same time, such as for a signature and for an alert. */
  const waits = new Map<string, { text: string; shownMs: number; seenMs: number }>();
  const clear = (): void => {
    if (open) output.write("\r\u001b[K");
    open = false;
  };
  return {
    line: (text) => {
      clear();
      keep?.(text);
      if (!quiet) output.write(`${prefix}${text}\n`);
    },
    waiting: (what, seen, leftMs) => {
      if (quiet) return;
      const nowMs = clock.nowMs();
      const text = `${what}: ${seen} (${Math.ceil(leftMs / 1000)} s left)`;
      const shownMs = waits.get(what)?.shownMs ?? Number.NEGATIVE_INFINITY;
      const isDue = nowMs - shownMs >= REPORT_INTERVAL_MS;
      waits.set(what, { text, shownMs: isDue ? nowMs : shownMs, seenMs: nowMs });
      if (output.isTTY) {
        const live = [...waits.values()].filter(({ seenMs }) => nowMs - seenMs < ENDED_AFTER_MS);
        const all = `${prefix}  waiting for ${live.map((wait) => wait.text).join("; ")}`;
        output.write(`\r\u001b[K${all.slice(0, output.columns - 1)}`);
        open = true;
      } else if (isDue) {
        output.write(`${prefix}  waiting for ${text}\n`);
      }
    },
    settle: () => {
      waits.clear();
      clear();
    },
  };
}

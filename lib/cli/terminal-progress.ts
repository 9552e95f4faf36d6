/** Shows a run's progress on standard error; on a terminal, waits are rewritten in place. */
import { type Clock, systemClock } from "../base/clock.ts";
import type { Progress } from "../run/progress.ts";

/** Interval of reports about a wait when lines cannot be rewritten. */
const REPORT_INTERVAL_MS = 5000;
/** Time without a report after which a wait has ended. */
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

/** Creates a display; `prefix` starts each line. */
export function createTerminalProgress(
  options: {
    readonly prefix?: string;
    readonly output?: Output;
    readonly clock?: Clock;
  } = {},
): Progress {
  const { prefix = "", output = standardError, clock = systemClock } = options;
  let open = false;
  /** Simultaneous waits, such as for a signature and for an alert. */
  const waits = new Map<string, { text: string; shownMs: number; seenMs: number }>();
  const clear = (): void => {
    if (open) output.write("\r\u001b[K");
    open = false;
  };
  return {
    line: (text) => {
      clear();
      output.write(`${prefix}${text}\n`);
    },
    waiting: (what, seen, leftMs) => {
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

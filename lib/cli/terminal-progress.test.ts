import { describe, expect, test } from "bun:test";
import { ManualClock } from "../base/clock.ts";
import { createTerminalProgress } from "./terminal-progress.ts";

describe("createTerminalProgress()", () => {
  const output = (isTTY: boolean) => {
    const written: string[] = [];
    return {
      written,
      output: { write: (text: string) => void written.push(text), isTTY, columns: 80 },
    };
  };

  test("rewrites the wait on a terminal and clears it before a line", () => {
    const { written, output: to } = output(true);
    const progress = createTerminalProgress({ output: to });
    progress.waiting("rain", "dry", 1500);
    progress.line("it rains");
    expect(written).toEqual([
      "\r\u001b[K  waiting for rain: dry (2 s left)",
      "\r\u001b[K",
      "it rains\n",
    ]);
  });

  test("reports every few seconds elsewhere", () => {
    const { written, output: to } = output(false);
    const clock = new ManualClock(100_000);
    const progress = createTerminalProgress({ output: to, clock, prefix: "[a] " });
    for (let i = 0; i < 12; i++) {
      progress.waiting("rain", `look ${i}`, 9000);
      progress.waiting("sun", `look ${i}`, 9000);
      clock.advance(1000);
    }
    expect(written.map((line) => line.slice(0, 29))).toEqual(
      ["0", "5", "10"].flatMap((look) => [
        `[a]   waiting for rain: look ${look}`.slice(0, 29),
        `[a]   waiting for sun: look ${look}`.slice(0, 29),
      ]),
    );
  });

  test("shows waits that go on at the same time in one line, and each until it ends", () => {
    const { written, output: to } = output(true);
    const clock = new ManualClock(0);
    const progress = createTerminalProgress({ output: to, clock });
    progress.waiting("rain", "dry", 1000);
    progress.waiting("sun", "night", 1000);
    expect(written.at(-1)).toEndWith("  waiting for rain: dry (1 s left); sun: night (1 s left)");
    clock.advance(4000);
    progress.waiting("sun", "dawn", 1000);
    expect(written.at(-1)).toEndWith("  waiting for sun: dawn (1 s left)");
  });
});

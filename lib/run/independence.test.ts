/**
 * Tests that the investigators' knowledge of faults is independent of the rubrics: their files
 * contain no list and no threshold of a rubric.
 */
import { describe, expect, test } from "bun:test";
import { LOGS } from "../contract/telemetry.ts";
import { ENTAILMENTS } from "../investigate/faults/registry.ts";
import type { Entailment } from "../investigate/hypotheses/entailment.ts";
import { loadAllScenarios } from "../../scenarios/load.ts";

const INVESTIGATORS = `${import.meta.dir}/../investigate`;

interface Accepted {
  readonly signal: string;
  readonly holds?: { readonly value: number | string } | undefined;
}
interface Rubric {
  readonly name: string;
  readonly accepted: readonly Accepted[];
}

const rubrics: readonly Rubric[] = (await loadAllScenarios()).map(({ name, truth }) => ({
  name,
  accepted: truth.evidence.flatMap(({ any_of }) => any_of),
}));

/** Returns the arrays of strings in a source file. */
const listsIn = (source: string): string[][] =>
  [...source.matchAll(/\[\s*(?:"[^"\n]*"\s*,?\s*)+\]/g)].map(([list]) =>
    [...list.matchAll(/"([^"\n]*)"/g)].map(([, text = ""]) => text),
  );

/** Returns the rubrics of which a source file lists two or more signals, or names a log event. */
function repeatedIn(source: string): string[] {
  return rubrics.flatMap(({ name, accepted }) => {
    const signals = new Set(accepted.map(({ signal }) => signal));
    const listed = listsIn(source).some(
      (list) => new Set(list.filter((text) => signals.has(text))).size >= 2,
    );
    const events = [...signals].filter((signal) => signal in LOGS);
    const named = events.filter((event) => source.includes(`"${event}"`));
    return [...(listed ? [`${name}: a list`] : []), ...named.map((one) => `${name}: ${one}`)];
  });
}

/** Values that are not a choice: zero, a state, and the exit code of a kill. */
const PLAIN: ReadonlySet<unknown> = new Set([0, 1, 128 + 9]);

/** Returns the rubrics that demand the same value of the same signal as a claim. */
const thresholdsIn = (claims: readonly Entailment[]): string[] =>
  claims.flatMap(({ signal, holds: { value } }) =>
    rubrics
      .filter(({ accepted }) =>
        accepted.some((one) => one.signal === signal && one.holds?.value === value),
      )
      .filter(() => !PLAIN.has(value))
      .map(({ name }) => `${name}: ${signal} ${value}`),
  );

describe("no investigator repeats a rubric", () => {
  const files = [...new Bun.Glob("**/*.ts").scanSync(INVESTIGATORS)].filter(
    (path) => !/\.test\.ts$|(^|\/)(testing|peers|bench)\//.test(path),
  );

  test.each(files)("%s lists no rubric's signals", async (path) => {
    expect(repeatedIn(await Bun.file(`${INVESTIGATORS}/${path}`).text())).toEqual([]);
  });

  test.each(Object.entries(ENTAILMENTS))("%s entails no rubric's threshold", (_, claims) => {
    expect(thresholdsIn(claims)).toEqual([]);
  });

  test("a list, a log event and a threshold of a rubric are found", () => {
    const list =
      'const own = ["cms_fusion_memory_bytes", "container_memory_usage_bytes", "container_oom_events_total"];';
    expect(repeatedIn(list)).toEqual(["memory-leak: a list"]);
    expect(repeatedIn('const says = { message_flood: "sensor_heartbeat" };')).toContain(
      "message-flood: sensor_heartbeat",
    );
    const [claim] = ENTAILMENTS.memory_leak;
    if (claim === undefined) throw new Error("memory_leak entails nothing");
    const copied = { ...claim, holds: { op: ">", value: 150_000_000 } } as const;
    expect(thresholdsIn([copied])).toEqual(["memory-leak: container_memory_usage_bytes 150000000"]);
  });
});

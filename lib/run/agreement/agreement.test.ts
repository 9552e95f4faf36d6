/** Examines two real incidents live and recorded, and tests the comparison of answers. */
import { describe, expect, test } from "bun:test";
import { messageOf } from "../../base/errors.ts";
import { recordOf } from "../../contract/testing/evidence.ts";
import type { Fact } from "../../contract/citation.ts";
import { createInvestigator } from "../../investigate/registry.ts";
import { preflight } from "../../lab/native/preflight.ts";
import { loadScenario } from "../../../scenarios/load.ts";
import { createRunContext } from "../context.ts";
import { silent } from "../testing/silent.ts";
import { compareCalls, measureAgreement } from "./agreement.ts";

const FIRST_LAB = 7;
const TIMEOUT_MS = 15 * 60_000;

const fact = (value: number): Fact => ({
  signal: "up",
  service: "eo-sensor",
  labels: {},
  value,
  when: "now",
});
const answer = (...values: number[]) => recordOf("E1", "promql", {}, values.map(fact));

describe("compareCalls()", () => {
  test.each([
    ["the same facts in another order are equal", [1, 2], [1, 2], [2, 1], "equal"],
    ["what the lab said too, later, had been on its way", [1], [1, 2], [1, 2], "late arrival"],
    ["what the lab never said is different", [1], [1], [1, 2], "different"],
    ["what the recording lacks is different", [1, 2], [1, 2], [1], "different"],
  ] as const)("%s", (_, live, settled, recorded, verdict) => {
    const [call] = compareCalls([answer(...live)], [answer(...settled)], [answer(...recorded)]);
    expect(call?.verdict).toBe(verdict);
    expect(call?.example === "").toBe(verdict === "equal");
  });
});

test("the size of a sample of spans is no fact of the system, its latency is one", () => {
  const sampled = (measure: string, value: number) =>
    recordOf("E1", "compare", {}, [{ ...fact(value), labels: { measure } }]);
  const verdictOf = (measure: string) =>
    compareCalls([sampled(measure, 4)], [sampled(measure, 4)], [sampled(measure, 5)])[0]?.verdict;
  expect(verdictOf("sampled")).toBe("equal");
  expect(verdictOf("p95_ms")).toBe("different");
});

const canRun = await preflight(FIRST_LAB)
  .then(() => true)
  .catch((error: unknown) => /port/.test(messageOf(error)));

describe.skipIf(!canRun)(
  "a recording answers as its lab did (needs root, Linux and its tools)",
  () => {
    const context = createRunContext({
      signal: new AbortController().signal,
      progress: () => silent,
    });
    // Side by side, each in a lab of its own: most of the time is waiting for a baseline.
    test.concurrent.each([
      ["sensor-down", FIRST_LAB],
      ["message-flood", FIRST_LAB + 1],
    ])(
      "%s",
      async (name, lab) => {
        const found = await measureAgreement(
          context,
          await loadScenario(name),
          createInvestigator("baseline"),
          lab,
        );
        expect(found.calls.filter(({ verdict }) => verdict === "different")).toEqual([]);
        expect(found.calls.length).toBeGreaterThan(2);
        expect(found.recorded).toBe(found.live);
      },
      TIMEOUT_MS,
    );
  },
);

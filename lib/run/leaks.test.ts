import { describe, expect, test } from "bun:test";
import { loadAllScenarios } from "../../scenarios/load.ts";
import { ALERT_RULES_FILE } from "../contract/alert-rules.ts";
import { normLines } from "../contract/norms.ts";
import { leaksIn, mustNotGiveAway, mustNotLeak, secretsOf } from "./leaks.ts";

const scenarios = await loadAllScenarios();
const record = (answer: string) => ({
  id: "E1",
  tool: "logql",
  arguments: {},
  request: [],
  window: null,
  asked_unix_ms: 0,
  duration_ms: 0,
  ok: true,
  answer,
});

describe("leaksIn()", () => {
  test("finds a secret as a word of its own, and not inside another word", () => {
    const secrets = ["memory-leak", "decoy"];
    expect(leaksIn('{"note":"memory-leak injected"}', secrets)).toEqual(["memory-leak"]);
    expect(leaksIn("no-memory-leak-here decoys", secrets)).toEqual([]);
  });
});

test("the alert rules, which every recorded incident holds, give no scenario away", async () => {
  const text = await Bun.file(ALERT_RULES_FILE).text();
  for (const scenario of scenarios) mustNotGiveAway("the file", text, scenario);
});

describe("mustNotLeak()", () => {
  const [scenario] = scenarios;
  if (scenario === undefined) throw new Error("there are scenarios");

  test("a word that the investigator guessed, and an answer repeats, is no leak", () => {
    const guess = { query: `{service_name="eo-sensor"} |= "${scenario.fault.kind}"` };
    const answer = `{"facts":[],"notes":["no data for ${scenario.fault.kind}"]}`;
    expect(() => mustNotLeak([{ ...record(answer), arguments: guess }], scenario)).not.toThrow();
    expect(() => mustNotLeak([record(answer)], scenario)).toThrow(scenario.fault.kind);
  });

  test("a kind of fault that is a plain word gives nothing away", () => {
    const fault = { ...scenario.fault, kind: "none" };
    expect(() => mustNotLeak([record("none")], { name: "quiet", fault })).not.toThrow();
  });

  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s: its fault's kind and the injectors' words are secrets",
    (name, scenario) => {
      const secrets = secretsOf(scenario);
      expect(secrets).toContain(scenario.fault.kind);
      if (name !== "sensor-down") expect(secrets).toContain(name);
      expect(() =>
        mustNotLeak([record("a healthy service; nothing to see")], {
          ...scenario,
          name: "another-name",
        }),
      ).not.toThrow();
      for (const secret of secrets) {
        expect(() => mustNotLeak([record(`log: ${secret}`)], scenario)).toThrow(
          `Call E1 (logql) gives the scenario away: its answer has "${secret}"`,
        );
      }
    },
  );
});

test("the limits, which the inventory tells everybody, give no scenario away", () => {
  const text = normLines().join("\n");
  expect(text).not.toBe("");
  for (const scenario of scenarios) mustNotGiveAway("the inventory", text, scenario);
});

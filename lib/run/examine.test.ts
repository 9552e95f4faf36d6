/** A faulty examination affects only its own row. */
import { expect, test } from "bun:test";
import { systemClock } from "../base/clock.ts";
import type { EvidenceRecord } from "../contract/answer.ts";
import { finished } from "../investigate/finished.ts";
import { random } from "../investigate/floors/random.ts";
import type { Investigator } from "../investigate/investigator.ts";
import { loadScenario } from "../../scenarios/load.ts";
import { couldWrite, examine } from "./examine.ts";

const scenario = await loadScenario("memory-leak");
const FORGED: EvidenceRecord = {
  id: "E1",
  tool: "logql",
  arguments: { query: '{service_name="track-fusion"}' },
  request: [],
  window: null,
  asked_unix_ms: 0,
  duration_ms: 1,
  ok: true,
  answer: JSON.stringify({ facts: [], notes: [`a line: ${scenario.fault.kind}`] }),
};

/** Answers randomly after reading the forged line. */
const reader = (details: Readonly<Record<string, unknown>>): Investigator => ({
  name: "reader",
  investigate: async (input) => {
    const { outcome } = await random.investigate(input);
    if (outcome.kind !== "answered") throw new Error("chance always answers");
    return finished({ answer: outcome.answer, evidence: [FORGED], details });
  },
});

const look = (details: Readonly<Record<string, unknown>>, touched = false) =>
  examine(reader(details), {
    scenario,
    alert: scenario.alertTemplate,
    urls: { grafana: "", prometheus: "", loki: "", tempo: "" },
    budget: { wallMs: 1000, rounds: 1, tokens: 1 },
    seed: 1,
    signal: new AbortController().signal,
    clock: systemClock,
    keep: (line) => line,
    touched,
  });

test("a word that only the lab can have written is the lab's defect", async () => {
  await expect(look({})).rejects.toThrow("gives the scenario away");
});

test.each([[true], [false]])(
  "a line that an external agent may have forged is noted, and voids nothing (unconfined: %p)",
  async (unconfined) => {
    const { investigation, transcript } = await look({ unconfined });
    expect(investigation.outcome.kind).toBe("answered");
    expect(investigation.details["planted"]).toContain("Call E1 (logql)");
    expect(transcript.join("\n")).toContain("perhaps planted");
  },
);

test("nor the runs of those who look at the same system after one who could write to it", async () => {
  expect(couldWrite(await look({ unconfined: true }))).toBe(true);
  expect(couldWrite(await look({ unconfined: false }))).toBe(false);
  const { investigation } = await look({}, true);
  expect(investigation.outcome.kind).toBe("answered");
});

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ALERT_RULES_FILE, parseAlertRules } from "../../contract/alert-rules.ts";
import { AnswerSchema, type SingleFaultAnswer } from "../../contract/answer.ts";
import { checkCitation } from "../../contract/citation.ts";
import { singleFormOf } from "../../contract/testing/answers.ts";
import type { Investigation, InvestigationInput, Investigator } from "../investigator.ts";
import { Simulation } from "../testing/simulation.ts";
import { changed, HEALTHY, simulatedAlert } from "../testing/system.ts";
import { lookupOf } from "./bench/make-lookup.ts";
import { createLatestChange } from "./latest-change.ts";
import { guessFrom, lookup } from "./lookup.ts";
import { classNearest, createLoudest } from "./loudest.ts";
import { random } from "./random.ts";

const REPLACED = changed("esm-sensor", { starts: 1 });
const STARVED = changed("track-fusion", { throttledShare: 0.9, cpuQuota: 3000 });
const simulation = await Simulation.start([REPLACED, STARVED, HEALTHY]);
afterAll(() => simulation[Symbol.asyncDispose]());
setDefaultTimeout(60_000);

const inputOf = (seed: number, name = "Sensor down"): InvestigationInput => ({
  alert: simulatedAlert(name, "track-fusion", "d"),
  urls: { grafana: "g", prometheus: "p", loki: "l", tempo: "t" },
  budget: { wallMs: 1000, rounds: 1, tokens: 0 },
  transcript: { phase: () => {}, note: () => {} },
  seed,
});

function answerOf({ outcome }: Investigation): SingleFaultAnswer {
  if (outcome.kind !== "answered") throw new Error(outcome.reason);
  return singleFormOf(AnswerSchema.parse(outcome.answer));
}
const ask = async (floor: Investigator, input: InvestigationInput): Promise<SingleFaultAnswer> =>
  answerOf(await floor.investigate(input));

describe("random", () => {
  test("the same seed gives the same answer, and seeds together name most classes", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, seed) => ask(random, inputOf(seed))),
    );
    expect(await ask(random, inputOf(7))).toEqual(answers[7] as SingleFaultAnswer);
    expect(new Set(answers.map(({ fault_class }) => fault_class)).size).toBeGreaterThan(12);
    expect(new Set(answers.map(({ culprit }) => culprit)).size).toBe(11);
    const none = answers.filter(({ fault_class }) => fault_class === "none");
    expect(none.every(({ culprit }) => culprit === null)).toBe(true);
    expect(Math.max(...answers.map(({ confidence }) => confidence))).toBeLessThan(0.02);
  });
});

describe("lookup", () => {
  const truth = { culprit: "esm-sensor", fault_class: "hang" } as const;
  const other = { culprit: null, fault_class: "none" } as const;

  test("the table holds the cause of most incidents of an alert, of several the first by name", () => {
    const made = lookupOf(
      [
        { alertName: "A", seed: 3, truth: other },
        { alertName: "A", seed: 1, truth },
        { alertName: "A", seed: 2, truth },
        { alertName: "B", seed: 4, truth: other },
        { alertName: "B", seed: 5, truth },
      ],
      "by hand",
    );
    expect(made.seeds).toEqual([1, 2, 3, 4, 5]);
    expect(made.answers["A"]).toEqual({ ...truth, incidents: 3, agreed: 2 });
    expect(made.answers["B"]).toEqual({ ...truth, incidents: 2, agreed: 1 });
    const guess = guessFrom(made, "A", 9);
    expect(guess).toMatchObject({ culprit: "esm-sensor", faultClass: "hang", confidence: 0.67 });
  });

  test("an incident of the table's own is marked, an unknown alert too", () => {
    const made = lookupOf([{ alertName: "A", seed: 1, truth }], "by hand");
    expect(guessFrom(made, "A", 1).details).toEqual({ in_table: true, seed_in_table: true });
    expect(guessFrom(made, "B", 2)).toMatchObject({
      faultClass: "none",
      confidence: 0,
      details: { in_table: false, seed_in_table: false },
    });
  });

  test("the committed table answers alerts that exist, from the alert's name alone", async () => {
    const rules = parseAlertRules(await Bun.file(ALERT_RULES_FILE).text());
    const { default: table } = await import("./lookup.json");
    const titles = rules.map(({ title }) => title);
    for (const name of Object.keys(table.answers)) expect(titles).toContain(name);
    expect(await ask(lookup, inputOf(1, "Sensor flood"))).toMatchObject({
      culprit: "radar-sensor",
      fault_class: "message_flood",
    });
  });
});

describe("latest-change", () => {
  test("blames the service that was started last, and cites it", async () => {
    const { tools } = simulation.of(REPLACED);
    const result = await createLatestChange({ tools }).investigate(inputOf(1));
    const answer = answerOf(result);
    expect(answer).toMatchObject({ culprit: "esm-sensor", fault_class: "bad_configuration" });
    const [citation] = answer.evidence;
    if (citation === undefined) throw new Error("nothing is cited");
    expect(checkCitation(citation, result.evidence).grounded).toBe(true);
  });

  test("says that nothing is wrong when nobody was started later than the others", async () => {
    const { tools } = simulation.of(HEALTHY);
    expect(await ask(createLatestChange({ tools }), inputOf(1))).toMatchObject({
      culprit: null,
      fault_class: "none",
    });
  });
});

describe("loudest", () => {
  test("blames the service of the alert, with the class nearest to the loudest metric", async () => {
    const { tools } = simulation.of(STARVED);
    const answer = await ask(createLoudest({ tools }), inputOf(1));
    expect(answer).toMatchObject({ culprit: "track-fusion", fault_class: "cpu_starvation" });
  });

  test.each([
    ["container_oom_events_total", "oom_kill"],
    ["container_memory_usage_bytes", "memory_leak"],
    ["container_network_receive_bytes_total", "network_partition"],
    ["cms_sensor_published_total", "message_flood"],
    ["cms_dds_incompatible_qos_total", "qos_mismatch"],
    ["cms_fusion_queue_depth", "downstream_backpressure"],
    ["something_else", "data_quality"],
  ] as const)("%s sounds like %s", (signal, faultClass) => {
    expect(classNearest(signal)).toBe(faultClass);
  });
});

import { describe, expect, test } from "bun:test";
import type { Fact } from "../../contract/citation.ts";
import { difficultyOf, hopsBetween, pillarOf, tierOf } from "./difficulty.ts";

const pair = (service: string, signal: string, before: number, during: number): Fact[] =>
  [
    { when: "before", value: before },
    { when: "during", value: during },
  ].map((one) => ({ signal, service, labels: {}, ...one }));

const truth = {
  faults: [
    {
      culprit: "esm-sensor" as const,
      fault_class: "qos_mismatch" as const,
      also_accept: [],
      remediation: { actions: ["correct_qos_profile" as const], target: "esm-sensor" as const },
    },
  ],
};

describe("difficultyOf()", () => {
  test("counts pillars of the guilty service beyond the noise of the innocent ones", () => {
    const facts = [
      ...pair("esm-sensor", "cms_dds_matched_endpoints", 2, 0),
      ...pair("esm-sensor", "container_cpu_usage_seconds_total", 0.02, 0.021),
      ...pair("esm-sensor", "dds_incompatible_qos", 0, 3),
      ...pair("command-center", "container_cpu_usage_seconds_total", 0.02, 0.03),
      // Services downstream change as a consequence, which is no noise.
      ...pair("track-fusion", "cms_fusion_ingested_total", 15, 0),
    ];
    const found = difficultyOf({ facts, alerted: "track-fusion", truth, benign: 0 });
    expect(found).toMatchObject({ hops: 1, pillars: ["logs", "dds"], faults: 1, benign: 0 });
    expect(found.effect).toBeGreaterThan(10);
    expect(found.tier).toBe("medium");
  });

  test("a change no larger than the noise shows nothing", () => {
    const facts = [
      ...pair("esm-sensor", "cms_sensor_published_total", 10, 14),
      ...pair("command-center", "cms_orders_issued_total", 1, 2),
    ];
    expect(difficultyOf({ facts, alerted: "esm-sensor", truth, benign: 1 })).toMatchObject({
      pillars: [],
      effect: 0,
      tier: "hard",
    });
  });

  test("a value that vanished is a change, one that stayed a word is none", () => {
    const [before] = pair("esm-sensor", "up", 1, 0);
    const word = (when: string): Fact => ({
      signal: "container_state",
      service: "esm-sensor",
      labels: {},
      value: "running",
      when,
    });
    const facts = [...(before === undefined ? [] : [before]), word("before"), word("during")];
    const found = difficultyOf({ facts, alerted: "esm-sensor", truth, benign: 0 });
    expect(found.pillars).toEqual(["runtime"]);
  });
});

test("hops follow the data in both directions", () => {
  expect(hopsBetween("esm-sensor", "esm-sensor")).toBe(0);
  expect(hopsBetween("esm-sensor", "track-fusion")).toBe(1);
  expect(hopsBetween("effector-manager", "command-center")).toBe(1);
  // Through the display, which receives everything.
  expect(hopsBetween("radar-sensor", "command-center")).toBe(2);
});

test("every signal has a pillar", () => {
  expect(["up", "cms_dds_samples_lost_total", "cms_orders_issued_total"].map(pillarOf)).toEqual([
    "runtime",
    "dds",
    "metrics",
  ]);
  expect(["sensor_heartbeat", "fusion.ingest"].map(pillarOf)).toEqual(["logs", "traces"]);
});

test.each([
  [{ hops: 0, pillars: 4, effect: 9, faults: 1, benign: 0 }, "easy"],
  [{ hops: 1, pillars: 2, effect: 9, faults: 1, benign: 0 }, "medium"],
  [{ hops: 1, pillars: 2, effect: 1, faults: 1, benign: 0 }, "hard"],
  [{ hops: 1, pillars: 3, effect: 9, faults: 2, benign: 1 }, "medium"],
] as const)("%p is %s", ({ pillars, ...rest }, tier) => {
  const names = (["metrics", "logs", "traces", "runtime"] as const).slice(0, pillars);
  expect(tierOf({ ...rest, pillars: [...names] })).toBe(tier);
});

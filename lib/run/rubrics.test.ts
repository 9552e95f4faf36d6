/**
 * Checks every rubric with answers without a diagnosis: facts of a healthy system must earn almost
 * no points.
 */
import { describe, expect, test } from "bun:test";
import {
  type Answer,
  answerOf,
  type Citation,
  type SingleFaultAnswer,
} from "../contract/answer.ts";
import type { Fact } from "../contract/citation.ts";
import { recordOf } from "../contract/testing/evidence.ts";
import { SERVICE_LIMITS, SERVICES } from "../contract/topology.ts";
import { FAULTS } from "../investigate/faults/registry.ts";
import { serviceOf, signalOf } from "../investigate/tools/naming.ts";
import { score } from "../score/score.ts";
import { scenarioOf } from "../../scenarios/compose.ts";
import { loadAllScenarios } from "../../scenarios/load.ts";
import { allPairs } from "../../scenarios/space.ts";

const scenarios = [
  ...(await loadAllScenarios()),
  // One target of each kind: the others differ by name alone.
  ...[...Map.groupBy(await allPairs(), ({ kind }) => kind.name).values()].map((draws) =>
    scenarioOf(draws.slice(0, 1)),
  ),
];

const fact = (
  signal: string,
  service: string | null,
  value: number | string,
  labels = {},
): Fact => ({
  signal,
  service,
  value,
  labels,
  when: "during",
});

/** The facts of a healthy system, as the comparison tool returns them. */
const HEALTHY: readonly Fact[] = [
  ...SERVICES.flatMap((service) => [
    fact("container_state", service, "running"),
    fact("up", service, 1),
    fact("container_spec_cpu_quota", service, 0),
    fact("container_spec_memory_limit_bytes", service, SERVICE_LIMITS.memoryBytes),
    fact("container_oom_events_total", service, 0),
    fact("container_cpu_usage_seconds_total", service, 0.02),
    fact("container_cpu_cfs_throttled_seconds_total", service, 0),
    fact("container_network_receive_bytes_total", service, 4000),
    fact("container_memory_usage_bytes", service, 80_000_000),
    fact("cms_dds_matched_endpoints", service, 3, { topic: "SourceTrackTopic" }),
  ]),
  fact("cms_sensor_published_total", "radar-sensor", 30),
  fact("cms_sensor_published_total", "esm-sensor", 14),
  fact("cms_fusion_ingested_total", "track-fusion", 30, { sensor_id: "RADAR-1" }),
  fact("cms_fusion_ingested_total", "track-fusion", 14, { sensor_id: "ESM-2" }),
  fact("cms_fusion_queue_depth", "track-fusion", 0),
  fact("cms_fusion_processing_seconds", "track-fusion", 0.002),
  fact("cms_fusion_memory_bytes", "track-fusion", 80_000_000),
  fact("cms_fusion_contributors_changed_total", "track-fusion", 0, { change: "removed" }),
];

/** The raw counters of the same system, as a careless query returns them. */
const COUNTERS: readonly Fact[] = [
  fact("cms_sensor_published_total", "radar-sensor", 90_000),
  fact("cms_sensor_published_total", "esm-sensor", 40_000),
  fact("cms_fusion_ingested_total", "track-fusion", 90_000),
  fact("cms_fusion_published_total", "track-fusion", 90_000),
  fact("cms_fusion_processing_seconds", "track-fusion", 90_000),
  fact("cms_fusion_contributors_changed_total", "track-fusion", 9, { change: "added" }),
  fact("container_cpu_usage_seconds_total", "track-fusion", 300),
];

const RECORDS = [
  recordOf("E1", "compare", { service: "all" }, HEALTHY),
  recordOf("E2", "promql", { query: '{__name__=~".+"}' }, COUNTERS),
];

const citations = (id: string, facts: readonly Fact[]): Citation[] =>
  facts.map(({ signal, service, value }) => ({
    call_id: id,
    signal,
    service: service as Citation["service"],
    value,
    claim: `${signal} proves it`,
  }));

/** Names no service and no fault class, but cites everything. */
const STUFFED: SingleFaultAnswer = {
  culprit: null,
  fault_class: "unknown",
  mechanism: "memory_leak cpu_starvation qos_mismatch network_partition message_flood",
  onset: null,
  causal_chain: [],
  evidence: [...citations("E1", HEALTHY), ...citations("E2", COUNTERS)],
  remediation: { action: "gather_more_evidence", target: null, parameters: {}, prose: "all of it" },
  confidence: 0.5,
  alternatives: [],
};

describe("an answer that cites a whole healthy system", () => {
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s: earns what is as usual, and nothing else",
    (_, { truth }) => {
      const got = score(answerOf(STUFFED), truth, RECORDS, {
        injectedUnixMs: null,
        evidenceFromUnixMs: 0,
      });
      const earned = got.items.filter(({ points }) => points > 0).map(({ id }) => id);
      const asUsual = truth.evidence.filter(({ as_usual }) => as_usual === true);
      expect(earned).toEqual(asUsual.map(({ id }) => id));
      expect(got).toMatchObject({ correct: false, mechanism: false, invented_citations: 0 });
    },
  );
});

describe("an answer that knows nothing", () => {
  const silent: Answer = answerOf({ ...STUFFED, evidence: [] });
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s: earns nothing, though a control names no service either",
    (_, { truth, control }) => {
      const got = score(silent, truth, [], { injectedUnixMs: null, evidenceFromUnixMs: 0 });
      expect(got.items[0]?.reason).toContain(control ? "not that nothing is wrong" : "right is ");
      expect(got).toMatchObject({ points: 0, component: false, correct: false, brier: 1 });
    },
  );
});

describe("an answer that calls everything healthy", () => {
  const healthy: Answer = answerOf({
    ...STUFFED,
    fault_class: "none",
    remediation: { ...STUFFED.remediation, action: "no_action" },
    evidence: [],
  });
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s: is right for the controls alone",
    (_, { truth, control }) => {
      const got = score(healthy, truth, [], { injectedUnixMs: null, evidenceFromUnixMs: 0 });
      expect(got.correct).toBe(control);
      expect(got.points).toBe(control ? 2 : 0);
    },
  );
});

describe("what the built-in rules ask is a plain read for the score", () => {
  /** The pieces of a scenario's evidence that the value of a claim's query shows. */
  function shownBy(scenario: string, query: string, value: number): string[] {
    const { truth } = scenarios.find(({ name }) => name === scenario) ?? {};
    if (truth === undefined) throw new Error(`there is no ${scenario}`);
    const read = fact(signalOf(query, {}), serviceOf(query, {}), value);
    const records = [recordOf("E1", "promql", { query }, [read])];
    const answer = answerOf({ ...STUFFED, evidence: citations("E1", [read]) });
    const times = { injectedUnixMs: null, evidenceFromUnixMs: 0 };
    const { items } = score(answer, truth, records, times);
    return items.filter(({ points }) => points > 0).map(({ id }) => id);
  }

  /** The query of a claim about track-fusion. */
  function queryFor(claims: readonly { claim: string; promql: string }[], claim: string): string {
    const found = claims.find((each) => each.claim === claim);
    if (found === undefined) throw new Error(`no rule claims that ${claim}`);
    return found.promql.replaceAll("$service", "track-fusion");
  }
  const leak = FAULTS.memory_leak.entails;
  const none = FAULTS.none.entails;
  if (typeof leak === "function" || typeof none !== "function") throw new Error("other rules");

  test("the slope of a leak, in bytes per second", () => {
    const growth = queryFor(leak, "its memory grows without a pause");
    expect(shownBy("memory-leak", growth, 460_000)).toEqual(["growth"]);
    expect(shownBy("memory-leak", growth, 20_000)).toEqual([]);
  });

  test("that no alert fires, counted", () => {
    const silence = queryFor(none([]), "no alert fires");
    expect(shownBy("healthy", silence, 0)).toEqual(["resolved"]);
    expect(shownBy("healthy", silence, 1)).toEqual([]);
  });
});

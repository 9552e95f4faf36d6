import { describe, expect, test } from "bun:test";
import { recordOf } from "../contract/testing/evidence.ts";
import type { Fact } from "../contract/citation.ts";
import type { AcceptedSignal } from "../truth/truth.ts";
import { findShown } from "./evidence.ts";

const SINCE = Date.parse("2026-01-01T00:01:00.000Z");

const RATE: AcceptedSignal = {
  signal: "cms_sensor_published_total",
  as: "rate",
  holds: { op: ">", value: 100 },
};

function shows(
  accepted: AcceptedSignal,
  fact: Partial<Fact>,
  args: Record<string, unknown> = {},
  tool = "promql",
): boolean {
  const record = recordOf("E1", tool, args, []);
  const labels = { instance: "radar-sensor:9101" };
  const whole = { signal: accepted.signal, service: "radar-sensor", labels, when: "now" };
  const expected = {
    id: "x",
    kind: "metric" as const,
    describe: "x",
    any_of: [accepted],
    service: "radar-sensor" as const,
  };
  const cited = [{ fact: { ...whole, value: 600, ...fact }, record }];
  return findShown(expected, cited, SINCE) !== undefined;
}

const q = (query: string) => ({ query });
const BARE_RATE = "rate(cms_sensor_published_total[1m])";
const COUNTER = 'cms_sensor_published_total{sensor_id="RADAR-1"}';

describe("a counter that must be a rate", () => {
  test.each([
    ["rate()", `sum(rate(${COUNTER}[1m]))`, 600, true],
    ["irate()", `irate(${COUNTER}[1m])`, 600, true],
    ["an increase over a minute, 600 a second", `increase(${COUNTER}[1m])`, 36_000, true],
    ["an increase over a minute, 30 a second", `increase(${COUNTER}[1m])`, 1800, false],
    ["the bare counter, which grows in health too", COUNTER, 90_000, false],
    ["arithmetic that makes any number", `rate(${COUNTER}[1m]) * 0 + 600`, 600, false],
    ["a number that stands in for it", `rate(${COUNTER}[1m]) or vector(600)`, 600, false],
    ["a comparison as a number", `rate(${COUNTER}[1m]) > bool 1`, 600, false],
  ])("%s: %s = %p", (_, query, value, holds) => {
    expect(shows(RATE, { value }, q(query))).toBe(holds);
  });

  test("a comparison of before with during shows rates by itself", () => {
    expect(shows(RATE, { when: "during" }, { service: "all" }, "compare")).toBe(true);
    expect(shows(RATE, { when: "before" }, { service: "all" }, "compare")).toBe(false);
  });

  test("a number of series is no measurement", () => {
    const labels = { meaning: "number of series" };
    const plain = { signal: "up", holds: { op: ">", value: 0 } } as const;
    expect(shows(plain, { value: 3, labels }, { service: "radar-sensor" }, "catalogue")).toBe(
      false,
    );
  });
});

describe("what is not of the incident shows nothing of it", () => {
  test.each([
    ["2026-01-01T00:00:30.000Z", false],
    ["2026-01-01T00:01:30.000Z", true],
    ["2026-01-01T00:00:59.000Z", true],
    ["now", true],
  ])("%s", (when, holds) => {
    expect(shows({ signal: "sensor_started" }, { when, value: "line" })).toBe(holds);
  });

  test("a query that looks back is not of now", () => {
    const up = { signal: "up", holds: { op: "==", value: 1 } } as const;
    expect(shows(up, { value: 1 }, q("up offset 5m"))).toBe(false);
    expect(shows(up, { value: 1 }, q("up @ 1767225600"))).toBe(false);
    expect(shows(up, { value: 1 }, q('up{job="a@b offset"}'))).toBe(true);
  });
});

describe("labels, services and measures", () => {
  const labelled: AcceptedSignal = { ...RATE, labels: { sensor_id: "RADAR-1" } };

  test("a label may stand in the result, or in what the query selected by", () => {
    expect(shows(labelled, { labels: { sensor_id: "RADAR-1" } }, q(BARE_RATE))).toBe(true);
    expect(shows(labelled, {}, q(`sum(rate(${COUNTER}[1m]))`))).toBe(true);
    expect(shows(labelled, {}, q(`sum(${BARE_RATE})`))).toBe(false);
  });

  test("a name that a query has put there is not a service's", () => {
    const renamed = 'label_replace(up, "name", "radar-sensor", "", "")';
    expect(shows({ signal: "up", holds: { op: "==", value: 1 } }, { value: 1 }, q(renamed))).toBe(
      false,
    );
  });

  test("a signal may be about another service than its piece of evidence", () => {
    const up: AcceptedSignal = { signal: "up", service: "esm-sensor" };
    expect(shows(up, { service: "esm-sensor" })).toBe(true);
    expect(shows(up, { service: "radar-sensor" })).toBe(false);
  });

  test.each([
    ["histogram_quantile(0.95, sum by (le) (rate(cms_x_bucket[1m])))", true],
    ["rate(cms_x_sum[1m]) / rate(cms_x_count[1m])", true],
    ["cms_x_count", false],
    ["rate(cms_x_bucket[1m])", false],
  ])("a duration is a quantile or an average: %s", (query, holds) => {
    const duration: AcceptedSignal = {
      signal: "cms_x",
      as: "duration",
      holds: { op: ">", value: 0.5 },
    };
    expect(shows(duration, { value: 2 }, q(query))).toBe(holds);
  });

  test("the least of all is what min() says", () => {
    const least: AcceptedSignal = { signal: "up", as: "least", holds: { op: ">", value: 0 } };
    expect(shows(least, { value: 1 }, q("min(up)"))).toBe(true);
    expect(shows(least, { value: 1 }, q("max(up)"))).toBe(false);
  });

  test("what an agent asked Grafana by itself is read the same way", () => {
    const path = (query: string) => ({
      path: `/api/datasources/proxy/uid/p/api/v1/query?${new URLSearchParams({ query }).toString()}`,
    });
    expect(shows(RATE, {}, path(`rate(${COUNTER}[1m])`), "grafana")).toBe(true);
    expect(shows(RATE, {}, path(COUNTER), "grafana")).toBe(false);
  });

  test("text holds by containing, and a number never equals a word", () => {
    const target: AcceptedSignal = {
      signal: "sensor_started",
      holds: { op: "contains", value: "200" },
    };
    const logs = q('{service_name="radar-sensor"} |= "sensor_started"');
    expect(shows(target, { value: '{"target_rate_hz":200}' }, logs, "logql")).toBe(true);
    expect(shows(target, { value: '{"target_rate_hz":10}' }, logs, "logql")).toBe(false);
    const forged = q('{service_name="radar-sensor"} | line_format "200"');
    expect(shows(target, { value: "200" }, forged, "logql")).toBe(false);
    const named: AcceptedSignal = { signal: "dds_incompatible_qos" };
    expect(shows(named, { value: "{}" }, q('{a="b"} |= "incompatible"'), "logql")).toBe(true);
    for (const stage of ['line_format "{}"', 'label_format event="dds_incompatible_qos"']) {
      expect(shows(named, { value: "{}" }, q(`{a="b"} | ${stage}`), "logql")).toBe(false);
    }
  });
});

describe("what a query computes", () => {
  const UP: AcceptedSignal = { signal: "up", holds: { op: "==", value: 0 } };
  const OWN = 'up{instance="radar-sensor:9101"}';
  test.each([
    ["the series itself", OWN, 0, true],
    ["harmless arithmetic", `${OWN} - vector(0)`, 0, true],
    ["the rule's own query, whose 1 says that up is 0", `(1 - ${OWN}) > 0`, 1, true],
    ["the rule's own query, whose 0 says that up is 1", `1 - ${OWN}`, 0, false],
    ["a value that nothing was read for", `${OWN} or vector(0)`, 0, false],
    ["another service's series", 'sum(up{instance="eo-sensor:9103"})', 0, false],
    ["a name in the filter alone", 'sum(up) unless up{instance="radar-sensor:9101"} > 1', 0, false],
  ])("%s: %s = %p", (_, query, value, holds) => {
    expect(shows(UP, { value, labels: {} }, q(query))).toBe(holds);
  });

  test("a factor beside an average does not make a rate or a duration", () => {
    const query = `rate(${COUNTER}[1m]) * 10 or a_sum / a_count`;
    expect(shows(RATE, { value: 300 }, q(query))).toBe(false);
    const duration: AcceptedSignal = {
      signal: "cms_x",
      as: "duration",
      holds: { op: ">", value: 0.5 },
    };
    const labels = { instance: "radar-sensor:9101" };
    const average = "rate(cms_x_sum[1m]) / rate(cms_x_count[1m]) * 1000";
    expect(shows(duration, { value: 2, labels }, q(average))).toBe(false);
    expect(shows(duration, { value: 2000, labels }, q(average))).toBe(true);
  });

  test("an empty count is what it says, for exactly the selection that is asked for", () => {
    const silent: AcceptedSignal = {
      signal: "ALERTS",
      labels: { alertstate: "firing" },
      as: "count",
      holds: { op: "==", value: 0 },
    };
    const count = (selector: string) => q(`count(ALERTS${selector}) or vector(0)`);
    const system = { value: 0, service: null };
    const ofSystem = (query: { query: string }): boolean => {
      const record = recordOf("E1", "promql", query, []);
      const fact = { signal: "ALERTS", labels: {}, when: "now", ...system };
      const expected = {
        id: "x",
        kind: "metric" as const,
        describe: "x",
        any_of: [silent],
      };
      return findShown(expected, [{ fact, record }], SINCE) !== undefined;
    };
    expect(ofSystem(count('{alertstate="firing"}'))).toBe(true);
    expect(ofSystem(count(""))).toBe(true);
    expect(ofSystem(count('{alertstate="firing",alertname="nothing"}'))).toBe(false);
    expect(ofSystem(count('{alertstate=~"none"}'))).toBe(false);
    expect(ofSystem(q('sum(ALERTS{alertstate="firing"}) or vector(0)'))).toBe(false);
  });

  test("a slope shows growth, and is no amount of memory", () => {
    const memory: AcceptedSignal = { signal: "m_bytes", holds: { op: ">", value: 100 } };
    const labels = { name: "radar-sensor" };
    const slope = q('deriv(m_bytes{name="radar-sensor"}[1m])');
    expect(shows(memory, { value: 600, labels }, slope)).toBe(false);
    expect(shows({ ...memory, as: "rate" }, { value: 600, labels }, slope)).toBe(true);
    expect(shows({ ...memory, as: "rate" }, { value: 600, when: "during" }, {}, "compare")).toBe(
      false,
    );
  });
});

/**
 * Evaluates every alert rule with Prometheus' promtool on synthetic systems: it must fire on its
 * fault, resolve afterwards, and not fire on harmless changes.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../base/shell.ts";
import { ALERT_RULES_FILE, type AlertRule, parseAlertRules } from "../../contract/alert-rules.ts";
import { SERVICES, type ServiceName } from "../../contract/topology.ts";
import {
  HEALTHY,
  type InputSeries,
  type Moment,
  seriesOf,
  STEP_SECONDS,
} from "../testing/alert-system.ts";
import { prometheusRules } from "./prometheus-config.ts";

const rules = parseAlertRules(
  readFileSync(new URL(`../../../${ALERT_RULES_FILE}`, import.meta.url), "utf8"),
);

/** Length of a synthetic system, and the time of its fault, in seconds. */
const END = 600;
const QUIET_END = 420;
const BROKEN = { from: 150, to: 330 };
/** After the longest wait of a rule, its window and a margin. */
const RESOLVED = BROKEN.to + 180;

type Change = Partial<Moment>;
const allDown: Change = { down: SERVICES };

/** The change that makes each rule fire, by uid. */
const FIRES: Readonly<Record<string, Change | ((second: number) => Change)>> = {
  "sensor-down": { down: ["esm-sensor"] },
  "fusion-latency-high": slow("cms_fusion_processing_seconds", 2),
  "tactical-tracks-collapsed": { fusionTracks: 2 },
  "sensor-flood": { sensorRates: { ...HEALTHY.sensorRates, "RADAR-1": 600 } },
  "fusion-queue-deep": { queueDepth: 1500 },
  "fusion-contributors-dropped": { contributorsRemoved: 0.1 },
  "fusion-memory-elevated": { fusionMemoryBytes: 220e6 },
  "service-down": { down: ["threat-evaluator"] },
  "service-restarting": (second) => (second % 20 === 0 ? { starting: ["command-center"] } : {}),
  "sensor-rate-off": { sensorRates: { ...HEALTHY.sensorRates, "EO-3": 2 } },
  "sensor-latency-high": slow("cms_sensor_publish_seconds", 0.4),
  "evaluation-latency-high": slow("cms_threat_processing_seconds", 2),
  "command-latency-high": slow("cms_command_processing_seconds", 2),
  "engagement-latency-high": slow("cms_engagement_duration_seconds", 25),
  "fusion-stalled": { fusionPublished: 0 },
  "evaluation-stalled": { evaluated: 0 },
  "command-stalled": { orders: 0 },
  "engagement-stalled": { transitions: 0 },
  "picture-stale": { displayed: 0 },
  "picture-crowded": { displayTracks: 6 },
  "picture-late": slow("cms_display_track_age_seconds", 8),
  "telemetry-missing": { silent: ["effector-manager"] },
  "memory-high": { memoryBytes: { "tactical-display": 230e6 } },
  "log-volume-high": { logRates: { "eo-sensor": 100 } },
};

/** Changes that must not make any rule fire. */
const HARMLESS: readonly (readonly [string, (second: number) => Change])[] = [
  ["a healthy system", () => ({})],
  ["the start of a lab", startOfLab],
  ...SERVICES.map((service) => [`a restart of ${service}`, restartOf(service, 150)] as const),
  ["a rollout of all services", rollout],
  ["a fault of a minute and its repair", twoRestarts],
  ...SERVICES.map(
    (service) =>
      [`one missed scrape of ${service}`, during(200, STEP_SECONDS, { down: [service] })] as const,
  ),
  ["one missed scrape of all", during(200, STEP_SECONDS, allDown)],
  ["one missed push of all", during(200, 2 * STEP_SECONDS, { silent: SERVICES })],
  [
    "a sensor that looks a fifth more often",
    during(150, QUIET_END, { sensorRates: { ...HEALTHY.sensorRates, "ESM-2": 18 } }),
  ],
  ["a burst of log lines", during(200, 10, { logRates: { "track-fusion": 60 } })],
];

function slow(name: keyof Moment["latencies"], seconds: number): Change {
  return { latencies: { ...HEALTHY.latencies, [name]: seconds } };
}

function during(from: number, seconds: number, change: Change): (second: number) => Change {
  return (second) => (second >= from && second < from + seconds ? change : {});
}

/** The services start within twenty seconds; tracks follow. */
function startOfLab(second: number): Change {
  if (second > 30) return {};
  const down = SERVICES.filter((_, i) => second < 2.5 * i);
  const nothing = { fusionTracks: 0, displayTracks: 0, fusionPublished: 0, evaluated: 0 };
  return { down, ...nothing, orders: 0, transitions: 0, displayed: 0 };
}

/** The service is absent for ten seconds; services downstream receive nothing during that time. */
function restartOf(service: ServiceName, from: number): (second: number) => Change {
  return (second) => {
    if (second < from || second >= from + 20) return {};
    if (second === from + 10) return { starting: [service], ...behind(service) };
    if (second > from + 10) return service === "track-fusion" ? { displayTracks: 6 } : {};
    return { down: [service], ...behind(service) };
  };
}

function behind(service: ServiceName): Change {
  if (service === "track-fusion") return { fusionTracks: 0, evaluated: 0, displayed: 0 };
  return service === "threat-evaluator" ? { orders: 0 } : {};
}

function rollout(second: number): Change {
  const changes = SERVICES.map((service, i) => restartOf(service, 100 + 25 * i)(second));
  return Object.assign({}, ...changes) as Change;
}

function twoRestarts(second: number): Change {
  return second === 150 || second === 210 ? { starting: ["esm-sensor"] } : {};
}

interface Expectation {
  readonly expr: string;
  readonly at: number;
  readonly samples: readonly { labels: string; value: number }[];
}

interface PromtoolTest {
  readonly name: string;
  readonly input: readonly InputSeries[];
  readonly expected: readonly Expectation[];
}

const NOTHING: readonly [] = [];
const YES = [{ labels: "{}", value: 1 }];

/** The expectations for one rule over its test case. */
function firesAndResolves(rule: AlertRule): PromtoolTest {
  const change = FIRES[rule.uid] ?? {};
  const input = seriesOf(END, (second) => ({
    ...HEALTHY,
    ...(second < BROKEN.from || second >= BROKEN.to
      ? {}
      : typeof change === "function"
        ? change(second)
        : change),
  })).filter(({ series }) => rule.expr.includes(series.slice(0, series.indexOf("{"))));
  const firing = `ALERTS{alertstate="firing",uid="${rule.uid}"}`;
  const ever = (seconds: number): string => `group(count_over_time(${firing}[${seconds}s]))`;
  return {
    name: rule.uid,
    input,
    expected: [
      { expr: ever(BROKEN.from), at: BROKEN.from, samples: NOTHING },
      { expr: `group(${firing})`, at: BROKEN.to - 10, samples: YES },
      // Grafana treats a value of 0 as normal.
      { expr: `group((${rule.expr}) == 0)`, at: BROKEN.to - 10, samples: NOTHING },
      { expr: ever(END - RESOLVED), at: END, samples: NOTHING },
    ],
  };
}

function staysQuiet(name: string, change: (second: number) => Change): PromtoolTest {
  return {
    name,
    input: seriesOf(QUIET_END, (second) => ({ ...HEALTHY, ...change(second) })),
    expected: [
      {
        expr: `group by (uid) (count_over_time(ALERTS{alertstate="firing"}[${QUIET_END}s]))`,
        at: QUIET_END,
        samples: NOTHING,
      },
    ],
  };
}

describe("the alert rules, by promtool", () => {
  let folder = "";
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "alert-rules-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function promtool(tests: readonly PromtoolTest[]): Promise<string> {
    const file = join(folder, "tests.yml");
    await Bun.write(join(folder, "rules.yml"), prometheusRules(rules));
    await Bun.write(
      file,
      JSON.stringify({
        rule_files: ["rules.yml"],
        evaluation_interval: "10s",
        tests: tests.map(({ name, input, expected }) => ({
          name,
          interval: `${STEP_SECONDS}s`,
          input_series: input,
          promql_expr_test: expected.map(({ expr, at, samples }) => ({
            expr,
            eval_time: `${at}s`,
            exp_samples: samples,
          })),
        })),
      }),
    );
    const { code, stdout, stderr } = await run([
      Bun.which("promtool") ?? "promtool",
      "test",
      "rules",
      file,
    ]);
    return code === 0 ? "" : `${stdout}${stderr}`;
  }

  test("have a case each, and no case is left over", () => {
    expect(Object.keys(FIRES).toSorted()).toEqual(rules.map(({ uid }) => uid).toSorted());
  });

  test("fire with a value that is not 0 while something is wrong, and resolve afterwards", async () => {
    expect(await promtool(rules.map(firesAndResolves))).toBe("");
  });

  test("stay quiet over harmless changes", async () => {
    expect(await promtool(HARMLESS.map(([name, change]) => staysQuiet(name, change)))).toBe("");
  });

  test("would be caught: a rule that never fires, and one that fires for a restart", async () => {
    const [rule] = rules;
    if (rule === undefined) throw new Error("the file has no rule");
    const healthy = { ...firesAndResolves(rule), input: seriesOf(END, () => HEALTHY) };
    expect(await promtool([healthy])).toContain("FAILED");
    const long = during(150, 60, { down: ["eo-sensor"] });
    expect(await promtool([staysQuiet("a minute without a sensor", long)])).toContain(
      "service-down",
    );
  });
});

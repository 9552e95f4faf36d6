/**
 * Checks that every declared metric, log event and span arrives, by reading it from the Prometheus,
 * Loki and Tempo APIs of a real lab. Signals that a healthy system does not emit are provoked.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createPrometheusClient } from "../../base/prometheus.ts";
import { createPrng } from "../../base/prng.ts";
import { waitUntil } from "../../base/wait.ts";
import {
  CONTAINER_METRICS,
  type LogEvent,
  LOGS,
  type LogSpec,
  METRICS,
  type MetricSpec,
  ON_SHUTDOWN,
  PUSHED_METRIC_PREFIX,
  SPANS,
  type SpanSpec,
} from "../../contract/telemetry.ts";
import { downstreamOf, SERVICES, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";
import type { Lab } from "../lab.ts";
import { edgeOf, ServiceGraph } from "./service-graph.ts";
import { SignalMatrix } from "./signal-matrix.ts";
import { type SpanRecord, TelemetryReader } from "./telemetry-reader.ts";

const TEST_TIMEOUT_MS = 480_000;
/** A heartbeat is due every 30 s; allows for a loaded machine. */
const DEADLINE_MS = 180_000;
/** Cores: too few for a sensor that scans 1,000 times per second, so that it runs late. */
const TOO_FEW_CORES = 0.1;

/** Attributes of every span about its DDS hop. */
const MESSAGING_ATTRIBUTES = [
  "messaging.system",
  "messaging.destination.name",
  "messaging.operation.name",
  "messaging.operation.type",
];

/** Declared events that cannot be provoked in a lab, with the reason. */
const NOT_PROVOKED: Partial<Record<LogEvent, string>> = {
  loop_debug: "needs logging for debugging; lib/service/hooks.test.ts has it",
  message_rejected:
    "needs a writer that is not of the CMS; lib/service/bus.test.ts makes the bus say it",
  mission_order_expired:
    "needs an order older than it holds; services/effector-manager/effector.test.ts has one",
  service_crashed: "needs a defect; lib/service/ending.test.ts has a service with one",
};

const SENSORS = SERVICES.filter((name) => TOPOLOGY[name].sensorId !== undefined);

export interface SignalSuite {
  readonly makeLab: () => Lab;
  /** The part of the lab that receives the services' telemetry. */
  readonly ingress: string;
}

/** Waits until `missing` returns nothing. */
async function untilNoneIsMissing(what: string, missing: () => Promise<string[]>): Promise<void> {
  await waitUntil(
    async () => {
      const left = await missing();
      return { ok: left.length === 0, seen: `missing: ${left.join("; ")}` };
    },
    { what, deadlineMs: DEADLINE_MS, intervalMs: 1000 },
  );
}

/** Runs the suite on a lab of its own. */
export function runSignalSuite({ makeLab, ingress }: SignalSuite): void {
  setDefaultTimeout(TEST_TIMEOUT_MS);
  let lab: Lab;
  let reader: TelemetryReader;
  let matrix: SignalMatrix;

  beforeAll(async () => {
    lab = makeLab();
    await lab.up();
    reader = new TelemetryReader(lab.ports);
    matrix = new SignalMatrix(lab.ports);
  });
  afterAll(() => lab.down());

  const prometheus = () => createPrometheusClient(`http://127.0.0.1:${lab.ports.prometheus}`);

  test("metrics: both copies of every row, with labels, closed values and buckets", async () => {
    // It appears with the first refusal: the set of policies is open.
    const isLater = (name: string): boolean => name === "cms_dds_incompatible_qos_total";
    await untilNoneIsMissing("every metric", () => matrix.metricProblems((name) => !isLater(name)));
  });

  test("metrics: every fact about process groups, of every service", async () => {
    await untilNoneIsMissing("every fact", async () => {
      const found = await Promise.all(
        Object.keys(CONTAINER_METRICS).map(async (name) => {
          const samples = await prometheus().instant(name);
          const seen = new Set(samples.map(({ labels }) => labels["name"]));
          const wanted = name === "container_exit_code" ? [] : SERVICES;
          return wanted.filter((service) => !seen.has(service)).map((s) => `${name} of ${s}`);
        }),
      );
      return found.flat();
    });
    await lab.stop("eo-sensor");
    await untilNoneIsMissing("an exit code", async () => {
      const samples = await prometheus().instant('container_exit_code{name="eo-sensor"}');
      const code = samples[0]?.value;
      return code === 0 ? [] : [`container_exit_code of eo-sensor, but ${code}`];
    });
    await lab.start("eo-sensor");
  });

  test("one sample counts once: a rule's metric has one scraped series per instance", async () => {
    const pushed = await prometheus().instant('count({__name__=~"cms_.+",job!="cms-services"})');
    expect(pushed).toEqual([]);
    const scraped = await prometheus().instant('count({__name__=~"otlp_.+",job!="otlp"})');
    expect(scraped).toEqual([]);
  });

  test("logs: every event of a healthy system, with its level and fields", async () => {
    await untilNoneIsMissing("every usual event", () =>
      matrix.missingLogs((event) => (LOGS[event] as LogSpec).rare === undefined),
    );
  });

  test("spans: every name of every service, with its attributes", async () => {
    const rows = Object.entries(SPANS).flatMap(([declared, { services, attributes, kind }]) =>
      services.flatMap((service) => {
        const { publishes, subscribes, sensorId = "" } = TOPOLOGY[service];
        const topics = kind === "producer" ? publishes : subscribes;
        const values = declared.includes("<topic>") ? topics : [sensorId];
        return values.map((value) => ({
          service,
          attributes: [...attributes, ...MESSAGING_ATTRIBUTES],
          name: declared.replace(/<.+>/, value),
        }));
      }),
    );
    await untilNoneIsMissing("every span", async () => {
      const found = await Promise.all(
        rows.map(async ({ service, name, attributes }) => {
          const span = await reader.span(service, name);
          if (span === undefined) return [`${name} of ${service}`];
          const absent = attributes.filter((attribute) => !(attribute in span.attributes));
          return absent.map((attribute) => `${name} of ${service}: ${attribute}`);
        }),
      );
      return found.flat();
    });
  });

  test("one trace: from a sensor's scan to the engagement, over six processes", async () => {
    const engage = await waitUntil(
      async () => {
        const span = await reader.span("effector-manager", "effector.engage");
        return { ok: span !== undefined, seen: "no engagement", ...(span && { value: span }) };
      },
      { what: "an engagement's trace", deadlineMs: DEADLINE_MS, intervalMs: 1000 },
    );
    const traceId = engage?.traceId ?? "";
    const wanted = ["fusion.ingest", "threat.evaluate", "command.issue_order", "effector.engage"];
    await untilNoneIsMissing("the whole trace", async () => {
      const names = new Set((await reader.trace(traceId)).map(({ name }) => name));
      return [...wanted, "display.ingest.MissionOrderTopic"].filter((n) => !names.has(n));
    });
    const spans = await reader.trace(traceId);
    expect(walkUp(spans, "effector.engage")).toEqual([
      "effector-manager: effector.engage",
      "command-center: publish MissionOrderTopic",
      "command-center: command.issue_order",
      "threat-evaluator: publish ThreatAssessmentTopic",
      "threat-evaluator: threat.evaluate",
      "track-fusion: publish TacticalTrackTopic",
      "track-fusion: fusion.ingest",
      expect.stringMatching(/^(radar|esm|eo)-sensor: sensor\.scan\.(RADAR-1|ESM-2|EO-3)$/),
    ]);
    expect(walkUp(spans, "display.ingest.MissionOrderTopic").slice(0, 2)).toEqual([
      "tactical-display: display.ingest.MissionOrderTopic",
      "command-center: publish MissionOrderTopic",
    ]);
    expect(new Set(spans.map(({ service }) => service)).size).toBe(6);
  });

  test("service graph: the eight services and every edge between them, by kinds of spans", async () => {
    const wanted = SERVICES.flatMap((from) => downstreamOf(from).map((to) => edgeOf(from, to)));
    expect(wanted).toHaveLength(13);
    const graph = new ServiceGraph();
    const prng = createPrng(1);
    await untilNoneIsMissing("every edge", async () => {
      const found = await Promise.all(
        SERVICES.map((name) => reader.search(`{ resource.service.name = "${name}" }`, 20)),
      );
      for (const traceId of new Set(found.flat())) {
        const spans = await reader.trace(traceId);
        // Services export independently, so the batches of a trace arrive in any order.
        const ranks = new Map(SERVICES.map((name) => [name as string, prng.next()]));
        const rank = ({ service }: SpanRecord): number => ranks.get(service) ?? 0;
        graph.add(spans.toSorted((a, b) => rank(a) - rank(b)));
      }
      return wanted.filter((edge) => !graph.edges.includes(edge));
    });
    expect(graph.edges).toEqual(wanted.toSorted());
  });

  test.each([
    ["tactical_track_contributors_changed", "track-fusion", "fusion.ingest"],
    ["threat_level_changed", "threat-evaluator", "threat.evaluate"],
    ["mission_order_issued", "command-center", "command.issue_order"],
    ["engagement_status_changed", "effector-manager", "effector.engage"],
    ["engagement_resolved", "effector-manager", "effector.engage"],
  ] as const)("a line %s of %s carries the ids of its span %s", async (event, service, name) => {
    await untilNoneIsMissing("a line whose span is stored", async () => {
      const lines = await reader.logs(service, `| json | event="${event}"`, 20);
      expect(lines.filter((line) => !("trace_id" in line && "span_id" in line))).toEqual([]);
      // Spans of the newest lines may still be in transit.
      for (const { trace_id: traceId, span_id: spanId } of lines) {
        const spans = await reader.trace(String(traceId)).catch(() => []);
        if (spans.some((span) => span.name === name && hexOf(span.spanId) === spanId)) return [];
      }
      return [`${name} among the traces of ${lines.length} lines`];
    });
  });

  test("logs: what a healthy system never says, provoked by outages and refusals", async () => {
    // A new effector receives the command center's history, with orders older than their validity.
    await lab.replace("effector-manager");
    await untilNoneIsMissing("orders that have expired", () =>
      matrix.missingLogs((event) => event === "mission_order_expired"),
    );
    await stopIngressForAMoment();
    await Promise.all(SERVICES.map((service) => lab.detachNetwork(service)));
    await Promise.all(SERVICES.map((service) => lab.attachNetwork(service)));
    await untilNoneIsMissing("new participants", () =>
      matrix.missingLogs((event) => event === "dds_participant_recreated"),
    );
    await Promise.all(SERVICES.map((name) => lab.replace(name, { env: exclusive(name) })));
    await untilNoneIsMissing("last words", lastWords);
    await untilNoneIsMissing("refused partners", async () => [
      ...(await matrix.missingLogs((event) => event === "dds_incompatible_qos")),
      ...(await matrix.metricProblems((name) => name === "cms_dds_incompatible_qos_total")),
    ]);
  });

  test("nothing that is not declared was emitted, by whatever happened so far", async () => {
    const metrics = Object.entries<MetricSpec>(METRICS).flatMap(([name, { type }]) =>
      type === "histogram" ? ["_bucket", "_count", "_sum"].map((end) => name + end) : [name],
    );
    const ofPrometheus = /^(up|scrape_.+|ALERTS|ALERTS_FOR_STATE)$/;
    const names = async (matcher: string): Promise<string[]> => {
      const found = await prometheus().instant(`group by (__name__) ({${matcher}})`);
      return found
        .map(({ labels }) => labels["__name__"] ?? "")
        .filter((n) => !ofPrometheus.test(n));
    };
    const pushed = metrics.map((name) => `${PUSHED_METRIC_PREFIX}${name}`);
    expect(beyond(await names('job="cms-services"'), metrics)).toEqual([]);
    expect(beyond(await names('job="otlp"'), pushed)).toEqual([]);
    for (const service of SERVICES) {
      const declared = Object.entries<LogSpec>(LOGS).filter(([, { services }]) =>
        services.includes(service),
      );
      // A query that excludes the declared events: every result is undeclared.
      const others = declared.map(([event]) => `| event!="${event}"`).join(" ");
      expect(await reader.logs(service, `| json ${others}`, 1)).toEqual([]);
      const spans = Object.entries<SpanSpec>(SPANS).filter(([, spec]) =>
        spec.services.includes(service),
      );
      const patterns = spans.map(([name]) => name.replaceAll(".", "[.]").replace(/<.+>/, ".+"));
      const rest = `{ resource.service.name = "${service}" && name !~ "${patterns.join("|") || "-"}" }`;
      expect(await reader.search(rest)).toEqual([]);
    }
  });

  test("logs: what a healthy system never says, provoked by overload", async () => {
    await overload();
    const isRare = (event: LogEvent): boolean =>
      (LOGS[event] as LogSpec).rare !== undefined && NOT_PROVOKED[event] === undefined;
    await untilNoneIsMissing("every rare event", () => matrix.missingLogs(isRare));
  });

  /**
   * Missing records of a shutdown. A process allows two seconds for its last export, which a slow
   * machine can exceed; such a service is stopped again.
   */
  async function lastWords(): Promise<string[]> {
    const missing = await matrix.missingLogs(
      (event) => (LOGS[event] as LogSpec).rare === ON_SHUTDOWN,
    );
    const silent = SERVICES.filter((name) => missing.some((text) => text.includes(` of ${name}`)));
    await Promise.all(silent.map((name) => lab.replace(name, { env: exclusive(name) })));
    return missing;
  }

  /**
   * Kills the ingress, waits until every service has logged the outage, and restarts the ingress.
   */
  async function stopIngressForAMoment(): Promise<void> {
    const status = await lab.status();
    const pid = status?.parts.find(({ name }) => name === ingress)?.pid ?? undefined;
    if (pid === undefined) throw new Error(`${ingress} does not run`);
    process.kill(pid, "SIGKILL");
    // Services may have logged an outage before, on a loaded machine; up() repairs what it finds
    // ended.
    await untilNoneIsMissing("the end of the ingress", async () => {
      const part = (await lab.status())?.parts.find(({ name }) => name === ingress);
      return part?.state === "exited" ? [] : ["its exit"];
    });
    await untilNoneIsMissing("services that notice the outage", async () => {
      const logs = await Promise.all(
        SERVICES.map(async (name) => [name, await lab.logs(name, 400)] as const),
      );
      return logs.filter(([, text]) => !text.includes("telemetry_export_failing")).map(([n]) => n);
    });
    await lab.up();
    await untilNoneIsMissing("export that resumes", () =>
      matrix.missingLogs((event) => event.startsWith("telemetry_export_")),
    );
  }

  /** Overloads the sensors, and gives the fusion room for a single source track. */
  async function overload(): Promise<void> {
    const env = { PUBLISH_RATE_HZ: "1000" };
    await Promise.all(SENSORS.map((sensor) => lab.replace(sensor, { env })));
    await Promise.all(SENSORS.map((sensor) => lab.limitCpu(sensor, TOO_FEW_CORES)));
    await untilNoneIsMissing("sensors that are late", () =>
      matrix.missingLogs((event) => event === "sensor_loop_overrun"),
    );
    await Promise.all(SENSORS.map((sensor) => lab.replace(sensor)));
    // The three detections of a scan arrive together.
    await lab.replace("track-fusion", { env: { CMS_INBOX_CAPACITY: "1" } });
    await untilNoneIsMissing("an inbox that is full", () =>
      matrix.missingLogs((event) => event === "fusion_queue_full_dropping"),
    );
  }
}

/**
 * The environment that makes a service's partners refuse it. A service without writers keeps its
 * own.
 */
const exclusive = (service: ServiceName): Record<string, string> =>
  TOPOLOGY[service].publishes.length > 0 ? { CMS_FORCE_QOS: "EXCLUSIVE_OWNERSHIP" } : {};

const beyond = (found: readonly string[], declared: readonly string[]): string[] =>
  found.filter((name) => !declared.includes(name));

const hexOf = (base64: string): string => Buffer.from(base64, "base64").toString("hex");

/** `service: name` of each span from the first with this name up to the root. */
function walkUp(spans: readonly SpanRecord[], name: string): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const path: string[] = [];
  let span = spans.find((candidate) => candidate.name === name);
  while (span !== undefined && path.length < spans.length) {
    path.push(`${span.service}: ${span.name}`);
    span = byId.get(span.parentSpanId);
  }
  return path;
}

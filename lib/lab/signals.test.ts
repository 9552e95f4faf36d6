/**
 * Every metric, log event and span that is declared arrives: each is read back from Prometheus, the Loki API and the Tempo API of
 * a real lab. What a healthy system never says is provoked.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { messageOf } from "../base/errors.ts";
import { createPrometheusClient } from "../base/prometheus.ts";
import { waitUntil } from "../base/wait.ts";
import {
  CONTAINER_METRICS,
  type LogEvent,
  LOGS,
  type LogSpec,
  METRICS,
  type MetricSpec,
  PUSHED_METRIC_PREFIX,
  SPANS,
} from "../contract/telemetry.ts";
import { SENSOR_IDS, SERVICES, type ServiceName, TOPOLOGY } from "../contract/topology.ts";
import { createLab } from "./create-lab.ts";
import type { Lab } from "./lab.ts";
import { preflight } from "./native/preflight.ts";
import { type SpanRecord, TelemetryReader } from "./telemetry-reader.case.ts";

const LAB_INDEX = 5;
const TEST_TIMEOUT_MS = 240_000;
/** A heartbeat is due every 30 s; a machine under load is slow. */
const DEADLINE_MS = 90_000;

/** Rows of the declarations that no lab shows, and why. */
const NOT_PROVOKED: Partial<Record<LogEvent, string>> = {
  message_rejected:
    "needs a writer that is not of the CMS; lib/service/bus.test.ts makes the bus say it",
};

const WRITERS = SERVICES.filter((name) => TOPOLOGY[name].publishes.length > 0);
const SENSORS = SERVICES.filter((name) => TOPOLOGY[name].sensorId !== undefined);

const canRun = await preflight(LAB_INDEX)
  .then(() => true)
  .catch((error: unknown) => /port/.test(messageOf(error)));

/** Waits until `missing` names nothing any more. */
async function untilNoneIsMissing(what: string, missing: () => Promise<string[]>): Promise<void> {
  await waitUntil(
    async () => {
      const left = await missing();
      return { ok: left.length === 0, seen: `missing: ${left.join("; ")}` };
    },
    { what, deadlineMs: DEADLINE_MS, intervalMs: 1000 },
  );
}

function labelNamesOf(spec: MetricSpec): string {
  return Object.keys(spec.labels).toSorted().join(",");
}

describe.skipIf(!canRun)("signals of a real lab (needs root, Linux and its tools)", () => {
  let lab: Lab;
  let reader: TelemetryReader;

  beforeAll(async () => {
    lab = createLab({ engine: "native", index: LAB_INDEX, lifetime: "with-caller" });
    await lab.up();
    reader = new TelemetryReader(lab.ports);
  }, TEST_TIMEOUT_MS);
  afterAll(() => lab.down(), TEST_TIMEOUT_MS);

  const prometheus = () => createPrometheusClient(`http://127.0.0.1:${lab.ports.prometheus}`);

  /** What is wrong with one copy of a metric: of one service, scraped or pushed. */
  async function metricProblems(
    name: string,
    spec: MetricSpec,
    service: ServiceName,
    copy: "scraped" | "pushed",
  ): Promise<string[]> {
    const shown = `${copy === "pushed" ? PUSHED_METRIC_PREFIX : ""}${name}`;
    const matcher =
      copy === "pushed"
        ? `job="otlp",service_name="${service}"`
        : `job="cms-services",instance=~"${service}:.+"`;
    const suffix = spec.type === "histogram" ? "_bucket" : "";
    const samples = await prometheus().instant(`${shown}${suffix}{${matcher}}`);
    if (samples.length === 0) return [`${shown} of ${service}`];
    const ignored = new Set(["__name__", "job", "instance", "service_name", "le"]);
    const problems: string[] = [];
    for (const { labels } of samples) {
      const names = Object.keys(labels).filter((label) => !ignored.has(label));
      if (names.toSorted().join(",") !== labelNamesOf(spec)) {
        problems.push(`${shown} of ${service}: labels ${names.join(",")}`);
      }
    }
    for (const [label, values] of Object.entries(spec.labels)) {
      if (values === "open") continue;
      const own = label === "sensor_id" ? TOPOLOGY[service].sensorId : undefined;
      const seen = new Set(samples.map(({ labels }) => labels[label]));
      for (const value of own === undefined ? values : [own]) {
        const mayWait = spec.type === "histogram" && copy === "pushed";
        if (!seen.has(value) && !mayWait)
          problems.push(`${shown} of ${service}: ${label}=${value}`);
      }
    }
    if (spec.buckets !== undefined) {
      const bounds = new Set(samples.map(({ labels }) => boundOf(labels["le"])));
      const wanted = [...spec.buckets, Number.POSITIVE_INFINITY];
      if (!wanted.every((bound) => bounds.has(bound)) || bounds.size !== wanted.length) {
        problems.push(`${shown} of ${service}: buckets ${[...bounds].join(",")}`);
      }
    }
    return problems;
  }

  /** Every row of a metric table, in both copies. */
  async function allMetricProblems(isWanted: (name: string) => boolean): Promise<string[]> {
    const rows = Object.entries<MetricSpec>(METRICS).filter(([name]) => isWanted(name));
    const found = await Promise.all(
      rows.flatMap(([name, spec]) =>
        spec.services.flatMap((service) => [
          metricProblems(name, spec, service, "scraped"),
          metricProblems(name, spec, service, "pushed"),
        ]),
      ),
    );
    return found.flat();
  }

  /** Rows of the log table, by event and service, that the Loki API does not show with their level and fields. */
  async function missingLogs(isWanted: (event: LogEvent) => boolean): Promise<string[]> {
    const rows = Object.entries<LogSpec>(LOGS).filter(([event]) => isWanted(event as LogEvent));
    const found = await Promise.all(
      rows.flatMap(([event, spec]) =>
        spec.services.map(async (service) => {
          const [line] = await reader.logs(service, `| json | event="${event}"`, 1);
          if (line === undefined) return [`${event} of ${service}`];
          const absent = spec.fields.filter((field) => !(field in line));
          if (absent.length > 0) return [`${event} of ${service}: fields ${absent.join(",")}`];
          return line["level"] === spec.level
            ? []
            : [`${event} of ${service}: level ${String(line["level"])}`];
        }),
      ),
    );
    return found.flat();
  }

  test(
    "metrics: both copies of every row, with labels, closed values and buckets",
    async () => {
      // It begins with the first refusal: its policies are an open set.
      const isLater = (name: string): boolean => name === "cms_dds_incompatible_qos_total";
      await untilNoneIsMissing("every metric", () => allMetricProblems((name) => !isLater(name)));
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "metrics: every fact about process groups, of every service",
    async () => {
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
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "one sample counts once: a rule's metric has one scraped series per instance",
    async () => {
      const pushed = await prometheus().instant('count({__name__=~"cms_.+",job!="cms-services"})');
      expect(pushed).toEqual([]);
      const scraped = await prometheus().instant('count({__name__=~"otlp_.+",job!="otlp"})');
      expect(scraped).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "logs: every event of a healthy system, with its level and fields",
    async () => {
      await untilNoneIsMissing("every usual event", () =>
        missingLogs((event) => (LOGS[event] as LogSpec).rare === undefined),
      );
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "spans: every name of every service, with its attributes",
    async () => {
      const rows = Object.entries(SPANS).flatMap(([declared, { services, attributes }]) =>
        services.flatMap((service) => {
          const values = declared.includes("<topic>")
            ? TOPOLOGY[service].subscribes
            : [TOPOLOGY[service].sensorId ?? ""];
          return values.map((value) => ({
            service,
            attributes,
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
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "one trace: from a sensor's scan to the engagement, over six processes",
    async () => {
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
        "command-center: command.issue_order",
        "threat-evaluator: threat.evaluate",
        "track-fusion: fusion.ingest",
        expect.stringMatching(/^(radar|esm|eo)-sensor: sensor\.scan\.(RADAR-1|ESM-2|EO-3)$/),
      ]);
      expect(walkUp(spans, "display.ingest.MissionOrderTopic").slice(0, 2)).toEqual([
        "tactical-display: display.ingest.MissionOrderTopic",
        "command-center: command.issue_order",
      ]);
      expect(new Set(spans.map(({ service }) => service)).size).toBe(6);
      const [line] = await reader.logs(
        "command-center",
        `| json | event="mission_order_issued" | trace_id="${traceId}"`,
        1,
      );
      const orders = spans.filter(({ name }) => name === "command.issue_order");
      expect(orders.map(({ spanId }) => Buffer.from(spanId, "base64").toString("hex"))).toContain(
        String(line?.["span_id"]),
      );
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "logs: what a healthy system never says, provoked",
    async () => {
      await stopIngressForAMoment();
      await Promise.all(SERVICES.map((service) => lab.detachNetwork(service)));
      await Promise.all(SERVICES.map((service) => lab.attachNetwork(service)));
      await untilNoneIsMissing("new participants", () =>
        missingLogs((event) => event === "dds_participant_recreated"),
      );
      await Promise.all([
        ...WRITERS.map((service) =>
          lab.replace(service, { env: { CMS_FORCE_QOS: "EXCLUSIVE_OWNERSHIP" } }),
        ),
        lab.replace("tactical-display"),
      ]);
      await untilNoneIsMissing("refused partners", async () => [
        ...(await missingLogs((event) => event === "dds_incompatible_qos")),
        ...(await allMetricProblems((name) => name === "cms_dds_incompatible_qos_total")),
      ]);
      await overload();
      const isRare = (event: LogEvent): boolean =>
        (LOGS[event] as LogSpec).rare !== undefined && NOT_PROVOKED[event] === undefined;
      await untilNoneIsMissing("every rare event", () => missingLogs(isRare));
    },
    TEST_TIMEOUT_MS,
  );

  /** Kills the telemetry server, waits until every service has noticed, and starts it again. */
  async function stopIngressForAMoment(): Promise<void> {
    const status = await lab.status();
    const pid = status?.parts.find(({ name }) => name === "telemetry")?.pid ?? undefined;
    if (pid === undefined) throw new Error("the telemetry server does not run");
    process.kill(pid, "SIGKILL");
    await untilNoneIsMissing("services that notice the outage", async () => {
      const logs = await Promise.all(
        SERVICES.map(async (name) => [name, await lab.logs(name, 400)] as const),
      );
      return logs.filter(([, text]) => !text.includes("telemetry_export_failing")).map(([n]) => n);
    });
    await lab.up();
    await untilNoneIsMissing("export that resumes", () =>
      missingLogs((event) => event.startsWith("telemetry_export_")),
    );
  }

  /** Sensors that cannot keep their cadence, and a fusion that cannot keep up with them. */
  async function overload(): Promise<void> {
    await lab.replace("track-fusion");
    await Promise.all(
      SENSORS.map((sensor) => lab.replace(sensor, { env: { PUBLISH_RATE_HZ: "1000" } })),
    );
    await untilNoneIsMissing("sensors that are late", () =>
      missingLogs((event) => event === "sensor_loop_overrun"),
    );
    await lab.limitCpu("track-fusion", 0.05);
    await untilNoneIsMissing("a full queue", async () => {
      const text = await lab.logs("track-fusion");
      return text.includes("fusion_queue_full_dropping") ? [] : ["fusion_queue_full_dropping"];
    });
    await lab.limitCpu("track-fusion", null);
  }
});

const boundOf = (le: string | undefined): number =>
  le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);

/** From the span of this name up to the root: `service: name` of each. */
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

test("sensors in the topology are the sensors in the labels", () => {
  expect(SENSORS.map((name) => TOPOLOGY[name].sensorId ?? "")).toEqual([...SENSOR_IDS]);
});

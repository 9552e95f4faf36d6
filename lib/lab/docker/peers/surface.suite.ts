/**
 * Compares what an investigator can read on both engines: the names and labels must be equal. Needs
 * root on Linux for the native lab.
 */
import { afterAll, beforeAll, describe, test } from "bun:test";
import { systemClock } from "../../../base/clock.ts";
import { waitUntil } from "../../../base/wait.ts";
import { factsOf } from "../../../contract/citation.ts";
import type { LabPorts } from "../../../contract/topology.ts";
import { Toolset } from "../../../investigate/tools/toolset.ts";
import { createLab } from "../../create-lab.ts";
import type { Lab } from "../../lab.ts";
import { readDashboard } from "../testing/dashboard.ts";
import { LAB_INDEX } from "./lab-index.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");
const TIMEOUT_MS = 300_000;
const DEADLINE_MS = 90_000;

let labs: Readonly<Record<"native" | "docker", Lab>>;

beforeAll(async () => {
  const make = (engine: string, index: number): Lab =>
    createLab({ engine, index, lifetime: "with-caller" });
  labs = { docker: make("docker", LAB_INDEX), native: make("native", (LAB_INDEX + 1) % 10) };
  await labs.docker.up();
  await labs.native.up();
}, TIMEOUT_MS);
afterAll(async () => {
  await labs.native.down();
  await labs.docker.down();
}, TIMEOUT_MS);

const local = (port: number): string => `http://127.0.0.1:${port}`;

async function getJson<T>(url: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
  const search = new URLSearchParams(query).toString();
  const reply = await fetch(`${url}?${search}`, { signal: AbortSignal.timeout(10_000) });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${url} answers ${reply.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

/** Waits until both engines return the same, and shows the differences after a timeout. */
async function untilSame(what: string, look: (ports: LabPorts) => Promise<readonly string[]>) {
  await waitUntil(
    async () => {
      const [native, docker] = await Promise.all([
        look(labs.native.ports),
        look(labs.docker.ports),
      ]);
      const only = (a: readonly string[], b: readonly string[]): string =>
        a
          .filter((one) => !b.includes(one))
          .slice(0, 8)
          .join(", ");
      const seen = `only native: ${only(native, docker)}; only docker: ${only(docker, native)}`;
      return { ok: native.length > 0 && native.join("\n") === docker.join("\n"), seen };
    },
    { what: `the same ${what}`, deadlineMs: DEADLINE_MS, intervalMs: 2000 },
  );
}

const sortedSet = (items: readonly string[]): string[] => [...new Set(items)].toSorted();

/**
 * Every series of a job as its metric and label names. Excludes alerts, which a busy machine has at
 * times, and `up` of pushed metrics, which the Collector writes although nothing scrapes them.
 */
const shapesOf =
  (job: string) =>
  async (ports: LabPorts): Promise<string[]> => {
    const { data } = await getJson<{ data: Record<string, string>[] }>(
      `${local(ports.prometheus)}/api/v1/series`,
      { "match[]": `{job="${job}",__name__!~"scrape_.+|ALERTS.*${job === "otlp" ? "|up" : ""}"}` },
    );
    return sortedSet(
      data.map(
        ({ __name__ = "", ...labels }) =>
          `${__name__}{${Object.keys(labels).toSorted().join(",")}}`,
      ),
    );
  };

describe("PromQL", () => {
  test(
    "scraped metrics: names and labels",
    () => untilSame("metrics", shapesOf("cms-services")),
    TIMEOUT_MS,
  );
  test(
    "pushed metrics: names and labels",
    () => untilSame("metrics", shapesOf("otlp")),
    TIMEOUT_MS,
  );
  test(
    "runtime metrics: names and labels",
    () => untilSame("metrics", shapesOf("containers")),
    TIMEOUT_MS,
  );

  test(
    "runtime metrics: of the same services",
    () =>
      untilSame("series", async (ports) => {
        const { data } = await getJson<{ data: Record<string, string>[] }>(
          `${local(ports.prometheus)}/api/v1/series`,
          { "match[]": '{job="containers",name!=""}' },
        );
        return sortedSet(
          data.map((labels) => `${labels["__name__"]} ${labels["name"]} ${labels["state"]}`),
        );
      }),
    TIMEOUT_MS,
  );

  test(
    "rules: names, expressions and labels",
    () =>
      untilSame("rules", async (ports) => {
        const { data } = await getJson<{
          data: { groups: { rules: { name: string; query: string; labels: unknown }[] }[] };
        }>(`${local(ports.prometheus)}/api/v1/rules`);
        return data.groups.flatMap(({ rules }) =>
          rules.map(({ name, query, labels }) => JSON.stringify({ name, query, labels })),
        );
      }),
    TIMEOUT_MS,
  );
});

interface Streams {
  readonly data: { readonly result: readonly { readonly stream: Record<string, string> }[] };
}

const lokiLabels =
  (logql: string) =>
  async (ports: LabPorts): Promise<string[]> => {
    const now = systemClock.nowMs();
    const { data } = await getJson<Streams>(`${local(ports.loki)}/loki/api/v1/query_range`, {
      query: logql,
      start: `${now - 300_000}000000`,
      end: `${now}000000`,
      limit: "500",
    });
    const names = data.result.flatMap(({ stream }) => Object.keys(stream));
    return sortedSet(names);
  };

describe("LogQL", () => {
  test(
    "label service_name has the same values",
    () =>
      untilSame("values", async (ports) => {
        const { data } = await getJson<{ data: string[] }>(
          `${local(ports.loki)}/loki/api/v1/label/service_name/values`,
        );
        return sortedSet(data);
      }),
    TIMEOUT_MS,
  );

  test.each([
    '{service_name="radar-sensor"} | json | event="sensor_heartbeat"',
    '{service_name="command-center"} | json | event="mission_order_issued"',
    '{service_name="effector-manager"} |= "engagement_status_changed"',
    'sum by (event) (count_over_time({service_name="eo-sensor"} | json [5m]))',
  ])(
    "%s has the same labels",
    (logql) => {
      if (!logql.startsWith("sum")) return untilSame("labels", lokiLabels(logql));
      return untilSame("labels", async (ports) => {
        const { data } = await getJson<{ data: { result: { metric: Record<string, string> }[] } }>(
          `${local(ports.loki)}/loki/api/v1/query`,
          { query: logql },
        );
        return sortedSet(data.result.flatMap(({ metric }) => Object.keys(metric)));
      });
    },
    TIMEOUT_MS,
  );
});

describe("the tools of an investigator", () => {
  test.each([
    ["inventory", {}],
    ["catalogue", { service: "track-fusion" }],
    ["promql", { query: "cms_fusion_queue_depth" }],
    ["promql_range", { query: "cms_fusion_queue_depth" }],
    ["logql", { query: '{service_name="eo-sensor"} | json | event="sensor_heartbeat"' }],
    ["traceql", { query: '{ resource.service.name = "track-fusion" }' }],
  ])(
    "%s finds facts of the same signals, services and labels",
    (name, args) =>
      untilSame("facts", async ({ console: grafana, prometheus, loki, tempo }) => {
        const urls = {
          grafana: local(grafana),
          prometheus: local(prometheus),
          loki: local(loki),
          tempo: local(tempo),
        };
        const record = await new Toolset({ urls }).call(name, args);
        if (!record.ok) throw new Error(JSON.stringify(record));
        return sortedSet(
          factsOf(record)
            .filter(({ signal }) => signal !== "container_spec_memory_limit_bytes")
            .map(({ signal, service, labels }) =>
              [signal, service, ...Object.keys(labels).toSorted()].join(" "),
            ),
        );
      }),
    TIMEOUT_MS,
  );
});

describe("TraceQL", () => {
  const found = async (ports: LabPorts): Promise<string> => {
    const { traces } = await getJson<{ traces: { traceID: string }[] }>(
      `${local(ports.tempo)}/api/search`,
      {
        q: '{ resource.service.name = "effector-manager" && name = "effector.engage" }',
        limit: "1",
      },
    );
    return traces[0]?.traceID ?? "";
  };

  test(
    "a search and its trace have the same shape",
    () =>
      untilSame("spans", async (ports) => {
        const trace = await getJson<{
          batches: {
            scopeSpans: { spans: { name: string; attributes?: { key: string }[] }[] }[];
          }[];
        }>(`${local(ports.tempo)}/api/traces/${await found(ports)}`);
        const spans = trace.batches.flatMap(({ scopeSpans }) => scopeSpans.flatMap((s) => s.spans));
        return sortedSet(
          spans
            .filter(({ name }) => !name.startsWith("sensor.scan"))
            .map(
              ({ name, attributes = [] }) =>
                `${name} ${attributes
                  .map(({ key }) => key)
                  .toSorted()
                  .join(",")}`,
            ),
        );
      }),
    TIMEOUT_MS,
  );
});

test(
  "the dashboard's queries are understood by the stores of the containers",
  async () => {
    const { prometheus, loki, tempo } = labs.docker.ports;
    const { queries } = readDashboard(ROOT);
    for (const { source, query } of queries) {
      if (source === "prometheus") {
        await getJson(`${local(prometheus)}/api/v1/query`, { query });
      } else if (source === "loki") {
        await getJson(`${local(loki)}/loki/api/v1/query_range`, { query });
      } else {
        await getJson(`${local(tempo)}/api/search`, { q: query });
      }
    }
  },
  TIMEOUT_MS,
);

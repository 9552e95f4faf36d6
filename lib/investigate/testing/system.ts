/**
 * A simulated system behind the tools' interface: for tests of the agent, and for trying real models without a lab.
 *
 * A fault is a change of a healthy system's numbers; the table of changes and the answers to queries both follow
 * from the same numbers. It stands for no measurement of a real system.
 */
import type { Alert } from "../../contract/alert.ts";
import type { EvidenceRecord } from "../../contract/answer.ts";
import { SERVICES, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";
import { callOf, type Fact, type Toolbox } from "../toolbox.ts";

/** What one service is like. Rates are per second, memory in bytes. */
export interface ServiceNumbers {
  readonly running: boolean;
  readonly up: boolean;
  readonly exitCode: number | null;
  readonly starts: number;
  readonly oomKills: number;
  readonly cpuCores: number;
  readonly throttledShare: number;
  readonly cpuQuota: number;
  readonly memory: number;
  readonly memorySlope: number;
  /** For how long its memory has grown, seconds. */
  readonly growingSeconds: number;
  readonly memoryLimit: number;
  readonly receivedBytes: number;
  readonly matchedLeast: number;
  readonly incompatible: number;
  /** Source tracks per second, for sensors. */
  readonly published: number;
  /** Log events that occur during the incident only, with a field each. */
  readonly events: Readonly<Record<string, string | number>>;
}

export interface SystemNumbers {
  readonly services: Readonly<Record<ServiceName, ServiceNumbers>>;
  readonly ingested: Readonly<Record<string, number>>;
  readonly queueDepth: number;
  readonly p95Seconds: number;
  readonly activeTracks: number;
  readonly contributorsRemoved: number;
}

const HEALTHY_SERVICE: ServiceNumbers = {
  running: true,
  up: true,
  exitCode: null,
  starts: 0,
  oomKills: 0,
  cpuCores: 0.03,
  throttledShare: 0,
  cpuQuota: 0,
  memory: 80e6,
  memorySlope: 0,
  growingSeconds: 0,
  memoryLimit: 0,
  receivedBytes: 40_000,
  matchedLeast: 1,
  incompatible: 0,
  published: 0,
  events: {},
};

/** Three targets, each scan detecting most of them. */
const PUBLISHED: Partial<Record<ServiceName, number>> = {
  "radar-sensor": 28.5,
  "esm-sensor": 13.5,
  "eo-sensor": 4.2,
};

/** A system in which nothing is wrong. */
export const HEALTHY: SystemNumbers = {
  services: Object.fromEntries(
    SERVICES.map((name) => [name, { ...HEALTHY_SERVICE, published: PUBLISHED[name] ?? 0 }]),
  ) as Record<ServiceName, ServiceNumbers>,
  ingested: { "RADAR-1": 28.5, "ESM-2": 13.5, "EO-3": 4.2 },
  queueDepth: 0,
  p95Seconds: 0.0008,
  activeTracks: 3,
  contributorsRemoved: 0,
};

/** The healthy system with changes to one service and to fusion. */
export function changed(
  service: ServiceName,
  numbers: Partial<ServiceNumbers>,
  rest: Partial<Omit<SystemNumbers, "services">> = {},
): SystemNumbers {
  const before = HEALTHY.services[service];
  return {
    ...HEALTHY,
    ...rest,
    ingested: { ...HEALTHY.ingested, ...rest.ingested },
    services: { ...HEALTHY.services, [service]: { ...before, ...numbers } },
  };
}

/** An alert as an investigator gets it. */
export function simulatedAlert(name: string, about: ServiceName, description: string): Alert {
  const labels = { alertname: name, alert_source: "grafana", pipeline_name: about };
  return {
    alert_source: "grafana",
    title: `[FIRING:1] ${name}`,
    alert_name: name,
    state: "alerting",
    severity: "critical",
    pipeline_name: about,
    message: description,
    commonLabels: labels,
    commonAnnotations: { summary: name, description },
    alerts: [
      {
        status: "firing",
        labels,
        annotations: {},
        startsAt: "2026-01-01T00:02:00.000Z",
        endsAt: null,
      },
    ],
  };
}

/** When the simulated fault sets in. */
export const SIMULATED_ONSET = "2026-01-01T00:01:00.000Z";

/** Tools over a simulated system that was healthy until the onset; the same call twice is answered from the record. */
export function simulatedToolbox(during: SystemNumbers): Toolbox {
  const records: EvidenceRecord[] = [];
  const add = (tool: string, args: Readonly<Record<string, unknown>>): EvidenceRecord => {
    const { ok, answer } = answerOf(tool, args, during);
    const record: EvidenceRecord = {
      id: `E${records.length + 1}`,
      tool,
      arguments: { ...args },
      request: [{ method: "GET", url: `simulated:${tool}` }],
      window: null,
      asked_unix_ms: Date.parse("2026-01-01T00:03:00.000Z"),
      duration_ms: 1,
      ok,
      answer,
    };
    records.push(record);
    return record;
  };
  const same = (record: EvidenceRecord, tool: string, args: object): boolean =>
    record.tool === tool && JSON.stringify(record.arguments) === JSON.stringify(args);
  return {
    names: ["inventory", "alerts", "compare", "promql", "promql_range", "logql", "traceql"],
    records,
    call: async (tool, args) =>
      Promise.resolve(
        callOf(records.find((record) => same(record, tool, args)) ?? add(tool, args)),
      ),
  };
}

function answerOf(
  tool: string,
  args: Readonly<Record<string, unknown>>,
  during: SystemNumbers,
): { ok: boolean; answer: string } {
  const said = (facts: readonly Fact[]): { ok: boolean; answer: string } => ({
    ok: true,
    answer: JSON.stringify({ facts }),
  });
  const query = typeof args["query"] === "string" ? args["query"] : "";
  switch (tool) {
    case "inventory":
    case "alerts":
    case "logql":
    case "traceql":
      return said([]);
    case "compare":
      return said([...factsOf(HEALTHY, "before"), ...factsOf(during, "during")]);
    case "promql": {
      const culprits = culpritsOf(query, during);
      if (culprits !== undefined) return said(culprits);
      const value = evaluate(query, during);
      if (value === "error") return { ok: false, answer: `parse error in ${query}` };
      return said(value === null ? [] : [factFor(query, value, "now")]);
    }
    case "promql_range": {
      const points = [
        [HEALTHY, "2026-01-01T00:00:30.000Z"],
        [HEALTHY, "2026-01-01T00:00:58.000Z"],
        [during, SIMULATED_ONSET],
        [during, "2026-01-01T00:03:00.000Z"],
      ] as const;
      return said(
        points.flatMap(([system, at]) => {
          const value = evaluate(query, system);
          return typeof value === "number" ? [factFor(query, value, at)] : [];
        }),
      );
    }
    default:
      return { ok: false, answer: `There is no tool ${tool}` };
  }
}

function serviceIn(query: string): ServiceName | null {
  return (
    SERVICES.find((name) => query.includes(`"${name}"`) || query.includes(`"${name}:`)) ?? null
  );
}

function factFor(query: string, value: number, when: string): Fact {
  const signal = /\b(?:up|cms_\w+|container_\w+)/.exec(query)?.[0]?.replace(/_bucket$/, "");
  return { signal: signal ?? query, service: serviceIn(query), labels: {}, value, when };
}

/** Who breaks a claim about the whole system, for the queries that ask for it. */
function culpritsOf(query: string, system: SystemNumbers): Fact[] | undefined {
  type Look = (one: ServiceNumbers, name: ServiceName) => number | null;
  const shapes: readonly (readonly [RegExp, Look])[] = [
    [/^container_state\{state="exited"\} == 1/, (s) => (s.running ? null : 1)],
    [/^up\{.*\} == 0/, (s) => (s.up ? null : 0)],
    [
      /^rate\(container_cpu_cfs_throttled.* >=/,
      (s) => (s.throttledShare >= 0.05 ? s.throttledShare : null),
    ],
    [/^cms_dds_matched_endpoints\{.*\} == 0/, (s) => (s.up && s.matchedLeast === 0 ? 0 : null)],
    [
      /^\(rate\(cms_sensor_published/,
      (s, name) => {
        const times = timesNominal(name, s);
        return times !== null && times >= 5 ? times : null;
      },
    ],
    [
      /^\(min_over_time\(\(deriv\(container_memory/,
      (s) => (s.memorySlope > 150_000 ? s.memorySlope : null),
    ],
    [/^\(changes\(container_start/, (s) => (s.starts >= 2 ? s.starts : null)],
    [
      /^cms_fusion_queue_depth\{.*\} >=/,
      (s, name) =>
        name === "track-fusion" && s.up && system.queueDepth >= 100 ? system.queueDepth : null,
    ],
  ];
  const look = shapes.find(([shape]) => shape.test(query))?.[1];
  if (look === undefined) return undefined;
  const signal = /\b(?:up|cms_\w+|container_\w+)/.exec(query)?.[0] ?? query;
  return SERVICES.flatMap((service) => {
    const value = look(system.services[service], service);
    return value === null ? [] : [{ signal, service, labels: {}, value, when: "now" }];
  });
}

/** Queries are recognised by their shape; what is not recognised is an error, as a wrong query would be. */
function evaluate(query: string, system: SystemNumbers): number | null | "error" {
  const name = serviceIn(query);
  const all = Object.values(system.services);
  if (name === null) return evaluateForAll(query, system, all);
  const one = system.services[name];
  const fusion = name === "track-fusion";
  const ingested = Object.values(system.ingested).reduce((sum, rate) => sum + rate, 0);
  const scraped = (value: number): number | null => (one.up ? value : null);
  const shapes: readonly (readonly [RegExp, () => number | null])[] = [
    [/state="exited"/, () => Number(!one.running)],
    [/state="running"/, () => Number(one.running)],
    [/^max\(up/, () => Number(one.up)],
    [/^changes\(container_start/, () => one.starts],
    [/^container_start/, () => (one.starts > 0 ? Date.parse(SIMULATED_ONSET) / 1000 : null)],
    [/^container_oom/, () => one.oomKills],
    [/^container_exit_code/, () => one.exitCode],
    [/^rate\(container_network_receive/, () => one.receivedBytes],
    [/^rate\(container_cpu_usage/, () => one.cpuCores],
    [/^rate\(container_cpu_cfs_throttled/, () => one.throttledShare],
    [/^container_spec_cpu_quota/, () => one.cpuQuota],
    [/^container_spec_memory/, () => one.memoryLimit],
    [/^(?:min_over_time\(\()?deriv\(container_memory/, () => slopeOf(one)],
    [/^10 \* count_over_time/, () => one.growingSeconds],
    [/^max_over_time\(container_memory/, () => one.memory],
    [/^max\(last_over_time\(cms_fusion_queue/, () => (fusion ? system.queueDepth : null)],
    [/^max\(cms_fusion_queue/, () => (fusion ? scraped(system.queueDepth) : null)],
    [/^histogram_quantile/, () => (fusion ? scraped(system.p95Seconds) : null)],
    [/^sum\(rate\(cms_fusion_published/, () => (fusion ? scraped(ingested / ingested) : null)],
    [/^sum\(cms_dds_incompatible.*or vector/, () => one.incompatible],
    [/^sum\(cms_dds_incompatible/, () => scraped(one.incompatible)],
    [/^min\(cms_dds_matched/, () => scraped(one.matchedLeast)],
    [/^max\(\(rate\(cms_sensor_published/, () => timesNominal(name, one)],
    [/^sum\(rate\(cms_sensor_published/, () => sensorOnly(name, one.published, one)],
  ];
  const found = shapes.find(([shape]) => shape.test(query));
  return found === undefined ? "error" : found[1]();
}

const slopeOf = ({ running, oomKills, growingSeconds, memorySlope }: ServiceNumbers) =>
  running || (oomKills > 0 && growingSeconds >= 60) ? memorySlope : null;

/** What a sensor publishes, in multiples of its nominal rate. */
function timesNominal(name: ServiceName, { up, published }: ServiceNumbers): number | null {
  const { nominalRateHz } = TOPOLOGY[name];
  return nominalRateHz === undefined || !up ? null : published / nominalRateHz;
}

const sensorOnly = (name: ServiceName, value: number, { up }: ServiceNumbers): number | null =>
  TOPOLOGY[name].sensorId === undefined || !up ? null : value;

function evaluateForAll(
  query: string,
  system: SystemNumbers,
  all: readonly ServiceNumbers[],
): number | "error" {
  const rates = SERVICES.map((name) => timesNominal(name, system.services[name]) ?? 0);
  const shapes: readonly (readonly [RegExp, () => number])[] = [
    [/^sum\(container_state\{state="exited"/, () => all.filter(({ running }) => !running).length],
    [/^min\(up/, () => Math.min(...all.map(({ up }) => Number(up)))],
    [/^max\(rate\(container_cpu_cfs/, () => Math.max(...all.map((s) => s.throttledShare))],
    [
      /^min\(cms_dds_matched/,
      () => Math.min(...all.filter((s) => s.up).map((s) => s.matchedLeast)),
    ],
    [/^max\(rate\(cms_sensor_published/, () => Math.max(...rates)],
    [
      /^max\(min_over_time\(\(deriv\(container_memory/,
      () => Math.max(...all.map((s) => s.memorySlope)),
    ],
    [/^max\(changes\(container_start/, () => Math.max(...all.map((s) => s.starts))],
    [/^max\(cms_fusion_queue/, () => system.queueDepth],
    [/^sum\(increase\(cms_dds_samples_lost/, () => 0],
    [/^count\(ALERTS/, () => 0],
  ];
  const found = shapes.find(([shape]) => shape.test(query));
  return found === undefined ? "error" : found[1]();
}

/** The system's numbers as facts, the way a comparison tells them. */
function factsOf(system: SystemNumbers, when: string): Fact[] {
  const facts: Fact[] = [];
  const add = (
    service: ServiceName,
    signal: string,
    value: number | string | null,
    labels: Record<string, string> = {},
  ): void => {
    if (value !== null) facts.push({ signal, service, labels, value, when });
  };
  for (const name of SERVICES) {
    const one = system.services[name];
    add(name, "container_state", one.running ? "running" : "exited");
    add(name, "up", Number(one.up));
    add(name, "container_exit_code", one.exitCode);
    add(name, "container_cpu_cfs_throttled_seconds_total", one.throttledShare);
    add(name, "container_memory_usage_bytes", one.memory);
    add(name, "container_network_receive_bytes_total", one.receivedBytes);
    add(name, "cms_dds_incompatible_qos_total", one.up ? one.incompatible : null);
    add(name, "cms_dds_matched_endpoints", one.up ? one.matchedLeast : null);
    const sensorId = TOPOLOGY[name].sensorId;
    if (sensorId !== undefined && one.up) {
      add(name, "cms_sensor_published_total", one.published, { sensor_id: sensorId });
    }
    for (const [event, value] of Object.entries(one.events)) add(name, event, value);
  }
  for (const [sensor_id, rate] of Object.entries(system.ingested)) {
    add("track-fusion", "cms_fusion_ingested_total", rate, { sensor_id });
  }
  add("track-fusion", "cms_fusion_queue_depth", system.queueDepth);
  add("track-fusion", "cms_fusion_processing_seconds", system.p95Seconds);
  add("track-fusion", "cms_fusion_active_tracks", system.activeTracks);
  add("track-fusion", "cms_fusion_contributors_changed_total", system.contributorsRemoved, {
    change: "removed",
  });
  return facts;
}

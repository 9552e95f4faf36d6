/**
 * The telemetry of a simulated system: samples of every metric in the OpenMetrics text format, and
 * log lines. The system is healthy until the onset. Names and labels are those of the lab.
 */
import { SERVICES, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";
import { HEALTHY, type ServiceNumbers, type SystemNumbers } from "./system.ts";

/** Seconds after the system's start. */
export const ONSET_SECONDS = 300;
export const ALERT_SECONDS = ONSET_SECONDS + 60;
/** Time of the investigation, seconds after the system's start. */
export const NOW_SECONDS = ONSET_SECONDS + 240;
/** Before this time, a starting service answers no scrape. */
const FIRST_SCRAPE_SECONDS = 15;
/** Interval between two scrapes. */
export const STEP_SECONDS = 5;

/** Upper bounds of the latency histogram. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 10, Number.POSITIVE_INFINITY];

type Labels = Readonly<Record<string, string>>;
type Row = readonly [name: string, labels: Labels, value: number];

/** All samples of a system that starts at `startSeconds` (Unix), one per line. */
export function samplesOf(system: SystemNumbers, startSeconds: number): string[] {
  const lines: string[] = [];
  for (let second = 0; second <= NOW_SECONDS; second += STEP_SECONDS) {
    for (const [name, labels, value] of rowsAt(system, second, startSeconds)) {
      const set = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
      lines.push(`${name}{${set.join(",")}} ${value} ${startSeconds + second}`);
    }
  }
  return lines;
}

/** The value at `second` of a counter with these rates before and during the incident. */
const counted = (before: number, during: number, second: number): number =>
  before * Math.min(second, ONSET_SECONDS) + during * Math.max(0, second - ONSET_SECONDS);

function rowsAt(system: SystemNumbers, second: number, startSeconds: number): Row[] {
  const rows = SERVICES.flatMap((name) => {
    const one = system.services[name];
    const rest = isScraped(one, second) ? scrapedRows(system, name, second) : [];
    return [...containerRows(name, one, second, startSeconds), ...rest];
  });
  if (system !== HEALTHY && second >= ALERT_SECONDS) {
    const alert = { alertname: "Simulated alert", severity: "critical" };
    rows.push(
      ["ALERTS", { ...alert, alertstate: "firing" }, 1],
      ["ALERTS_FOR_STATE", alert, startSeconds + ALERT_SECONDS],
    );
  }
  return rows;
}

const hasEnded = ({ running, endsAfterSeconds }: ServiceNumbers, second: number): boolean =>
  !running && second >= ONSET_SECONDS + endsAfterSeconds;

const isScraped = (one: ServiceNumbers, second: number): boolean =>
  second >= FIRST_SCRAPE_SECONDS && !hasEnded(one, second) && (one.up || second < ONSET_SECONDS);

function containerRows(
  name: ServiceName,
  one: ServiceNumbers,
  second: number,
  startSeconds: number,
): Row[] {
  const before = HEALTHY.services[name];
  const during = second >= ONSET_SECONDS;
  const ended = hasEnded(one, second);
  const grown = one.memorySlope * Math.max(0, second - ONSET_SECONDS);
  const now = during ? one : before;
  const count = (of: (numbers: ServiceNumbers) => number): number =>
    counted(of(before), one.running ? of(one) : 0, second);
  const labels = { name };
  const starts = during ? Math.min(one.starts, 1 + Math.floor((second - ONSET_SECONDS) / 20)) : 0;
  const started = starts === 0 ? 0 : ONSET_SECONDS + (starts - 1) * 20;
  return [
    ["container_state", { name, state: "running" }, Number(!ended)],
    ["container_state", { name, state: "exited" }, Number(ended)],
    ...(ended ? [["container_exit_code", labels, one.exitCode] as const] : []),
    ["container_start_time_seconds", labels, startSeconds + started],
    ["container_oom_events_total", labels, ended ? one.oomKills : 0],
    ["container_cpu_usage_seconds_total", labels, count(({ cpuCores }) => cpuCores)],
    ["container_cpu_cfs_throttled_seconds_total", labels, count((s) => s.throttledShare)],
    ["container_spec_cpu_quota", labels, now.cpuQuota],
    ["container_memory_usage_bytes", labels, ended ? 0 : one.memory + grown],
    ["container_spec_memory_limit_bytes", labels, now.memoryLimit],
    ["container_network_receive_bytes_total", labels, count((s) => s.receivedBytes)],
    ["up", own(name), Number(isScraped(one, second))],
  ];
}

const own = (name: ServiceName, more: Labels = {}): Labels => ({
  job: "cms-services",
  instance: `${name}:${TOPOLOGY[name].metricsPort}`,
  ...more,
});

function scrapedRows(system: SystemNumbers, name: ServiceName, second: number): Row[] {
  const [before, now] = [HEALTHY.services[name], system.services[name]];
  const { matchedLeast, incompatible } = second >= ONSET_SECONDS ? now : before;
  const { sensorId } = TOPOLOGY[name];
  const published = counted(before.published, now.published, second);
  return [
    ["cms_dds_matched_endpoints", own(name), matchedLeast],
    ["cms_dds_incompatible_qos_total", own(name), incompatible],
    ["cms_dds_samples_lost_total", own(name), 0],
    [
      "cms_log_records_total",
      own(name, { level: "WARN" }),
      counted(before.warnings, now.warnings, second),
    ],
    ...(sensorId === undefined
      ? []
      : [["cms_sensor_published_total", own(name, { sensor_id: sensorId }), published] as const]),
    ...(name === "track-fusion" ? fusionRows(system, second) : []),
  ];
}

function fusionRows(system: SystemNumbers, second: number): Row[] {
  const now = second >= ONSET_SECONDS ? system : HEALTHY;
  const fusion = own("track-fusion");
  const ingested = Object.entries(system.ingested).map(
    ([sensor_id, rate]) =>
      [{ ...fusion, sensor_id }, counted(HEALTHY.ingested[sensor_id] ?? 0, rate, second)] as const,
  );
  const total = ingested.reduce((sum, [, value]) => sum + value, 0);
  // Every item has the duration of the 95th percentile.
  const took = (bound: number): number =>
    counted(
      Number(HEALTHY.p95Seconds <= bound) * 46,
      Number(system.p95Seconds <= bound) * 46,
      second,
    );
  return [
    ...ingested.map(([labels, value]): Row => ["cms_fusion_ingested_total", labels, value]),
    ["cms_fusion_published_total", fusion, total],
    ...BUCKETS.map((bound): Row => {
      const le = bound === Number.POSITIVE_INFINITY ? "+Inf" : String(bound);
      return ["cms_fusion_processing_seconds_bucket", { ...fusion, le }, took(bound)];
    }),
    ["cms_fusion_queue_depth", fusion, now.queueDepth],
    ["cms_fusion_active_tracks", fusion, now.activeTracks],
    [
      "cms_fusion_contributors_changed_total",
      { ...fusion, change: "removed" },
      now.contributorsRemoved,
    ],
  ];
}

export interface Span {
  readonly service: ServiceName;
  readonly name: string;
  readonly atSeconds: number;
  readonly durationMs: number;
}

/**
 * Spans of the middle of the flow: a few in health, and a few shortly before the investigator
 * looks.
 */
export function spansOf(system: SystemNumbers, startSeconds: number): Span[] {
  return [20, 25, 30, NOW_SECONDS - 20, NOW_SECONDS - 15, NOW_SECONDS - 10].flatMap((second) => {
    const now = second < ONSET_SECONDS ? HEALTHY : system;
    const fusion = now.services["track-fusion"];
    if (!fusion.running || !fusion.up) return [];
    const atSeconds = startSeconds + second;
    return [
      {
        service: "track-fusion",
        name: "fusion.ingest",
        atSeconds,
        durationMs: now.p95Seconds * 1000,
      },
      { service: "threat-evaluator", name: "threat.evaluate", atSeconds, durationMs: 0.2 },
    ] as const;
  });
}

export interface LogLine {
  readonly service: ServiceName;
  readonly atSeconds: number;
  readonly line: string;
}

/**
 * The log lines of a system: each event at the onset and again shortly before the investigator
 * looks.
 */
export function logLinesOf(system: SystemNumbers, startSeconds: number): LogLine[] {
  return SERVICES.flatMap((service) =>
    Object.entries(system.services[service].events).flatMap(([event, detail]) =>
      [ONSET_SECONDS, NOW_SECONDS - STEP_SECONDS].map((second) => ({
        service,
        atSeconds: startSeconds + second,
        line: JSON.stringify({ event, detail }),
      })),
    ),
  );
}

/**
 * Observes a healthy lab for hours: its resources must not grow, no process may end, and no alert
 * may fire. Data that the stores retain must stay within their limits for the whole retention.
 */
import { loadavg } from "node:os";
import { systemClock } from "../base/clock.ts";
import { processEnv } from "../base/env.ts";
import { CancelledError, messageOf } from "../base/errors.ts";
import { createPrometheusClient, type PrometheusClient } from "../base/prometheus.ts";
import type { Lab } from "../lab/lab.ts";
import { PARTS } from "../lab/native/layout.ts";
import { maxTelemetryMib } from "../lab/native/programs.ts";
import type { Figure } from "./figure.ts";
import { type Footprint, footprintOf, leftoversOf, membersOf } from "./footprint.ts";
import { growthPerHour, type Point, settled } from "./trend.ts";

export interface SoakOptions {
  readonly lab: Lab;
  readonly index: number;
  readonly projectDir: string;
  readonly hours: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const HOUR_MS = 3_600_000;
const LOOK_EVERY_MS = 10_000;
const SAY_EVERY_MS = 300_000;
const MIB = 2 ** 20;

/** For eight services, supervisor and daemon: 1 MiB per hour each. */
const SERVICES_MIB_PER_HOUR = 10;
/** Prometheus keeps two to three hours of samples in memory, so it grows for that time. */
const PARTS_MIB_PER_HOUR = 60;
/** A reconnecting exporter or a running query holds a few for a moment. */
const DESCRIPTORS_PER_HOUR = 4;
const SERIES_PER_HOUR = 10;
/** Limits in `retention.ts` and in Prometheus' flags. */
const TELEMETRY_MIB = 4096;
const PROMETHEUS_MIB = 2048;
/** Free pages and a restarted write-ahead log also use disk space. */
const DISK_RESERVE = 1.25;

/** One observation of the lab. */
interface Look {
  readonly atMs: number;
  /** Load average of the machine over the last minute: what else it does. */
  readonly load: number;
  readonly footprint: Footprint;
  readonly series: number;
  readonly firing: readonly string[];
  /** Programs that are not the same as at the start. */
  readonly changed: readonly string[];
}

/** Starts the lab, observes it and takes it down; returns the figures. */
export async function soak(options: SoakOptions): Promise<Figure[]> {
  const { lab, index, projectDir, hours, signal, say } = options;
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  await lab.up({ keepTelemetry: false, signal, onProgress: say });
  const startedMs = systemClock.monotonicMs();
  const startedUnixMs = systemClock.nowMs();
  const look = await watcher(options, prometheus);
  const looks: Look[] = [];
  const failed: string[] = [];
  let saidMs = 0;
  try {
    for (;;) {
      const atMs = systemClock.monotonicMs() - startedMs;
      try {
        looks.push(await look(atMs));
      } catch (error) {
        // A part that does not answer is a finding, and no reason to stop looking.
        failed.push(`${inMinutes(atMs)}: ${messageOf(error)}`);
      }
      if (atMs >= hours * HOUR_MS) break;
      if (atMs - saidMs >= SAY_EVERY_MS) {
        saidMs = atMs;
        say(describe(looks));
      }
      await systemClock.sleep(LOOK_EVERY_MS, signal);
    }
  } catch (error) {
    // After Ctrl-C, figures so far are shown; the one of the duration fails.
    if (!(error instanceof CancelledError)) throw error;
  }
  const range = { startUnixMs: startedUnixMs, endUnixMs: systemClock.nowMs() };
  // Whoever told this program to stop may have told Prometheus, too.
  const history = await historyOf(prometheus, range).catch((error: unknown) => [
    count("questions about the whole time without an answer", [messageOf(error)]),
  ]);
  await lab.down();
  const left = leftoversOf(projectDir, index);
  return [
    ...figuresOf(looks, hours),
    ...history,
    count("looks that failed", failed),
    count("left behind after down", left),
  ];
}

/** Returns a function that observes the lab and compares its programs with the current ones. */
async function watcher(
  { lab, projectDir, index }: SoakOptions,
  prometheus: PrometheusClient,
): Promise<(atMs: number) => Promise<Look>> {
  const first = await lab.status();
  const members = first === null ? [] : membersOf(first);
  const statusUrl = `http://localhost:${lab.ports.prometheus}/api/v1/status/tsdb`;
  return async (atMs) => {
    const status = await lab.status();
    const now = new Map((status === null ? [] : membersOf(status)).map((m) => [m.name, m.pid]));
    const reply = (await (await fetch(statusUrl)).json()) as TsdbStatus;
    const alerts = await prometheus.alerts();
    const firing = alerts.filter(({ state }) => state === "firing");
    return {
      atMs,
      load: loadavg()[0] ?? Number.NaN,
      footprint: footprintOf(members, projectDir, index),
      series: reply.data.headStats.numSeries,
      firing: firing.map(({ labels }) => nameOf(labels)),
      changed: members.filter(({ name, pid }) => now.get(name) !== pid).map(({ name }) => name),
    };
  };
}

interface TsdbStatus {
  readonly data: { readonly headStats: { readonly numSeries: number } };
}

const nameOf = (labels: Readonly<Record<string, string>>): string =>
  [labels["alertname"], labels["instance"]].filter(Boolean).join(" ");

const PART_NAMES: ReadonlySet<string> = new Set(PARTS);

const memoryOf = ({ memory }: Footprint, parts: boolean): number =>
  [...memory].reduce((sum, [name, bytes]) => sum + (PART_NAMES.has(name) === parts ? bytes : 0), 0);

const inMinutes = (ms: number): string => `${(ms / 60_000).toFixed(0)} min`;

function describe(looks: readonly Look[]): string {
  const last = looks.at(-1);
  if (last === undefined) return "nothing measured yet";
  const { footprint, series } = last;
  const alerts = new Set(looks.flatMap(({ firing }) => firing));
  return [
    inMinutes(last.atMs),
    `load ${last.load.toFixed(1)}`,
    `services ${(memoryOf(footprint, false) / MIB).toFixed(0)} MiB`,
    `parts ${(memoryOf(footprint, true) / MIB).toFixed(0)} MiB`,
    `${footprint.descriptors} descriptors`,
    `${series} series`,
    alerts.size === 0 ? "no alert fired" : `fired: ${[...alerts].join(", ")}`,
  ].join(", ");
}

type Measure = (look: Look) => number;

const pointsOf = (looks: readonly Look[], measure: Measure): readonly Point[] =>
  settled(looks.map((look) => ({ atMs: look.atMs, value: measure(look) })));

function figuresOf(looks: readonly Look[], hours: number): Figure[] {
  const last = looks.at(-1);
  const distinct = (namesOf: (look: Look) => readonly string[]): string[] => [
    ...new Set(looks.flatMap(namesOf)),
  ];
  return [
    {
      name: "length",
      value: (last?.atMs ?? 0) / HOUR_MS,
      limit: hours,
      atLeast: true,
      unit: "h",
    },
    ...growthFigures(looks),
    unchanged("namespaces", looks, ({ footprint }) => footprint.namespaces),
    unchanged("control groups", looks, ({ footprint }) => footprint.groups),
    ...diskFigures(looks),
    count(
      "programs that ended or were replaced",
      distinct((look) => look.changed),
    ),
    count("alerts that were seen firing", firstSeen(looks)),
  ];
}

/** Each alert with the time when it was first seen firing, and the machine's load then. */
function firstSeen(looks: readonly Look[]): string[] {
  const seen = new Map<string, string>();
  for (const { atMs, load, firing } of looks) {
    const when = `after ${inMinutes(atMs)} at load ${load.toFixed(0)}`;
    for (const name of firing) if (!seen.has(name)) seen.set(name, `${name} ${when}`);
  }
  return [...seen.values()];
}

/** Quantities that must not grow beyond random variation. */
function growthFigures(looks: readonly Look[]): Figure[] {
  const mib =
    (parts: boolean): Measure =>
    ({ footprint }) =>
      memoryOf(footprint, parts) / MIB;
  const rows: readonly (readonly [string, Measure, number, string])[] = [
    ["memory of services", mib(false), SERVICES_MIB_PER_HOUR, "MiB"],
    ["memory of Prometheus and telemetry server", mib(true), PARTS_MIB_PER_HOUR, "MiB"],
    ["descriptors", ({ footprint }) => footprint.descriptors, DESCRIPTORS_PER_HOUR, ""],
    ["series in Prometheus", ({ series }) => series, SERIES_PER_HOUR, ""],
  ];
  return rows.map(([name, measure, limit, unit]) => {
    const points = pointsOf(looks, measure);
    const ends = [points[0]?.value, points.at(-1)?.value].map((value) => value?.toFixed(0));
    return {
      name: `${name}, growth`,
      value: growthPerHour(points),
      limit,
      unit: `${unit}/h`,
      note: `from ${ends.join(" to ")}`,
    };
  });
}

/** A number that must stay constant. */
function unchanged(name: string, looks: readonly Look[], measure: Measure): Figure {
  const values = pointsOf(looks, measure).map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { name: `${name}, change`, value: high - low, limit: 0, unit: "", note: `up to ${high}` };
}

/** Stores are bounded by size: at the limit, the oldest data is removed. */
function diskFigures(looks: readonly Look[]): Figure[] {
  const largest = (name: string, limit: number, measure: Measure): Figure => {
    const points = looks.map((look) => measure(look) / MIB);
    const perHour = growthPerHour(pointsOf(looks, measure)) / MIB;
    const note = `${perHour.toFixed(1)} MiB/h, at the end ${points.at(-1)?.toFixed(0)}`;
    return {
      name: `${name} on disk, largest`,
      value: Math.max(...points),
      limit,
      unit: "MiB",
      note,
    };
  };
  const telemetryMib = maxTelemetryMib(processEnv()) ?? TELEMETRY_MIB;
  return [
    largest("telemetry", telemetryMib * DISK_RESERVE, ({ footprint }) => footprint.telemetryBytes),
    largest("Prometheus", PROMETHEUS_MIB, ({ footprint }) => footprint.prometheusBytes),
  ];
}

const count = (name: string, names: readonly string[]): Figure => ({
  name,
  value: names.length,
  limit: 0,
  unit: "",
  note: names.join(", "),
});

/** Prometheus' own history of the time between observations. */
async function historyOf(
  prometheus: PrometheusClient,
  { startUnixMs, endUnixMs }: { readonly startUnixMs: number; readonly endUnixMs: number },
): Promise<Figure[]> {
  // A range has at most 11,000 points.
  const step = Math.max(5, Math.ceil((endUnixMs - startUnixMs) / 10_000_000));
  const range = (query: string): ReturnType<PrometheusClient["range"]> =>
    prometheus.range(query, startUnixMs, endUnixMs, step);
  const fired = await range('ALERTS{alertstate="firing"}');
  const failed = await range('up{job="cms-services"} == 0');
  const tracks = await range('min(cms_fusion_active_tracks{job="cms-services"})');
  const values = tracks.flatMap(({ points }) => points.map(([, value]) => value));
  return [
    count(
      "alerts that fired, by Prometheus' own record",
      fired.map(({ labels }) => nameOf(labels)),
    ),
    {
      name: `steps of ${step} s with a failed scrape`,
      value: failed.reduce((sum, { points }) => sum + points.length, 0),
      limit: 0,
      unit: "",
      note: failed.map(({ labels }) => labels["instance"]).join(", "),
    },
    {
      name: "fewest tracks",
      value: values.length === 0 ? Number.NaN : Math.min(...values),
      limit: 3,
      atLeast: true,
      unit: "",
    },
  ];
}

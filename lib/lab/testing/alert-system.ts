/**
 * A synthetic system: its values as a function of time, and its series in promtool's notation.
 * Tests of the alert rules change the values; nothing is measured.
 */
import { SERVICES, type ServiceName, TOPOLOGY } from "../../contract/topology.ts";

/** Seconds between two samples of a series. */
export const STEP_SECONDS = 5;

/** The values at one time. Rates are per second, times in seconds. */
export interface Moment {
  /** Services whose scrape fails. */
  readonly down: readonly ServiceName[];
  /** Services whose process starts at this time, with counters at 0. */
  readonly starting: readonly ServiceName[];
  /** Services that push no telemetry. */
  readonly silent: readonly ServiceName[];
  readonly memoryBytes: Readonly<Partial<Record<ServiceName, number>>>;
  readonly logRates: Readonly<Partial<Record<ServiceName, number>>>;
  /** Observations of each sensor per target, found or not. */
  readonly sensorRates: Readonly<Record<string, number>>;
  readonly published: number;
  readonly fusionPublished: number;
  readonly evaluated: number;
  readonly orders: number;
  readonly transitions: number;
  readonly displayed: number;
  readonly contributorsRemoved: number;
  readonly fusionTracks: number;
  readonly displayTracks: number;
  readonly queueDepth: number;
  readonly fusionMemoryBytes: number;
  /** By histogram. */
  readonly latencies: Readonly<Record<Histogram, number>>;
}

/** Histograms used by rules, with their exporters and labels. */
const HISTOGRAMS = {
  cms_sensor_publish_seconds: ["radar-sensor", 'sensor_id="RADAR-1"'],
  cms_fusion_processing_seconds: ["track-fusion", ""],
  cms_threat_processing_seconds: ["threat-evaluator", ""],
  cms_command_processing_seconds: ["command-center", ""],
  cms_engagement_duration_seconds: ["effector-manager", ""],
  cms_display_handler_seconds: ["tactical-display", 'topic="TacticalTrackTopic"'],
  cms_display_track_age_seconds: ["tactical-display", ""],
} as const;
type Histogram = keyof typeof HISTOGRAMS;
const BOUNDS = [0.05, 0.1, 0.5, 1, 2.5, 10, 30, Infinity];

export const HEALTHY: Moment = {
  down: [],
  starting: [],
  silent: [],
  memoryBytes: {},
  logRates: {},
  sensorRates: { "RADAR-1": 30, "ESM-2": 15, "EO-3": 6 },
  published: 45,
  fusionPublished: 45,
  evaluated: 45,
  orders: 0.1,
  transitions: 0.3,
  displayed: 45,
  contributorsRemoved: 0,
  fusionTracks: 3,
  displayTracks: 3,
  queueDepth: 0,
  fusionMemoryBytes: 100e6,
  latencies: {
    cms_sensor_publish_seconds: 0.0001,
    cms_fusion_processing_seconds: 0.002,
    cms_threat_processing_seconds: 0.001,
    cms_command_processing_seconds: 0.001,
    cms_engagement_duration_seconds: 8,
    cms_display_handler_seconds: 0.001,
    cms_display_track_age_seconds: 0.03,
  },
};

/** The series of a system over `seconds`, by name and labels: promtool's `input_series`. */
export function seriesOf(seconds: number, at: (second: number) => Moment): InputSeries[] {
  const recorder = new Recorder();
  for (let second = 0; second <= seconds; second += STEP_SECONDS) {
    recorder.take(second, at(second));
  }
  return recorder.series();
}

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/** A sample, a gap, or the end of the series. */
type Value = number | "_" | "stale";

class Recorder {
  readonly #samples = new Map<string, Value[]>();
  /** Running totals by series. */
  readonly #totals = new Map<string, number>();
  readonly #started = new Map<ServiceName, number>();
  #steps = 0;

  take(second: number, moment: Moment): void {
    for (const service of moment.starting) {
      this.#started.set(service, second);
      for (const key of this.#totals.keys()) {
        if (key.includes(instanceOf(service))) this.#totals.set(key, 0);
      }
    }
    for (const service of SERVICES) this.#service(service, moment);
    this.#sensors(moment);
    this.#counters(moment);
    for (const [name, value] of Object.entries(moment.latencies)) {
      this.#histogram(name as Histogram, value, moment);
    }
    this.#steps++;
    // A series that is absent from this step has ended.
    for (const samples of this.#samples.values()) {
      if (samples.length < this.#steps) samples.push(samples.at(-1) === "_" ? "_" : "stale");
    }
  }

  series(): InputSeries[] {
    return [...this.#samples].map(([series, samples]) => ({ series, values: samples.join(" ") }));
  }

  #service(service: ServiceName, moment: Moment): void {
    const { down, silent, memoryBytes, logRates } = moment;
    this.#show(`up{job="cms-services",${instanceOf(service)}}`, down.includes(service) ? 0 : 1);
    this.#show(`container_start_time_seconds{name="${service}"}`, this.#started.get(service) ?? 0);
    this.#show(`container_memory_rss{name="${service}"}`, memoryBytes[service] ?? 80e6);
    this.#count(service, "cms_log_records_total", 'level="INFO"', logRates[service] ?? 0.1, moment);
    if (!silent.includes(service)) {
      this.#show(`otlp_cms_dds_matched_endpoints{job="otlp",service_name="${service}"}`, 1);
    }
  }

  #sensors(moment: Moment): void {
    for (const service of SERVICES) {
      const { sensorId } = TOPOLOGY[service];
      if (sensorId === undefined) continue;
      const rate = moment.sensorRates[sensorId] ?? 0;
      const label = `sensor_id="${sensorId}"`;
      const published = moment.published === 0 ? 0 : 0.9 * rate;
      this.#count(service, "cms_sensor_published_total", label, published, moment);
      this.#count(service, "cms_sensor_undetected_total", label, rate - published, moment);
    }
  }

  #counters(moment: Moment): void {
    const fusion = "track-fusion";
    const removed = moment.contributorsRemoved;
    this.#count(fusion, "cms_fusion_published_total", "", moment.fusionPublished, moment);
    this.#count(
      fusion,
      "cms_fusion_contributors_changed_total",
      'change="removed"',
      removed,
      moment,
    );
    this.#count(
      "threat-evaluator",
      "cms_threat_evaluated_total",
      'level="HIGH"',
      moment.evaluated,
      moment,
    );
    this.#count(
      "command-center",
      "cms_orders_issued_total",
      'action="ENGAGE"',
      moment.orders,
      moment,
    );
    const status = 'status="ACCEPTED"';
    this.#count(
      "effector-manager",
      "cms_engagement_transitions_total",
      status,
      moment.transitions,
      moment,
    );
    const topic = 'topic="TacticalTrackTopic"';
    this.#count("tactical-display", "cms_display_received_total", topic, moment.displayed, moment);
    this.#gauge(fusion, "cms_fusion_active_tracks", moment.fusionTracks, moment);
    this.#gauge(fusion, "cms_fusion_queue_depth", moment.queueDepth, moment);
    this.#gauge(fusion, "cms_fusion_memory_bytes", moment.fusionMemoryBytes, moment);
    this.#gauge("tactical-display", "cms_display_active_tracks", moment.displayTracks, moment);
  }

  #histogram(name: Histogram, seconds: number, moment: Moment): void {
    const [service, labels] = HISTOGRAMS[name];
    for (const bound of BOUNDS) {
      const le = `le="${bound === Infinity ? "+Inf" : bound}"`;
      const all = labels === "" ? le : `${labels},${le}`;
      this.#count(service, `${name}_bucket`, all, seconds <= bound ? 1 : 0, moment);
    }
  }

  #gauge(service: ServiceName, name: string, value: number, { down }: Moment): void {
    if (down.includes(service)) return;
    this.#show(`${name}{job="cms-services",${instanceOf(service)}}`, value);
  }

  #count(service: ServiceName, name: string, labels: string, rate: number, moment: Moment): void {
    const own = `job="cms-services",${instanceOf(service)}`;
    const series = `${name}{${labels === "" ? own : `${own},${labels}`}}`;
    const total = (this.#totals.get(series) ?? 0) + rate * STEP_SECONDS;
    this.#totals.set(series, total);
    if (!moment.down.includes(service)) this.#show(series, Math.round(total * 1000) / 1000);
  }

  #show(series: string, value: number): void {
    const samples =
      this.#samples.get(series) ?? Array.from({ length: this.#steps }, (): Value => "_");
    samples.push(value);
    this.#samples.set(series, samples);
  }
}

const instanceOf = (service: ServiceName): string =>
  `instance="${service}:${TOPOLOGY[service].metricsPort}"`;

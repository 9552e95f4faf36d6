/**
 * Checks the data flow: every service is scraped, every sensor has its rate, three tracks exist,
 * and orders are sent.
 */
import { processEnv } from "../../base/env.ts";
import type { PrometheusClient } from "../../base/prometheus.ts";
import type { Observation } from "../../base/wait.ts";
import { DEFAULT_FLEET, readFleet } from "../../contract/fleet.ts";
import { SERVICES, serviceOfSensor, TOPOLOGY } from "../../contract/topology.ts";

interface Flow {
  readonly what: string;
  readonly query: string;
  readonly min: number;
  readonly max?: number;
}

/** Minimum and maximum share of a sensor's nominal rate: the camera detects 70 %. */
const MIN_SHARE = 0.5;
const MAX_SHARE = 1.3;
/** The limits of the alerts on latency and queue length. */
const MAX_P95_SECONDS = 0.5;
const MAX_QUEUE = 1000;

const JOB = 'job="cms-services"';

/** Checks all flows once; `seen` has the values outside their limits, or all of them. */
export async function lookAtFlow(prometheus: PrometheusClient): Promise<Observation<never>> {
  const looks = await Promise.all(
    flows().map(async ({ what, query, min, max = Infinity }) => {
      const value = (await prometheus.instant(query))[0]?.value;
      const ok = value !== undefined && value >= min && value <= max;
      return { ok, seen: `${what} ${value === undefined ? "no data" : shortened(value)}` };
    }),
  );
  const bad = looks.filter(({ ok }) => !ok);
  return {
    ok: bad.length === 0,
    seen: (bad.length === 0 ? looks : bad).map(({ seen }) => seen).join(", "),
  };
}

function flows(): Flow[] {
  const { targets, sensors } = readFleet(processEnv());
  const exactly = (value: number) => ({ min: value, max: value });
  return [
    {
      what: "services scraped",
      query: `sum(min_over_time(up{${JOB}}[10s]))`,
      ...exactly(SERVICES.length),
    },
    {
      what: "tracks in fusion",
      query: `min_over_time(cms_fusion_active_tracks{${JOB}}[10s])`,
      ...exactly(targets),
    },
    {
      what: "tracks on display",
      query: `min_over_time(cms_display_active_tracks{${JOB}}[10s])`,
      ...exactly(targets),
    },
    ...sensors.flatMap((id) => sensorFlows(id, targets / DEFAULT_FLEET.targets)),
    {
      what: "p95 of fusion in seconds",
      query: `histogram_quantile(0.95, sum(rate(cms_fusion_processing_seconds_bucket{${JOB}}[30s])) by (le))`,
      min: 0,
      max: MAX_P95_SECONDS,
    },
    {
      what: "queue",
      query: `max(cms_fusion_queue_depth{${JOB}})`,
      min: 0,
      max: MAX_QUEUE,
    },
    {
      what: "assessments/s",
      query: `sum(rate(cms_threat_evaluated_total{${JOB}}[20s]))`,
      min: 0.1,
    },
    // Orders are repeated every 20 s.
    {
      what: "orders issued in 45 s",
      query: `sum(increase(cms_orders_issued_total{${JOB}}[45s]))`,
      min: 0.5,
    },
    {
      what: "orders received in 45 s",
      query: `sum(increase(cms_orders_received_total{${JOB}}[45s]))`,
      min: 0.5,
    },
  ];
}

function sensorFlows(id: string, fleetShare: number): Flow[] {
  const service = serviceOfSensor(id);
  const nominal = (service === undefined ? 0 : (TOPOLOGY[service].nominalRateHz ?? 0)) * fleetShare;
  const rate = (metric: string): string => `sum(rate(${metric}{${JOB},sensor_id="${id}"}[20s]))`;
  const limits = { min: MIN_SHARE * nominal, max: MAX_SHARE * nominal };
  return [
    { what: `${id} published/s`, query: rate("cms_sensor_published_total"), ...limits },
    { what: `${id} ingested/s`, query: rate("cms_fusion_ingested_total"), ...limits },
  ];
}

const shortened = (value: number): string => String(Number(value.toPrecision(3)));

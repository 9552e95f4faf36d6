/**
 * Measures the real services with many targets: the share of one core that fusion, evaluator and
 * display need at the sensors' rates. They run as processes on loopback, with one trace in a
 * hundred sampled; the ports of their metrics must be free.
 */
import { loopbackConfig } from "../../../ffi/testing/domain.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { EnvironmentError } from "../../../lib/base/errors.ts";
import { useOf } from "../../../lib/lab/native/host-processes.ts";
import { type ServiceName, TOPOLOGY } from "../../../lib/contract/topology.ts";
import { type Figure, figure } from "../../../lib/base/figure.ts";

const COUNTS = [3, 100, 1000];
const MEASURED: readonly ServiceName[] = ["track-fusion", "threat-evaluator", "tactical-display"];
const SENSORS: readonly ServiceName[] = ["radar-sensor", "esm-sensor", "eo-sensor"];
/** Time for discovery, the first tracks, and JavaScript's compilers. */
const WARM_UP_MS = 15_000;
const MEASURE_MS = 20_000;

export async function systemFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  let first: number | undefined;
  for (const targets of COUNTS) {
    const { shares, offered, ingested } = await run(targets);
    const total = shares.reduce((sum, share) => sum + share, 0);
    figures.push(
      ...MEASURED.map((name, i) =>
        figure(`${targets} targets: ${name}, share of a core`, shares[i] ?? 0, "1"),
      ),
      figure(`${targets} targets: the three together`, total, "1"),
      figure(`${targets} targets: source tracks taken in`, ingested, "1/s", offered),
      figure(
        `${targets} targets: processor time a source track`,
        (total / ingested) * 1e6,
        "us",
        first,
      ),
    );
    first ??= (total / ingested) * 1e6;
  }
  return figures;
}

interface Sample {
  readonly atMs: number;
  readonly cpuSeconds: readonly number[];
  readonly offered: number;
  readonly ingested: number;
}

async function run(targets: number) {
  const configXml = loopbackConfig(`bench-system-${targets}`);
  const children = [...MEASURED, ...SENSORS].map((name) =>
    Bun.spawn([process.execPath, new URL(`../../${name}/main.ts`, import.meta.url).pathname], {
      env: {
        PATH: "/usr/bin:/bin",
        CMS_TARGETS: String(targets),
        CYCLONEDDS_URI: configXml,
        OTEL_SDK_DISABLED: "true",
        OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.01",
      },
      stdout: "ignore",
      stderr: "inherit",
    }),
  );
  try {
    const pids = children.slice(0, MEASURED.length).map(({ pid }) => pid);
    await systemClock.sleep(WARM_UP_MS);
    const before = await sample(pids);
    await systemClock.sleep(MEASURE_MS);
    const after = await sample(pids);
    const seconds = (after.atMs - before.atMs) / 1000;
    return {
      shares: after.cpuSeconds.map((cpu, i) => (cpu - (before.cpuSeconds[i] ?? 0)) / seconds),
      offered: (after.offered - before.offered) / seconds,
      ingested: (after.ingested - before.ingested) / seconds,
    };
  } finally {
    for (const child of children) child.kill();
    await Promise.all(children.map(({ exited }) => exited));
  }
}

async function sample(pids: readonly number[]): Promise<Sample> {
  const offered = await Promise.all(
    SENSORS.map((name) => totalOf(name, "cms_sensor_published_total")),
  );
  return {
    atMs: systemClock.monotonicMs(),
    cpuSeconds: pids.map((pid) => useOf([pid]).cpuSeconds),
    offered: offered.reduce((sum, value) => sum + value, 0),
    ingested: await totalOf("track-fusion", "cms_fusion_ingested_total"),
  };
}

/** The sum of a metric's series in a service's /metrics. */
async function totalOf(name: ServiceName, metric: string): Promise<number> {
  const url = `http://127.0.0.1:${TOPOLOGY[name].metricsPort}/metrics`;
  const response = await fetch(url).catch((cause: unknown) => {
    throw new EnvironmentError(`Cannot read the metrics of ${name} at ${url}`, { cause });
  });
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith(metric));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

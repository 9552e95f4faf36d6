/**
 * What OpenTelemetry costs on the data path: track-fusion at 600 source tracks a second, with export to a real
 * receiver and with OTEL_SDK_DISABLED=true. CPU is the process's own; latency is seen from outside, from the write
 * of a source track to the arrival of the tactical track that carries its trace. Runs in turn, median of five.
 *
 * Needs root: ports of a service are fixed, so all of it runs in a network namespace of its own.
 * Both sides keep the /metrics page and the log lines on standard output; they differ in the push alone.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { processEnv } from "../../base/env.ts";
import { EnvironmentError } from "../../base/errors.ts";
import { waitUntil } from "../../base/wait.ts";
import { type Load, openLoad } from "./load.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const ROUNDS = 5;
const WARM_UP_MS = 4000;
const MEASURE_MS = 10_000;
const INSIDE = "--inside";
const TICKS_PER_SECOND = 100;

interface Cost {
  readonly cpuCores: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answered: number;
}

/** User and system time of a process so far, seconds. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name may hold blanks; fields are counted behind its closing bracket, where the third of all is the first.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;

const median = (values: readonly number[]): number => percentile(values, 0.5);

async function stop(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  await child.exited;
}

async function startReceiver(folder: string): Promise<Bun.Subprocess> {
  const program = "observability/server/main.ts";
  const child = Bun.spawn([process.execPath, program, `--data-dir=${folder}`], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "inherit",
  });
  // Its first line says that it is ready.
  const first = await child.stdout.getReader().read();
  if (first.done) throw new EnvironmentError("Cannot start the receiver: it ended at once");
  return child;
}

async function measure(load: Load, isExporting: boolean): Promise<Cost> {
  const fusion = Bun.spawn([process.execPath, "services/track-fusion/main.ts"], {
    cwd: ROOT,
    env: {
      ...processEnv(),
      CYCLONEDDS_URI: load.configXml,
      CMS_DDS_DOMAIN: "0",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
      OTEL_SDK_DISABLED: String(!isExporting),
    },
    stdout: "ignore",
    stderr: "inherit",
  });
  try {
    await waitUntil(() => ({ ok: load.isMatched, seen: "no match" }), {
      what: "track-fusion to be found",
      deadlineMs: 30_000,
      intervalMs: 20,
    });
    load.start();
    await systemClock.sleep(WARM_UP_MS);
    load.reset();
    const [startedMs, startedCpu] = [performance.now(), cpuSeconds(fusion.pid)];
    await systemClock.sleep(MEASURE_MS);
    const cpuCores =
      (cpuSeconds(fusion.pid) - startedCpu) / ((performance.now() - startedMs) / 1000);
    const { sent, latenciesMs } = load.stop();
    return {
      cpuCores,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
      answered: latenciesMs.length / sent,
    };
  } finally {
    await stop(fusion);
  }
}

function print(name: string, value: number, unit: string, reference: number | null): void {
  const ratio = reference === null ? null : value / reference;
  process.stdout.write(`${JSON.stringify({ name, value, unit, reference, ratio })}\n`);
}

async function inside(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "telemetry-bench-"));
  const receiver = await startReceiver(folder);
  const load = openLoad(`telemetry-bench-${process.pid}`);
  try {
    const costs: { on: Cost[]; off: Cost[] } = { on: [], off: [] };
    for (let round = 0; round < ROUNDS; round++) {
      costs.off.push(await measure(load, false));
      costs.on.push(await measure(load, true));
    }
    const of = (side: "on" | "off", what: keyof Cost): number =>
      median(costs[side].map((cost) => cost[what]));
    print("fusion CPU with telemetry", of("on", "cpuCores"), "cores", of("off", "cpuCores"));
    print("fusion p50 with telemetry", of("on", "p50Ms"), "ms", of("off", "p50Ms"));
    print("fusion p99 with telemetry", of("on", "p99Ms"), "ms", of("off", "p99Ms"));
    print("answered with telemetry", of("on", "answered"), "share", of("off", "answered"));
  } finally {
    load.close();
    await stop(receiver);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs this program again in a network of its own; returns its exit code. */
async function outside(): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new EnvironmentError("Cannot measure telemetry: it must run as root, for a network");
  }
  const script = 'ip link set lo up && exec "$@"';
  const again = [process.execPath, import.meta.path, INSIDE];
  const child = Bun.spawn(["unshare", "--net", "sh", "-c", script, "sh", ...again], {
    stdout: "inherit",
    stderr: "inherit",
  });
  return child.exited;
}

if (Bun.argv.includes(INSIDE)) {
  await inside();
  // The participant's threads are gone, but Bun need not know: nothing is left to wait for.
  process.exit(0);
}
process.exit(await outside());

/**
 * Measures the cost of OpenTelemetry on the data path: track-fusion at 600 source tracks a second,
 * with OTEL_SDK_DISABLED=true, and with export to a real receiver. CPU time is the process's own;
 * latency is measured from outside, from the write of a source track to the arrival of the tactical
 * track with the same trace.
 *
 * A round measures both in turn, and its ratios refer to its own run without telemetry; the result
 * is the median of the rounds. Run: bun lib/telemetry/bench/main.ts [--rounds=5].
 *
 * Needs root: services have fixed ports, so everything runs in its own network namespace. It runs
 * with real-time priority (the receiver's is lower), so that other work on the machine matters
 * less. Both arms keep the /metrics page and the log lines on standard output; they differ in the
 * push only.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../../base/clock.ts";
import { processEnv } from "../../base/env.ts";
import { EnvironmentError, UsageError } from "../../base/errors.ts";
import { median, printFigure } from "../../base/figure.ts";
import { waitUntil } from "../../base/wait.ts";
import { useOf } from "../../lab/native/host-processes.ts";
import { type Load, openLoad } from "./load.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const DEFAULT_ROUNDS = 5;
const ARMS = ["off", "on"] as const;
/** Real-time priorities: the measured process has precedence over the receiver of its telemetry. */
const PRIORITY = "2";
const RECEIVER_PRIORITY = "1";
const WARM_UP_MS = 4000;
const MEASURE_MS = 10_000;
const INSIDE = "--inside";

type Arm = (typeof ARMS)[number];

interface Cost {
  readonly cpuCores: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answered: number;
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;

async function stop(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  await child.exited;
}

async function startReceiver(folder: string): Promise<Bun.Subprocess> {
  const program = [process.execPath, "observability/server/main.ts", `--data-dir=${folder}`];
  const child = Bun.spawn(["chrt", "--fifo", RECEIVER_PRIORITY, ...program], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "inherit",
  });
  // Its first line reports that it is ready.
  const first = await child.stdout.getReader().read();
  if (first.done) throw new EnvironmentError("Cannot start the receiver: it ended at once");
  return child;
}

async function measure(load: Load, arm: Arm): Promise<Cost> {
  const fusion = Bun.spawn([process.execPath, "services/track-fusion/main.ts"], {
    cwd: ROOT,
    env: {
      ...processEnv(),
      CYCLONEDDS_URI: load.configXml,
      CMS_DDS_DOMAIN: "0",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
      OTEL_SDK_DISABLED: String(arm === "off"),
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
    const [startedMs, startedCpu] = [performance.now(), useOf([fusion.pid]).cpuSeconds];
    await systemClock.sleep(MEASURE_MS);
    const cpuCores =
      (useOf([fusion.pid]).cpuSeconds - startedCpu) / ((performance.now() - startedMs) / 1000);
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

const FIGURES = [
  { of: "cpuCores", name: "fusion CPU", unit: "cores" },
  { of: "p50Ms", name: "fusion p50", unit: "ms" },
  { of: "p99Ms", name: "fusion p99", unit: "ms" },
  { of: "answered", name: "answered", unit: "share" },
] as const;

type Round = Readonly<Record<Arm, Cost>>;

async function runRound(load: Load, round: number): Promise<Round> {
  const costs = new Map<Arm, Cost>();
  // The order alternates, so that a machine that slows down affects both arms equally.
  for (const arm of round % 2 === 0 ? ARMS : ARMS.toReversed()) {
    costs.set(arm, await measure(load, arm));
  }
  const [off, on] = ARMS.map((arm) => costs.get(arm));
  if (off === undefined || on === undefined) {
    throw new TypeError("Cannot end a round: an arm was not measured");
  }
  const name = `round ${round + 1}, load ${loadavg()[0]?.toFixed(1)}: p99 with export`;
  printFigure(name, on.p99Ms, "ms", off.p99Ms, on.p99Ms / off.p99Ms);
  return { off, on };
}

function printMedians(rounds: readonly Round[]): void {
  for (const { of, name, unit } of FIGURES) {
    const ratio = median(rounds.map(({ off, on }) => on[of] / off[of]));
    const value = median(rounds.map(({ on }) => on[of]));
    const reference = median(rounds.map(({ off }) => off[of]));
    printFigure(`${name} with export`, value, unit, reference, ratio);
  }
}

function roundsFrom(argv: readonly string[]): number {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== INSIDE),
    options: { rounds: { type: "string", default: String(DEFAULT_ROUNDS) } },
  });
  if (!/^[1-9]\d?$/.test(values.rounds)) {
    throw new UsageError(`Cannot use --rounds: it must be from 1 to 99, but is "${values.rounds}"`);
  }
  return Number(values.rounds);
}

async function inside(count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "telemetry-bench-"));
  const receiver = await startReceiver(folder);
  const load = openLoad(`telemetry-bench-${process.pid}`);
  try {
    const rounds: Round[] = [];
    for (let round = 0; round < count; round++) rounds.push(await runRound(load, round));
    printMedians(rounds);
  } finally {
    load.close();
    await stop(receiver);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs this program again in its own network namespace; returns its exit code. */
async function outside(count: number): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new EnvironmentError("Cannot measure telemetry: it must run as root, for a network");
  }
  const script = `ip link set lo up && exec chrt --fifo ${PRIORITY} "$@"`;
  const again = [process.execPath, import.meta.path, INSIDE, `--rounds=${count}`];
  const child = Bun.spawn(["unshare", "--net", "sh", "-c", script, "sh", ...again], {
    stdout: "inherit",
    stderr: "inherit",
  });
  return child.exited;
}

const count = roundsFrom(Bun.argv.slice(2));
if (Bun.argv.includes(INSIDE)) {
  await inside(count);
  // The participant's threads may keep Bun alive, although all work is done.
  process.exit(0);
}
process.exit(await outside(count));

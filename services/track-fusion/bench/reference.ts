/**
 * Measures the tracker on a committed scene, and Stone Soup on the same detections if it is
 * installed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError } from "../../../lib/base/errors.ts";
import { velocitySigmaOf } from "../../../lib/cms/sensor/model.ts";
import { GATE } from "../tracking/gate.ts";
import { PROCESS_NOISE } from "../tracking/kalman.ts";
import { CONFIRM_HITS, CONFIRM_SCANS, MAX_MISSES } from "../tracking/tracker.ts";
import { type Figure, figure } from "../../../lib/base/figure.ts";
import { measure, type TrackLine } from "./measures.ts";
import { Replay } from "./replay.ts";
import { makeScene, type Scene } from "./scenes.ts";

const SEED = 1;
const ROUNDS = 5;
type Line = Parameters<Replay["take"]>[0];

export interface Outcome {
  readonly tracks: readonly TrackLine[];
  readonly cpuSeconds: number;
}

/** The figures of a scene; those of Stone Soup are the reference. */
export async function sceneFigures(name: string, python: string | undefined): Promise<Figure[]> {
  const scene = makeScene(name, SEED);
  const own = runOwn(scene);
  const ours = measure(scene.truth, own.tracks);
  const reference = python === undefined ? undefined : await runStoneSoup(scene, python);
  const theirs = reference === undefined ? undefined : measure(scene.truth, reference.tracks);
  const perSecond = (outcome: Outcome): number => scene.detections.length / outcome.cpuSeconds;
  return [
    figure(`${name}: GOSPA`, ours.gospaM, "m", theirs?.gospaM),
    figure(`${name}: completeness`, ours.completeness, "1", theirs?.completeness),
    figure(`${name}: spurious`, ours.spurious, "1", theirs?.spurious),
    figure(`${name}: position error`, ours.rmsM, "m", theirs?.rmsM),
    figure(
      `${name}: detections by CPU time`,
      perSecond(own),
      "1/s",
      reference === undefined ? undefined : perSecond(reference),
    ),
  ];
}

/**
 * Runs the tracker several times and returns the fastest run: services run for hours, so
 * JavaScript's compilation time should not count. Uses CPU time, so that other work on the machine
 * matters less.
 */
export function runOwn(scene: Scene): Outcome {
  const runs = Array.from({ length: ROUNDS }, () => runOnce(scene));
  return runs.reduce((best, run) => (run.cpuSeconds < best.cpuSeconds ? run : best));
}

function runOnce({ detections }: Scene): Outcome {
  const tracks: TrackLine[] = [];
  const replay = new Replay((line) => tracks.push(line));
  const before = process.cpuUsage();
  for (const line of detections) replay.take(line as unknown as Line);
  replay.finish();
  const { user, system } = process.cpuUsage(before);
  return { tracks, cpuSeconds: (user + system) / 1e6 };
}

async function runStoneSoup({ detections }: Scene, python: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "tracking-"));
  try {
    const file = join(folder, "detections.jsonl");
    writeFileSync(file, detections.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const ids = new Set(detections.map(({ sensor_id: id }) => id));
    const models = {
      processNoise: PROCESS_NOISE,
      gate: GATE[6],
      confirmHits: CONFIRM_HITS,
      confirmScans: CONFIRM_SCANS,
      maxMisses: MAX_MISSES,
      velocitySigmaMps: Object.fromEntries([...ids].map((id) => [id, velocitySigmaOf(id, 50)])),
    };
    const peer = new URL("peer.py", import.meta.url).pathname;
    const child = Bun.spawn([python, peer, file, JSON.stringify(models)], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const lines = (await new Response(child.stdout).text()).trim().split("\n");
    if ((await child.exited) !== 0) {
      throw new EnvironmentError(`Cannot run Stone Soup with ${python}: see above`);
    }
    const { cpu_seconds: cpuSeconds } = JSON.parse(lines.pop() ?? "{}") as { cpu_seconds: number };
    return { tracks: lines.map((line) => JSON.parse(line) as TrackLine), cpuSeconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

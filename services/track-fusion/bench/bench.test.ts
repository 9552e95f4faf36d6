import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPrng } from "../../../lib/base/prng.ts";
import { run } from "../../../lib/base/shell.ts";
import { velocitySigmaOf } from "../../../lib/cms/sensor/model.ts";
import { measure, type TrackLine } from "./measures.ts";
import { runOwn } from "./reference.ts";
import { makeScene, SCENES, type TruthLine } from "./scenes.ts";

const at = (t: number, id: string, x: number): TruthLine => ({ t, id, x, y: 0, z: 0 });
const track = (t: number, id: string, x: number, vx = 0): TrackLine => ({
  ...at(t, id, x),
  vx,
  vy: 0,
  vz: 0,
});

describe("measure()", () => {
  test("GOSPA is the error of the tracks and half a squared cut-off for each missed and each spurious one", () => {
    const truth = [at(0, "a", 0), at(0, "b", 10_000)];
    expect(measure(truth, [track(0, "1", 3), track(0, "2", 10_004)]).gospaM).toBeCloseTo(5, 9);
    expect(measure(truth, [track(0, "1", 3)]).gospaM).toBeCloseTo(Math.sqrt(9 + 500_000), 9);
    const two = [track(0, "1", 3), track(0, "2", 50_000)];
    expect(measure(truth, two).gospaM).toBeCloseTo(Math.sqrt(9 + 1_000_000), 9);
  });

  test("a track is carried on by its velocity for less than a sample and not longer", () => {
    const truth = [0, 1, 2].map((t) => at(t, "a", t * 100));
    const { rmsM, completeness } = measure(truth, [
      track(0, "1", 0, 100),
      track(0.5, "1", 50, 100),
    ]);
    expect(rmsM).toBeCloseTo(0, 9);
    expect(completeness).toBeCloseTo(2 / 3, 9);
  });

  test("completeness counts from a target's first sample with a track, and every target counts", () => {
    const truth = [0, 1, 2, 3].flatMap((t) => [at(t, "a", 0), at(t, "b", 50_000)]);
    const tracks = [1, 2, 3].map((t) => track(t, "1", 0));
    expect(measure(truth, tracks).completeness).toBeCloseTo(0.5, 9);
  });

  test("spurious samples leave out the last one of each track", () => {
    const truth = [0, 1, 2, 3].map((t) => at(t, "a", 0));
    const lost = [0, 1, 2, 3].map((t) => track(t, "1", t < 3 ? 0 : 9000));
    expect(measure(truth, lost).spurious).toBe(0);
    const ghost = [0, 1, 2].map((t) => track(t, "2", 90_000));
    expect(measure(truth, [...lost, ...ghost]).spurious).toBeCloseTo(3 / 8, 9);
  });
});

describe("the scenes", () => {
  test("are the same for the same seed, and others for another", () => {
    expect(makeScene("clutter", 1)).toEqual(makeScene("clutter", 1));
    expect(makeScene("clutter", 2)).not.toEqual(makeScene("clutter", 1));
  });

  test.each(SCENES)(
    "%s is tracked completely, with no ghosts and small errors",
    (name) => {
      const scene = makeScene(name, 3);
      const { completeness, spurious, rmsM } = measure(scene.truth, runOwn(scene).tracks);
      expect(completeness).toBeGreaterThanOrEqual(0.98);
      expect(spurious).toBeLessThanOrEqual(0.01);
      expect(rmsM).toBeLessThan(20);
    },
    60_000,
  );
});

test("velocities that err three times as much as is usual cost accuracy, and not the tracks", () => {
  const scene = makeScene("circles", 2);
  const prng = createPrng(2);
  const detections = scene.detections.map((line) => {
    const sigma = 3 * velocitySigmaOf(line.sensor_id, line.sigma_m);
    const worse = (value: number): number => value + prng.gaussian() * sigma;
    return { ...line, vx: worse(line.vx), vy: worse(line.vy), vz: worse(line.vz) };
  });
  const { tracks } = runOwn({ ...scene, detections });
  const { completeness, spurious, rmsM } = measure(scene.truth, tracks);
  expect(new Set(tracks.map(({ id }) => id)).size).toBe(3);
  expect([completeness, spurious]).toEqual([1, 0]);
  expect(rmsM).toBeLessThan(20);
});

describe("--scene", () => {
  const folder = mkdtempSync(join(tmpdir(), "tracking-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const scene = makeScene("crossing", 1);
  const program = new URL("../../../lib/cli/bench.ts", import.meta.url).pathname;
  const write = (name: string, lines: readonly unknown[]): string => {
    const path = join(folder, name);
    const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
    writeFileSync(path, `${texts.join("\n")}\n`);
    return path;
  };
  const bench = (...args: string[]) =>
    run([process.execPath, program, "tracking", ...args], {
      env: { PATH: "/usr/bin:/bin" },
      timeoutMs: 60_000,
    });

  test("writes confirmed tracks to standard output and the measures of a truth to standard error", async () => {
    const { code, stdout, stderr } = await bench(
      "--scene",
      write("detections.jsonl", scene.detections),
      "--truth",
      write("truth.jsonl", scene.truth),
    );
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as TrackLine);
    expect(Object.keys(lines[0] ?? {})).toEqual(["t", "id", "x", "y", "z", "vx", "vy", "vz"]);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(2);
    const times = new Set(scene.detections.map(({ t }) => t));
    expect(lines.every(({ t }) => times.has(t))).toBe(true);
    const measures = JSON.parse(stderr) as { gospaM: number };
    expect(measures).toEqual(measure(scene.truth, lines));
    expect(measures.gospaM).toBeLessThan(15);
  }, 60_000);

  test("refuses and counts what is not a detection, and tracks the rest", async () => {
    const bad = [
      '{"t":1,"sensor_id":"RADAR-1","x":NaN,"y":0,"z":0,"sigma_m":50}',
      '{"t":1,"sensor_id":"RADAR-1","x":0,"y":0,"z":0,"sigma_m":50,"vx":NaN,"vy":0,"vz":0}',
      '{"t":1,"sensor_id":"RADAR-1","x":0,"y":0,"z":0,"sigma_m":0}',
      "not a line",
    ];
    const path = write("bad.jsonl", [...scene.detections.slice(0, 500), ...bad]);
    const { code, stdout, stderr } = await bench("--scene", path);
    expect(code).toBe(0);
    expect(
      stderr
        .trim()
        .split("\n")
        .toSorted((a, b) => (a < b ? -1 : 1)),
    ).toEqual([
      "refused: 1 detections that are not_json",
      "refused: 1 detections that are not_positive",
      "refused: 2 detections that are not_finite",
    ]);
    expect(new Set(stdout.match(/"id":"[^"]+"/g)).size).toBe(2);
  }, 60_000);

  test("a file that is not there is one line and exit code 1", async () => {
    const { code, stderr } = await bench("--scene", "nowhere.jsonl");
    expect(code).not.toBe(0);
    expect(stderr).toBe("Cannot read nowhere.jsonl: there is no such file\n");
  }, 60_000);
});

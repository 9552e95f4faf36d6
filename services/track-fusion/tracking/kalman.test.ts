import { describe, expect, test } from "bun:test";
import { createPrng } from "../../../lib/base/prng.ts";
import {
  distanceOf,
  type Estimate,
  initiate,
  type Measurement,
  predict,
  update,
} from "./kalman.ts";
import { measurementOf } from "./testing/measurement.ts";

const measurement = (fields: Partial<Measurement> = {}): Measurement =>
  measurementOf({ positionSigmaM: 10, ...fields });

const estimate: Estimate = {
  timeMs: 0,
  position: { x: 100, y: -50, z: 3000 },
  velocity: { x: 10, y: 20, z: 0 },
  pp: 100,
  pv: 5,
  vv: 4,
};

/** The textbook's formulas with full matrices, for one axis, as an independent reference. */
function byMatrices(before: Estimate, dt: number, z: readonly number[], r: readonly number[]) {
  const q = 30;
  const multiply = (a: number[][], b: number[][]): number[][] =>
    a.map((row) =>
      (b[0] ?? []).map((_, j) => row.reduce((s, v, k) => s + v * (b[k]?.[j] ?? 0), 0)),
    );
  const transpose = (a: number[][]): number[][] =>
    (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0));
  const add = (a: number[][], b: number[][], f = 1): number[][] =>
    a.map((row, i) => row.map((v, j) => v + f * (b[i]?.[j] ?? 0)));
  const F = [
    [1, dt],
    [0, 1],
  ];
  const Q = [
    [(q * dt ** 3) / 3, (q * dt ** 2) / 2],
    [(q * dt ** 2) / 2, q * dt],
  ];
  const P0 = [
    [before.pp, before.pv],
    [before.pv, before.vv],
  ];
  const P = add(multiply(multiply(F, P0), transpose(F)), Q);
  const x = multiply(F, [[before.position.x], [before.velocity.x]]);
  const H = z.map((_, i) => [i === 0 ? 1 : 0, i === 1 ? 1 : 0]);
  const R = r.map((v, i) => r.map((_, j) => (i === j ? v : 0)));
  const S = add(multiply(multiply(H, P), transpose(H)), R);
  const [[a = 0, b = 0] = [], [c = 0, d = 0] = []] = S;
  const det = a * d - b * c;
  const inverse =
    z.length === 1
      ? [[1 / a]]
      : [
          [d / det, -b / det],
          [-c / det, a / det],
        ];
  const K = multiply(multiply(P, transpose(H)), inverse);
  const innovation = add(
    z.map((v) => [v]),
    multiply(H, x),
    -1,
  );
  const identity = [
    [1, 0],
    [0, 1],
  ];
  return {
    x: add(x, multiply(K, innovation)).flat(),
    P: multiply(add(identity, multiply(K, H), -1), P).flat(),
    d2: multiply(multiply(transpose(innovation), inverse), innovation)[0]?.[0] ?? 0,
  };
}

describe("the filter", () => {
  test.each([
    ["with", 6, { x: 12, y: 20, z: 0 }],
    ["without", 3, undefined],
  ] as const)("agrees with the matrix formulas, %s a velocity", (_, dof, velocity) => {
    const seen = measurement({
      timeMs: 1500,
      position: { x: 121, y: -20, z: 3000 },
      velocity,
    });
    const predicted = predict(estimate, 1500);
    const after = update(predicted, seen);
    const z = velocity === undefined ? [121] : [121, 12];
    const r = velocity === undefined ? [100] : [100, 25];
    const expected = byMatrices(estimate, 1.5, z, r);
    expect(after.position.x).toBeCloseTo(expected.x[0] ?? 0, 9);
    expect(after.velocity.x).toBeCloseTo(expected.x[1] ?? 0, 9);
    expect([after.pp, after.pv, after.pv, after.vv]).toEqual(
      expected.P.map((value) => expect.closeTo(value, 9) as number),
    );
    // Only the x axis has an innovation: -50 + 1.5 s * 20 m/s = -20 m.
    const { squared, dof: seenDof } = distanceOf(predicted, seen);
    expect(squared).toBeCloseTo(expected.d2, 9);
    expect(seenDof).toBe(dof);
  });

  test("starts with what the measurement says, and with a wide velocity when it says none", () => {
    expect(initiate(measurement())).toMatchObject({ pp: 100, pv: 0, vv: 25 });
    expect(initiate(measurement({ velocity: undefined })).vv).toBe(160_000);
  });

  test("is consistent: its errors are as large as its covariance says", () => {
    const prng = createPrng(3);
    let [squares, count] = [0, 0];
    for (let run = 0; run < 300; run++) {
      const noise = (sigma: number) => ({
        x: prng.gaussian() * sigma,
        y: prng.gaussian() * sigma,
        z: prng.gaussian() * sigma,
      });
      let state = initiate(measurement({ position: noise(10), velocity: noise(5) }));
      for (let step = 1; step <= 20; step++) {
        const seen = measurement({ timeMs: step * 100, position: noise(10), velocity: noise(5) });
        state = update(predict(state, seen.timeMs), seen);
      }
      squares += state.position.x ** 2 / state.pp + state.velocity.x ** 2 / state.vv;
      count += 2;
    }
    // The target does not accelerate, although the filter allows for it: errors are smaller than
    // predicted, but of the same order.
    expect(squares / count).toBeGreaterThan(0.4);
    expect(squares / count).toBeLessThan(1.1);
  });

  test("its distances follow the chi-square distribution", () => {
    const prng = createPrng(4);
    let sum = 0;
    const draws = 5000;
    for (let i = 0; i < draws; i++) {
      const at = (sigma: number) => prng.gaussian() * sigma;
      const predicted = { ...estimate, pv: 0 };
      const [sp, sv] = [Math.sqrt(200), Math.sqrt(29)];
      const { position: p, velocity: v } = predicted;
      const seen = measurement({
        position: { x: p.x + at(sp), y: p.y + at(sp), z: p.z + at(sp) },
        velocity: { x: v.x + at(sv), y: v.y + at(sv), z: v.z + at(sv) },
      });
      sum += distanceOf(predicted, seen).squared;
    }
    expect(sum / draws).toBeGreaterThan(5.8);
    expect(sum / draws).toBeLessThan(6.2);
  });
});

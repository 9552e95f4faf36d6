/**
 * The scenes of the tracking benchmark, made from a seed: the targets' paths, and the detections of
 * three sensors.
 */
import { createPrng, type Prng } from "../../../lib/base/prng.ts";
import type { Vector3 } from "../../../lib/cms/messages.ts";
import { modelOf, type SensorModel } from "../../../lib/cms/sensor/model.ts";
import { DEFAULT_FLEET } from "../../../lib/contract/fleet.ts";
import { SENSOR_IDS } from "../../../lib/contract/topology.ts";
import { makeTargets, stateAt } from "../../../lib/cms/trajectory.ts";
import { plus } from "../../../lib/cms/vector.ts";

/**
 * One detection as a line of a scene's file: times in seconds, other values in metres and metres
 * per second.
 */
export interface DetectionLine {
  readonly t: number;
  readonly arrived: number;
  readonly sensor_id: string;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly sigma_m: number;
  readonly vx: number;
  readonly vy: number;
  readonly vz: number;
}

/** The position of a target, or a track, at a time. */
export interface TruthLine {
  readonly t: number;
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export interface Scene {
  readonly name: string;
  /** In order of arrival. */
  readonly detections: readonly DetectionLine[];
  /** In order of time. */
  readonly truth: readonly TruthLine[];
}

interface State {
  readonly position: Vector3;
  readonly velocity: Vector3;
}

/** A target from `fromS` up to `toS`. */
interface Flight {
  readonly fromS: number;
  readonly toS: number;
  at(seconds: number): State;
}

interface Plan {
  readonly flights: readonly Flight[];
  /** Half the side of the square with false alarms, and their mean number per scan. */
  readonly clutter?: { readonly halfSideM: number; readonly perScan: number };
  readonly durationS?: number;
  /** Replaces the sensors' own probability. */
  readonly detectionProbability?: number;
  /** Delay of a detection, seconds; may be random. */
  readonly delayS?: (prng: Prng) => number;
}

const DURATION_S = 60;
const TRUTH_PERIOD_S = 0.5;
const START_MS = Date.UTC(2026, 0, 1);

const straight = (position: Vector3, velocity: Vector3, fromS = 0, toS = DURATION_S): Flight => ({
  fromS,
  toS,
  at: (seconds) => ({ position: plus(position, velocity, seconds), velocity }),
});

const circles: readonly Flight[] = makeTargets(DEFAULT_FLEET).map((target) => ({
  fromS: 0,
  toS: DURATION_S,
  at: (seconds) => stateAt(target, START_MS + seconds * 1000),
}));

/** Targets over 100 km, each on its own straight course. */
function many(count: number, prng: Prng): Flight[] {
  return Array.from({ length: count }, () => {
    const course = prng.next() * 2 * Math.PI;
    const speed = 150 + prng.next() * 250;
    return straight(
      { x: between(prng, 50_000), y: between(prng, 50_000), z: 2000 + prng.next() * 9000 },
      { x: speed * Math.cos(course), y: speed * Math.sin(course), z: 0 },
    );
  });
}

const between = (prng: Prng, limit: number): number => (2 * prng.next() - 1) * limit;

const PLANS: Readonly<Record<string, (prng: Prng) => Plan>> = {
  circles: () => ({ flights: circles }),
  crossing: () => ({
    flights: [
      straight({ x: -7500, y: -1000, z: 6000 }, { x: 250, y: 33, z: 0 }),
      straight({ x: -7500, y: 1000, z: 6000 }, { x: 250, y: -33, z: 0 }),
    ],
  }),
  parallel: () => ({
    flights: [
      straight({ x: 0, y: 0, z: 8000 }, { x: 230, y: 0, z: 0 }),
      straight({ x: 0, y: 1000, z: 8000 }, { x: 230, y: 0, z: 0 }),
    ],
  }),
  clutter: () => ({ flights: circles, durationS: 20, clutter: { halfSideM: 70_000, perScan: 5 } }),
  misses: () => ({ flights: circles, detectionProbability: 0.5 }),
  "birth-and-death": (prng) => ({
    flights: many(8, prng).map((flight, i) => ({ ...flight, fromS: i * 5, toS: i * 5 + 22 })),
  }),
  late: (prng) => ({
    flights: [...circles, ...many(3, prng)],
    delayS: (each) => (each.next() < 0.3 ? each.next() * 1.5 : 0.01),
  }),
  fifty: (prng) => ({ durationS: 10, flights: many(50, prng) }),
};

export const SCENES = Object.keys(PLANS);

/** Makes a scene; the same name and seed give the same scene. */
export function makeScene(name: string, seed: number): Scene {
  const prng = createPrng(seed).child(name);
  const plan = PLANS[name]?.(prng.child("flights"));
  if (plan === undefined) throw new RangeError(`there is no scene ${name}`);
  const sensors = SENSOR_IDS.map(modelOf);
  const detections = sensors.flatMap((model) => observe(model, plan, prng.child(model.sensorId)));
  return {
    name,
    detections: detections.toSorted((a, b) => a.arrived - b.arrived),
    truth: truthOf(plan),
  };
}

/** `count` targets for the plot of the cost, over an area that grows with their number. */
export function makeCrowd(count: number, seed: number, durationS: number): Scene {
  const prng = createPrng(seed).child(`crowd ${count}`);
  const side = Math.ceil(Math.sqrt(count));
  const flights = many(count, prng).map((flight, i): Flight => {
    const centre = { x: (i % side) * 20_000, y: Math.floor(i / side) * 20_000, z: 5000 };
    const { velocity } = flight.at(0);
    return straight(centre, velocity, 0, durationS);
  });
  const detections = SENSOR_IDS.map(modelOf).flatMap((model) =>
    observe(model, { flights, durationS }, prng.child(model.sensorId)),
  );
  return {
    name: `${count} targets`,
    detections: detections.toSorted((a, b) => a.arrived - b.arrived),
    truth: [],
  };
}

function observe(model: SensorModel, plan: Plan, prng: Prng): DetectionLine[] {
  const { durationS = DURATION_S } = plan;
  const lines: DetectionLine[] = [];
  const probability = plan.detectionProbability ?? model.detectionProbability;
  for (let n = 0; n / model.rateHz < durationS; n++) {
    const t = n / model.rateHz;
    const line = ({ position: p, velocity: v }: State): DetectionLine => ({
      t,
      arrived: t + (plan.delayS?.(prng) ?? 0.01),
      sensor_id: model.sensorId,
      x: p.x + prng.gaussian() * model.positionSigmaM,
      y: p.y + prng.gaussian() * model.positionSigmaM,
      z: p.z + prng.gaussian() * model.positionSigmaM,
      sigma_m: model.positionSigmaM,
      vx: v.x + prng.gaussian() * model.velocitySigmaMps,
      vy: v.y + prng.gaussian() * model.velocitySigmaMps,
      vz: v.z + prng.gaussian() * model.velocitySigmaMps,
    });
    for (const flight of plan.flights) {
      if (t < flight.fromS || t >= flight.toS || prng.next() >= probability) continue;
      lines.push(line(flight.at(t)));
    }
    const { perScan = 0, halfSideM = 0 } = plan.clutter ?? {};
    for (let alarms = poisson(prng, perScan); alarms > 0; alarms--) {
      lines.push(
        line({
          position: {
            x: between(prng, halfSideM),
            y: between(prng, halfSideM),
            z: prng.next() * 12_000,
          },
          velocity: { x: between(prng, 400), y: between(prng, 400), z: between(prng, 20) },
        }),
      );
    }
  }
  return lines;
}

/** A Poisson-distributed number, by Knuth's method. */
function poisson(prng: Prng, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = prng.next(); product > limit; product *= prng.next()) count++;
  return count;
}

function truthOf({ flights, durationS = DURATION_S }: Plan): TruthLine[] {
  const lines: TruthLine[] = [];
  for (let n = 0; n * TRUTH_PERIOD_S < durationS; n++) {
    const t = n * TRUTH_PERIOD_S;
    for (const [i, flight] of flights.entries()) {
      if (t >= flight.fromS && t < flight.toS) {
        lines.push({ t, id: `target-${i + 1}`, ...flight.at(t).position });
      }
    }
  }
  return lines;
}

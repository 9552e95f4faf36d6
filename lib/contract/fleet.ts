/** The number of targets and the sensors, from variables that every part of a lab reads alike. */
import { type Env, integerBetween, numberBetween, type Parser, readEnv } from "../base/env.ts";
import { SENSOR_IDS, sensorKindOf } from "./topology.ts";

export interface Fleet {
  readonly targets: number;
  /** The ids of all sensors. A sensor service runs those of its type. */
  readonly sensors: readonly string[];
  /**
   * Seed of the targets' positions on their circles and of the sensors' noise; undefined: fixed
   * positions, noise seeded by the clock.
   */
  readonly seed: number | undefined;
  /** Minimum distance between two targets, metres. */
  readonly separationM: number;
}

/** The variables of a fleet, which the lab passes to all its programs. */
export const FLEET_VARIABLES = [
  "CMS_TARGETS",
  "CMS_SENSORS",
  "CMS_SEED",
  "CMS_TARGET_SEPARATION_M",
] as const;

export const MAX_TARGETS = 1000;
const MAX_SENSORS = 64;
const MAX_SEED = 2 ** 32 - 1;

export const DEFAULT_FLEET: Fleet = {
  targets: 3,
  sensors: SENSOR_IDS,
  seed: undefined,
  separationM: 20_000,
};

/** Reads the fleet; throws UsageError for the first variable that breaks its rule. */
export function readFleet(env: Env): Fleet {
  const { targets, sensors, seed, separationM } = DEFAULT_FLEET;
  return {
    targets: readEnv(env, "CMS_TARGETS", targets, integerBetween(1, MAX_TARGETS, "targets")),
    sensors: readEnv(env, "CMS_SENSORS", sensors, sensorIds),
    seed: readEnv<number | undefined>(env, "CMS_SEED", seed, integerBetween(0, MAX_SEED, "a seed")),
    separationM: readEnv(
      env,
      "CMS_TARGET_SEPARATION_M",
      separationM,
      numberBetween(100, 100_000, "metres"),
    ),
  };
}

const sensorIds: Parser<readonly string[]> = (text, reject) => {
  const ids = text.split(",").map((id) => id.trim());
  const isValid = ids.every((id) => sensorKindOf(id) !== undefined);
  if (!isValid || new Set(ids).size !== ids.length || ids.length > MAX_SENSORS) {
    reject(`a list of at most ${MAX_SENSORS} different sensors such as RADAR-1,ESM-2,EO-3`);
  }
  return ids;
};

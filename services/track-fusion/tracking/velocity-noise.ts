/**
 * Estimates the noise of the sensors' velocities. Messages do not contain it, so the estimate
 * starts with the usual value for the sensor's type and is adapted to the innovations: Mehra, "On
 * the identification of variances and adaptive Kalman filtering", IEEE Transactions on Automatic
 * Control 15 (1970); with the median in place of the mean, so that false alarms do not count.
 */
import type { Vector3 } from "../../../lib/cms/messages.ts";
import type { Estimate, Measurement } from "./kalman.ts";

/** Minimum number of innovations before a sensor's velocities may exclude a pair. */
const MIN_SAMPLES = 15;
/** Number of innovations that are kept: some seconds. */
const MAX_SAMPLES = 201;
/**
 * Samples between two updates of the median until the buffer is full; later a full set of new ones.
 */
const FEW = 10;
/** Median of the chi-square distribution with three degrees of freedom. */
const MEDIAN_CHI2_3 = 2.366;
/** The usual noise is used while the variance differs from it by no more than this factor. */
const TOLERANCE = 1.8;
/** Limits of the estimate, as factors of the usual standard deviation. */
const [MIN_FACTOR, MAX_FACTOR] = [0.25, 50];

interface SensorNoise {
  /** Squared innovations, corrected for the track's own uncertainty; a ring buffer. */
  readonly samples: number[];
  total: number;
  sigmaMps: number;
}

export class VelocityNoise {
  readonly #sensors = new Map<string, SensorNoise>();

  /** Whether the velocity noise of this sensor is known well enough to tell targets apart. */
  isKnown(sensorId: string): boolean {
    return (this.#sensors.get(sensorId)?.total ?? 0) >= MIN_SAMPLES;
  }

  /** The measurement with the present noise estimate. */
  corrected(measurement: Measurement): Measurement {
    const sigmaMps = this.#sensors.get(measurement.sensorId)?.sigmaMps;
    return sigmaMps === undefined || sigmaMps === measurement.velocitySigmaMps
      ? measurement
      : { ...measurement, velocitySigmaMps: sigmaMps };
  }

  /** Adds a measurement, with the usual noise, near the expected position of a track. */
  note(measurement: Measurement, predicted: Estimate): void {
    const { velocity, velocitySigmaMps: usualMps, sensorId } = measurement;
    // A track with an uncertain velocity says nothing about the sensor's noise.
    if (velocity === undefined || predicted.vv > 2 * usualMps ** 2) return;
    const noise = this.#sensors.get(sensorId) ?? { samples: [], total: 0, sigmaMps: usualMps };
    this.#sensors.set(sensorId, noise);
    const perAxis = squaredDistance(velocity, predicted.velocity) / MEDIAN_CHI2_3;
    noise.samples[noise.total++ % MAX_SAMPLES] = perAxis - predicted.vv;
    const every = noise.total < MAX_SAMPLES ? FEW : MAX_SAMPLES;
    if (noise.total >= MIN_SAMPLES && noise.total % every === 0) {
      noise.sigmaMps = sigmaFrom(median(noise.samples), usualMps);
    }
  }
}

function sigmaFrom(variance: number, usualMps: number): number {
  const ratio = Math.max(variance, 0) / usualMps ** 2;
  if (ratio < TOLERANCE && ratio > 1 / TOLERANCE) return usualMps;
  return usualMps * Math.min(MAX_FACTOR, Math.max(MIN_FACTOR, Math.sqrt(ratio)));
}

function squaredDistance(a: Vector3, b: Vector3): number {
  return (a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

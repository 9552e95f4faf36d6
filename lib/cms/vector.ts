/** Vectors of three, in metres or metres per second. */
import type { Vector3 } from "./messages.ts";

export const distance = (a: Vector3, b: Vector3): number =>
  Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z);

export const length = ({ x, y, z }: Vector3): number => Math.hypot(x, y, z);

/** a + b * factor. */
export const plus = (a: Vector3, b: Vector3, factor = 1): Vector3 => ({
  x: a.x + b.x * factor,
  y: a.y + b.y * factor,
  z: a.z + b.z * factor,
});

/** The point at `share` (0 to 1) of the way from a to b. */
export const between = (a: Vector3, b: Vector3, share: number): Vector3 => ({
  x: a.x + (b.x - a.x) * share,
  y: a.y + (b.y - a.y) * share,
  z: a.z + (b.z - a.z) * share,
});

export const isFinite3 = ({ x, y, z }: Vector3): boolean =>
  Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z);

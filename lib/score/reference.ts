/**
 * The reference: OpenSRE v2026.4.25 with qwen2.5:7b, one run each, on an 8-core laptop with a 6 GB
 * GPU. It was scored by the rubric alone: 9 of 26 points.
 */
export const REFERENCE: Readonly<
  Record<string, { readonly points: number; readonly max: number }>
> = {
  "sensor-down": { points: 1, max: 3 },
  "fusion-cpu-starvation": { points: 1, max: 4 },
  "message-flood": { points: 3, max: 5 },
  "network-partition": { points: 1, max: 4 },
  "dds-qos-mismatch": { points: 2, max: 5 },
  "memory-leak": { points: 1, max: 5 },
};

export const REFERENCE_TOTAL = "9/26";

/** A remark on the rubric's points for readers. */
export const RUBRIC_REMARK =
  "The rubric is for comparison with the reference (9 of 26) on its six scenarios. It pays for less than a diagnosis: an answer without a class of fault, by a floor, had 3 of 3 on sensor-down.";

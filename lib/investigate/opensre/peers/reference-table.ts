/**
 * The reference results: OpenSRE v2026.4.25 with qwen2.5:7b on a laptop with 8 cores and a GPU of
 * 6 GB, one run each, by the rubric that this lab keeps for the comparison.
 */

export interface Points {
  readonly points: number;
  readonly max: number;
}

/** Null stands for a run without a score. */
export type Measured = Points | null;

export const REFERENCE: Readonly<Record<string, Points>> = {
  "sensor-down": { points: 1, max: 3 },
  "fusion-cpu-starvation": { points: 1, max: 4 },
  "message-flood": { points: 3, max: 5 },
  "network-partition": { points: 1, max: 4 },
  "dds-qos-mismatch": { points: 2, max: 5 },
  "memory-leak": { points: 1, max: 5 },
};

export const REFERENCE_MODEL = "qwen2.5:7b";

/** The two results side by side, as a Markdown table with sums. */
export function referenceTable(measured: ReadonlyMap<string, Measured>, name: string): string {
  const rows = Object.entries(REFERENCE).map(([scenario, reference]) => {
    const own = measured.get(scenario);
    const shown = own === undefined ? "–" : own === null ? "invalid" : textOf(own);
    return [scenario, textOf(reference), shown];
  });
  const scored = [...measured.values()].flatMap((one) => one ?? []);
  const sum = ["sum", sumOf(Object.values(REFERENCE)), scored.length === 0 ? "–" : sumOf(scored)];
  const lines = [["scenario", "reference", name], ["---", "---", "---"], ...rows, sum];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const textOf = ({ points, max }: Points): string => `${points}/${max}`;

function sumOf(all: readonly Points[]): string {
  const total = (of: (one: Points) => number): number => all.reduce((sum, one) => sum + of(one), 0);
  return `${total(({ points }) => points)} of ${total(({ max }) => max)}`;
}

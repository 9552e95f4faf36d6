/** Tables of a ledger: coverage by kind and service, and confusions of signatures. */
import { SERVICES } from "../../contract/topology.ts";
import type { Pair } from "./ledger.ts";

const MARKS: Readonly<Record<Pair["end"], string>> = {
  fires: "fires",
  bites: "bites",
  silent: "silent",
  "no-effect": "no effect",
  impossible: "impossible",
  fades: "fades",
  "stays-broken": "stays broken",
  invalid: "invalid",
};

/** A row per kind and a column per service; `–` for a pair that was not tried. */
export function coverageRows(pairs: readonly Pair[]): string[][] {
  const kinds = [...new Set(pairs.map(({ kind }) => kind))].toSorted();
  return kinds.map((kind) => [
    kind,
    ...SERVICES.map((service) => {
      const pair = pairs.find((one) => one.kind === kind && one.service === service);
      if (pair === undefined) return "–";
      return pair.alert === null ? MARKS[pair.end] : `${MARKS[pair.end]}: ${pair.alert}`;
    }),
  ]);
}

/** Number of pairs by result. */
export function countEnds(pairs: readonly Pair[]): Record<Pair["end"], number> {
  const counts = Object.fromEntries(Object.keys(MARKS).map((end) => [end, 0])) as Record<
    Pair["end"],
    number
  >;
  for (const { end } of pairs) counts[end]++;
  return counts;
}

/**
 * For each kind in force: the other kinds whose signatures held on the same target, and how often.
 */
export function confusionRows(pairs: readonly Pair[]): string[][] {
  const seen = pairs.filter(({ holds }) => holds.length > 0);
  const kinds = [...new Set(seen.map(({ kind }) => kind))].toSorted();
  return kinds.map((kind) => {
    const own = seen.filter((pair) => pair.kind === kind);
    const others = new Map<string, number>();
    for (const { holds } of own) {
      for (const other of holds) others.set(other, (others.get(other) ?? 0) + 1);
    }
    const itself = others.get(kind) ?? 0;
    others.delete(kind);
    const text = [...others].map(([other, count]) => `${other} ${count}`).join(", ");
    return [kind, `${itself} of ${own.length}`, text === "" ? "–" : text];
  });
}

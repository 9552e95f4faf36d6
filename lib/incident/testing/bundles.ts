/** Bundles for tests: small, whole ones, and ways to break them. */
import { type NewEntry, packBundle } from "../bundle.ts";
import {
  ALERT_ENTRY,
  INVENTORY_ENTRY,
  RECORDED_ANSWERS,
  RULES_ENTRY,
  STORE_ENTRY,
} from "../bundle-format.ts";

export const BLOCK = "prometheus/01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** Entries of a bundle that is whole in form; nothing in it can be restored. */
export function someEntries(): NewEntry[] {
  const text = (path: string, content: string): NewEntry => ({
    path,
    content: Buffer.from(content),
  });
  return [
    text(STORE_ENTRY, "store".repeat(100)),
    text(ALERT_ENTRY, "{}"),
    text(RULES_ENTRY, "groups: []"),
    text(INVENTORY_ENTRY, "{}"),
    ...Object.keys(RECORDED_ANSWERS).map((name) => text(`api/${name}`, "{}")),
    text(`${BLOCK}/meta.json`, "{}"),
    text(`${BLOCK}/index`, "index"),
    text(`${BLOCK}/chunks/000001`, "chunk"),
  ];
}

/** A bundle that is whole in form. */
export function someBundle(entries: readonly NewEntry[] = someEntries()): Promise<Buffer> {
  return packBundle(
    {
      id: "0123456789abcdef",
      frozen_unix_ms: 1_767_225_600_000,
      lookback_delta: "2m",
      versions: { project: "0.1.0", bun: "1.4.5", prometheus: "2.42.0" },
    },
    entries,
  );
}

/** Results of pairs of kind and target: one line of JSON each, appended when known. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

/**
 * The result of a pair: an alert fired, none did, the fault had no effect, the machine cannot
 * inject it, the effect ended before the fault was removed, the system did not recover, or the
 * environment failed. An invalid result says nothing about the pair, which is tried again.
 */
export const ENDS = [
  "fires",
  "bites",
  "silent",
  "no-effect",
  "impossible",
  "fades",
  "stays-broken",
  "invalid",
] as const;

const PairSchema = z.strictObject({
  name: z.string(),
  kind: z.string(),
  service: z.string(),
  end: z.enum(ENDS),
  /** Uid of the alert that fired first. */
  alert: z.string().nullable(),
  /** Kinds whose signatures held on the same target, including its own. */
  holds: z.array(z.string()),
  /** Seconds of lab. */
  seconds: z.number(),
  reason: z.string(),
  found_unix_ms: z.number(),
});
export type Pair = z.infer<typeof PairSchema>;

/** Whether a pair need not be tried again. */
export const isSettled = ({ end }: Pick<Pair, "end">): boolean => end !== "invalid";

/** The lines of a ledger; the last line about a pair counts. */
export function readLedger(path: string): Pair[] {
  if (!existsSync(path)) return [];
  const pairs = new Map<string, Pair>();
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const pair = parsed(line);
    if (pair !== undefined) pairs.set(pair.name, pair);
  }
  return [...pairs.values()];
}

/** An incomplete line is ignored. */
function parsed(line: string): Pair | undefined {
  try {
    return PairSchema.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function addToLedger(path: string, pair: Pair): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(pair)}\n`);
}

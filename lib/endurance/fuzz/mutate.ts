/** Makes bad inputs from good ones by changing texts, bytes and values at a few places. */
import type { Prng } from "../../base/prng.ts";

export const below = (prng: Prng, count: number): number => Math.floor(prng.next() * count);

export const pick = <T>(prng: Prng, items: readonly T[]): T =>
  items[below(prng, items.length)] as T;

/** The number of changes: usually one, rarely many. */
function changes(prng: Prng): number {
  let count = 1;
  while (count < 16 && prng.next() < 0.6) count++;
  return count;
}

const ODD_TEXTS = [
  "",
  "\u0000",
  "\uD800",
  "\u{1F4A5}",
  "日本",
  "\u202E",
  "\\",
  "'",
  '"',
  "`",
  "\n",
  "\r\n",
  "\t",
  "-",
  "0",
  "-1",
  "1e999",
  "99999999999999999999",
  "NaN",
  "../../etc/passwd",
  "__proto__",
  "constructor",
  "%00",
  "${x}",
] as const;

/** Cuts, repeats, joins and replaces parts of a text; `words` are tokens of its language. */
export function mutateText(
  prng: Prng,
  seeds: readonly string[],
  words: readonly string[],
  maxLength = 400,
): string {
  let text = pick(prng, seeds);
  for (let left = changes(prng); left > 0; left--) {
    const at = below(prng, text.length + 1);
    const until = Math.min(text.length, at + 1 + below(prng, 8));
    const dice = prng.next();
    if (dice < 0.15) text = text.slice(0, at) + text.slice(until);
    else if (dice < 0.25)
      text = text.slice(0, at) + text.slice(at, until).repeat(2) + text.slice(until);
    else if (dice < 0.6) text = text.slice(0, at) + pick(prng, words) + text.slice(at);
    else if (dice < 0.7) text = text.slice(0, at) + pick(prng, ODD_TEXTS) + text.slice(until);
    else if (dice < 0.8) {
      text = text.slice(0, at) + String.fromCharCode(32 + below(prng, 95)) + text.slice(at + 1);
    } else if (dice < 0.95) {
      const other = pick(prng, seeds);
      text = text.slice(0, at) + other.slice(below(prng, other.length + 1));
    } else text = `${text}${text}`;
  }
  return text.slice(0, maxLength);
}

/** Flips, cuts, repeats and joins bytes. */
export function mutateBytes(
  prng: Prng,
  seeds: readonly Uint8Array[],
  maxLength = 2000,
): Uint8Array {
  let bytes = [...pick(prng, seeds)];
  for (let left = changes(prng); left > 0; left--) {
    const at = below(prng, bytes.length + 1);
    const count = 1 + below(prng, 12);
    const dice = prng.next();
    if (dice < 0.5) bytes[at] = below(prng, 256);
    else if (dice < 0.6) bytes[at] = pick(prng, [0, 0x7f, 0x80, 0xff]);
    else if (dice < 0.75) bytes.splice(at, count);
    else if (dice < 0.9) bytes.splice(at, 0, ...bytes.slice(at, at + count));
    else {
      const other = pick(prng, seeds);
      bytes = [...bytes.slice(0, at), ...other.slice(below(prng, other.length + 1))];
    }
  }
  return Uint8Array.from(bytes.slice(0, maxLength));
}

const ODD_VALUES: readonly unknown[] = [
  null,
  undefined,
  true,
  false,
  -1,
  0,
  -0,
  0.5,
  2 ** 31,
  2 ** 53,
  2 ** 64,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  [],
  {},
  [[[[]]]],
  [null],
  { "": "" },
  JSON.parse('{"__proto__": {"polluted": true}}'),
  "x".repeat(5000),
  "2026-01-01T00:00:00Z",
  "2026-13-45T99:99:99Z",
];

/** Changes one or a few places anywhere in a value; functions are kept or replaced as a whole. */
export function mutateValue(prng: Prng, value: unknown, words: readonly string[] = []): unknown {
  let changed = value;
  for (let left = changes(prng); left > 0; left--) changed = mutateOnce(prng, changed, words);
  return changed;
}

function mutateOnce(prng: Prng, value: unknown, words: readonly string[]): unknown {
  const isLeaf = typeof value !== "object" || value === null;
  if (isLeaf || prng.next() < 0.15) return odd(prng, value, words);
  if (Array.isArray(value)) {
    const copy = [...(value as unknown[])];
    const at = below(prng, copy.length);
    const dice = prng.next();
    if (dice < 0.15) copy.splice(at, 1);
    else if (dice < 0.25) copy.push(copy[at]);
    else if (dice < 0.28) copy.push(...Array.from({ length: 100 }, () => copy[at]));
    else copy[at] = mutateOnce(prng, copy[at], words);
    return copy;
  }
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  const keys = Object.keys(copy);
  const key = keys.length === 0 || prng.next() < 0.08 ? oddKey(prng, words) : pick(prng, keys);
  const dice = prng.next();
  if (dice < 0.12) delete copy[key];
  else if (dice < 0.18) copy[oddKey(prng, words)] = copy[key];
  else copy[key] = mutateOnce(prng, copy[key], words);
  return copy;
}

const oddKey = (prng: Prng, words: readonly string[]): string =>
  pick(prng, words.length > 0 && prng.next() < 0.5 ? words : ODD_TEXTS);

function odd(prng: Prng, value: unknown, words: readonly string[]): unknown {
  const dice = prng.next();
  if (words.length > 0 && dice < 0.35) return pick(prng, words);
  if (typeof value === "string" && dice < 0.6)
    return mutateText(prng, [value], words.length > 0 ? words : ODD_TEXTS);
  if (typeof value === "number" && dice < 0.6) return value * pick(prng, [-1, 0, 1e3, 1e-9, 1e18]);
  if (dice < 0.75) return pick(prng, ODD_TEXTS);
  return pick(prng, ODD_VALUES);
}

/** Converts text between JavaScript and UTF-8 in a block, with as little garbage as possible. */
import type { Block } from "./memory.ts";

/** Maximum length for which a loop is faster than a call into Bun, characters. */
const SHORT_TEXT = 40;

/** A method of Bun's and Node's buffers that is not in bun-types. */
interface Utf8Writer {
  utf8Write(text: string, at: number, size: number): number;
}

/** Result of writing a text: written, too long, or invalid. */
export type Put = "put" | "too long" | "has NUL" | "has lone surrogates";

/** Writes `text` as UTF-8 with a terminating NUL at `at`, into `room` bytes. */
export function putText(block: Block, at: number, text: string, room: number): Put {
  const { length } = text;
  if (length >= room) return "too long";
  if (length > SHORT_TEXT) return putLongText(block, at, text, room);
  const { bytes } = block;
  // One test after the loop replaces two in each round; `code - 1` is negative for NUL.
  let all = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    bytes[at + i] = code;
    all |= code | (code - 1);
  }
  if (all < 0 || all > 127) return putLongText(block, at, text, room);
  bytes[at + length] = 0;
  return "put";
}

function putLongText(block: Block, at: number, text: string, room: number): Put {
  if (text.includes("\0")) return "has NUL";
  const size = Buffer.byteLength(text);
  if (size !== text.length && !text.isWellFormed()) return "has lone surrogates";
  if (size >= room) return "too long";
  // Takes 30 ns; write(text, at, size, "utf8") takes 60 because it looks the encoding up.
  (block.text as Buffer & Utf8Writer).utf8Write(text, at, size);
  block.bytes[at + size] = 0;
  return "put";
}

/** Number of entries in the table of known texts; a power of two. */
const INTERNED = 4096;
/** Maximum length of a text in the table, bytes, a multiple of four: longer texts rarely repeat. */
const INTERNED_BYTES = 64;
const INTERNED_WORDS = INTERNED_BYTES / 4;
/**
 * For each entry: its bytes in words, padded with zeros; their number; the text. One array for all
 * entries, so that a new text allocates only itself.
 */
const internedWords = new Int32Array(INTERNED * INTERNED_WORDS);
const internedLengths = new Uint8Array(INTERNED);
const internedTexts: string[] = Array.from({ length: INTERNED }, () => "");

/**
 * Reads serialized text: its size, which includes a terminating NUL, and UTF-8. Known texts of at
 * most 64 bytes come from a table. The block must have three extra bytes behind the text; their
 * values do not matter.
 */
export function readText(block: Block, at: number): string {
  const { view } = block;
  const length = view.getUint32(at, true) - 1;
  const start = at + 4;
  if (length <= 0) return "";
  if (length > INTERNED_BYTES) return block.text.toString("utf8", start, start + length);
  const last = (length - 1) & ~3;
  const lastWord = wordAt(view, start, last, length);
  // Names usually differ at the end, identifiers anywhere: four words distinguish them as well as
  // all words do.
  let hash = length ^ Math.imul(lastWord, 0x9e3779b1);
  if (last > 0) {
    hash ^= Math.imul(view.getInt32(start, true), 0x85ebca6b);
    hash ^= Math.imul(view.getInt32(start + (last & ~7) / 2, true), 0xc2b2ae35);
    hash ^= Math.imul(view.getInt32(start + last - 4, true), 0x27d4eb2f);
  }
  const slot = (hash ^ (hash >>> 15)) & (INTERNED - 1);
  const base = slot * INTERNED_WORDS;
  const isKnown =
    internedLengths[slot] === length &&
    internedWords[base + (last >> 2)] === lastWord &&
    isSame(base, view, start, last);
  if (isKnown) return internedTexts[slot] as string;
  const text = block.text.toString("utf8", start, start + length);
  for (let i = 0; i < last; i += 4) internedWords[base + (i >> 2)] = view.getInt32(start + i, true);
  internedWords[base + (last >> 2)] = lastWord;
  internedLengths[slot] = length;
  internedTexts[slot] = text;
  return text;
}

/** Four bytes of a text of `length` bytes; bytes behind its end are zeros. */
function wordAt(view: DataView, start: number, at: number, length: number): number {
  const word = view.getInt32(start + at, true);
  const rest = length - at;
  return rest >= 4 ? word : word & ((1 << (rest * 8)) - 1);
}

/** Whether the first `size` bytes are those of the entry whose words start at `base`. */
function isSame(base: number, view: DataView, start: number, size: number): boolean {
  for (let at = 0; at < size; at += 4) {
    if (internedWords[base + (at >> 2)] !== view.getInt32(start + at, true)) return false;
  }
  return true;
}

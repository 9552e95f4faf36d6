/** All texts in a bundle, for a search for words that reveal the scenario. */
import type { NewEntry } from "./bundle.ts";
import { STORE_ENTRY } from "./bundle-format.ts";
import { textsOfTelemetry } from "./telemetry-columns.ts";

export interface FoundText {
  /** Place in the bundle, such as `telemetry.columns logs 12`. */
  readonly where: string;
  readonly text: string;
}

/** Symbols of Prometheus' index, rows of the store, and all other entries as text. */
export function* unpackedTexts(entries: readonly NewEntry[]): Generator<FoundText> {
  for (const { path, content } of entries) {
    if (path.endsWith("/index")) {
      for (const text of indexSymbols(content)) yield { where: path, text };
    } else if (path === STORE_ENTRY) {
      for (const { where, text } of textsOfTelemetry(content)) {
        yield { where: `${path} ${where}`, text };
      }
    } else if (!/\/(chunks\/\d+|tombstones)$/.test(path)) {
      yield { where: path, text: Buffer.from(content).toString("utf8") };
    }
  }
}

const TOC_BYTES = 52;
const INDEX_MAGIC = 0xbaaad700;

/** The names and values of all labels: Prometheus' index format, versions 1 and 2. */
export function indexSymbols(index: Uint8Array): string[] {
  const bytes = Buffer.from(index);
  if (bytes.length < TOC_BYTES + 5 || bytes.readUInt32BE(0) !== INDEX_MAGIC) {
    throw new Error("This is no index of a block of Prometheus");
  }
  const start = Number(bytes.readBigUInt64BE(bytes.length - TOC_BYTES));
  const count = bytes.readUInt32BE(start + 4);
  const symbols: string[] = [];
  let at = start + 8;
  for (let i = 0; i < count; i++) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++);
      length += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    symbols.push(bytes.toString("utf8", at, at + length));
    at += length;
  }
  return symbols;
}

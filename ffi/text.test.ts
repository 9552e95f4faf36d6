/**
 * Fast paths between JavaScript text and bytes must give the same results as the standard
 * functions.
 */
import { describe, expect, test } from "bun:test";
import { Block } from "./memory.ts";
import { putText, readText } from "./text.ts";

const block = new Block(8192);

/** Writes `text` as it is serialized, and reads it back. */
function carried(text: string): string {
  expect(putText(block, 4, text, 8000)).toBe("put");
  block.view.setUint32(0, Buffer.byteLength(text) + 1, true);
  return readText(block, 0);
}

/** Lengths on both sides of every limit between two code paths. */
const LENGTHS = [1, 3, 4, 5, 8, 24, 39, 40, 41, 63, 64, 65, 4097];

describe("text of every length", () => {
  test.each(LENGTHS)(
    "%d: one character that differs is told apart, wherever it stands",
    (length) => {
      const places = length < 100 ? Array.from({ length }, (_, i) => i) : [0, length - 1];
      for (const other of ["y", "\u007f", "\u0080", "é", "€"]) {
        for (const at of places) {
          expect(carried("x".repeat(length))).toBe("x".repeat(length));
          const odd = `${"x".repeat(at)}${other}${"x".repeat(length - at - 1)}`;
          expect(carried(odd)).toBe(odd);
        }
      }
    },
  );

  test.each(LENGTHS)("%d: NUL and lone surrogates are refused, wherever they stand", (length) => {
    for (const at of new Set([0, length >> 1, length - 1])) {
      const [before, after] = ["x".repeat(at), "x".repeat(length - at - 1)];
      expect(putText(block, 4, `${before}\0${after}`, 8000)).toBe("has NUL");
      expect(putText(block, 4, `${before}\ud800${after}`, 8000)).toBe("has lone surrogates");
    }
  });

  test.each(LENGTHS)(
    "%d: text that fills its room is put, and one byte more is too long",
    (length) => {
      const text = "x".repeat(length);
      expect(putText(block, 4, text, length + 1)).toBe("put");
      expect(putText(block, 4, text, length)).toBe("too long");
      block.bytes[4 + length] = 7;
      expect(putText(block, 4, `${text.slice(1)}é`, length + 1)).toBe("too long");
      expect(block.bytes[4 + length]).toBe(7);
    },
  );
});

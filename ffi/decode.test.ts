/**
 * Reads serialized samples from another library's serializer, and the same bytes with random
 * damage. FFI_SEED repeats a run.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Decoder } from "./decode.ts";
import { arbitraryStruct, arbitraryValue } from "./testing/arbitrary.ts";
import { serialize } from "./testing/cdr.ts";
import { Reading } from "./testing/reading.ts";
import { tokensOf } from "./testing/tokens.ts";
import type { StructDecl } from "./types.ts";

const seed = Number(process.env["FFI_SEED"] ?? 1);
const START = 4;

/**
 * Reads `bytes`, followed in memory by `filler`; returns the tokens of the value, or the error's
 * name.
 */
function read(decoder: Decoder, struct: StructDecl, bytes: Uint8Array, filler: number): string {
  const { sample } = decoder;
  sample.ensure(bytes.length);
  sample.block.bytes.fill(filler);
  sample.block.bytes.set(bytes, START);
  try {
    decoder.open(START, bytes.length, false);
    const fromObject = tokensOf(struct, decoder.object(false));
    expect(tokensOf(struct, decoder.view)).toBe(fromObject);
    return fromObject;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return "RangeError";
  }
}

/** A random struct, a random value of it, and a version of CDR. */
const sample = arbitraryStruct("m", { arraysInside: true }).chain((struct) =>
  fc.record({
    struct: fc.constant(struct),
    value: arbitraryValue(struct),
    version: fc.constantFrom(1 as const, 2 as const),
  }),
);

test(`reads what the standard says, in both versions of CDR, seed ${seed}`, () => {
  const property = fc.property(sample, ({ struct, value, version }) => {
    const bytes = serialize(struct, value, version);
    expect(read(new Decoder(struct), struct, bytes, 0)).toBe(tokensOf(struct, value));
  });
  fc.assert(property, { seed, numRuns: 400 });
});

describe("broken bytes are an error or a value, and nothing outside of them counts", () => {
  /** The result must not depend on the memory after the sample. */
  function check(struct: StructDecl, bytes: Uint8Array): string {
    const decoder = new Decoder(struct);
    const found = read(decoder, struct, bytes, 0);
    expect(read(decoder, struct, bytes, 0xff)).toBe(found);
    expect(read(decoder, struct, bytes, 0x01)).toBe(found);
    return found;
  }

  test("when they are cut off anywhere", () => {
    const property = fc.property(sample, ({ struct, value, version }) => {
      const bytes = serialize(struct, value, version);
      for (let length = 0; length < bytes.length; length++) {
        expect(check(struct, bytes.subarray(0, length))).toBe("RangeError");
      }
    });
    fc.assert(property, { seed, numRuns: 30 });
  });

  test("when some are changed", () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    const outcomes = new Set<boolean>();
    const property = fc.property(sample, changes, ({ struct, value, version }, changed) => {
      const bytes = serialize(struct, value, version);
      for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
      outcomes.add(check(struct, bytes) === "RangeError");
    });
    fc.assert(property, { seed, numRuns: 1500 });
    expect(outcomes.size).toBe(2);
  });

  test("when they are noise", () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    const property = fc.property(arbitraryStruct("m"), noise, (struct, bytes) => {
      check(struct, bytes);
    });
    fc.assert(property, { seed, numRuns: 1500 });
  });

  test("when a length says four thousand million", () => {
    const bytes = serialize(Reading, { sensor: "roof", celsius: 1, tags: ["a"] }, 1);
    for (const at of [4, 28, 32]) {
      const broken = Uint8Array.from(bytes);
      new DataView(broken.buffer).setUint32(at, 0xffff_ffff, true);
      expect(check(Reading, broken)).toBe("RangeError");
    }
  });
});

/** Random changes of bytes, by a seed. */
import fc from "fast-check";

/**
 * Returns `count` datagrams: pieces of `corpus` that are changed, cut off or joined, and random
 * bytes.
 */
export function noisy(corpus: readonly Uint8Array[], seed: number, count: number): Uint8Array[] {
  const piece = fc.constantFrom(...corpus);
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 });
  const changed = fc
    .tuple(piece, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }))
    .map(([whole, changes]) => {
      const copy = Uint8Array.from(whole);
      // Behind the header, so that the receiver parses the rest.
      for (const [at, byte] of changes) copy[20 + (at % Math.max(1, copy.length - 20))] = byte;
      return copy;
    });
  const cut = fc
    .tuple(piece, fc.nat())
    .map(([whole, at]) => whole.slice(0, 1 + (at % whole.length)));
  const joined = fc
    .tuple(piece, piece)
    .map(([first, second]) => Uint8Array.from([...first, ...second.subarray(20)]));
  const headed = fc
    .tuple(piece, bytes)
    .map(([whole, tail]) => Uint8Array.from([...whole.subarray(0, 20), ...tail]));
  return fc.sample(fc.oneof(changed, changed, changed, cut, joined, headed, bytes), {
    seed,
    numRuns: count,
  });
}

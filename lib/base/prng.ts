/** Seeded random numbers: the same seed repeats a run. */

/** A deterministic random source. */
export interface Prng {
  /** A number in [0, 1). */
  next(): number;
  /** A normally distributed number with mean 0 and standard deviation 1. */
  gaussian(): number;
  /** An independent source from the seed and `label`; numbers drawn before do not affect it. */
  child(label: string): Prng;
}

/** FNV-1a over UTF-16 code units: 32 bits that depend on every character of `text`. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * Creates a source from a seed (any finite number; its low 32 bits count). Algorithm: Mulberry32 by
 * T. Ettinger.
 */
export function createPrng(seed: number): Prng {
  const start = seed >>> 0;
  let state = start;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    // Box-Muller; 1 - next() keeps the logarithm's argument above zero.
    gaussian: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    child: (label) => createPrng(hash32(`${start}/${label}`)),
  };
}

/** A seed that differs between runs; print and store it, so that the run can be repeated. */
export function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

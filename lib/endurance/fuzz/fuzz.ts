/** Runs a target on random inputs and counts the results. */
import { createPrng, hash32 } from "../../base/prng.ts";
import type { Target } from "./target.ts";

export interface FuzzOptions {
  /** Stops after this many inputs. */
  readonly inputs: number;
  /** Stops after this time; undefined: after all inputs. */
  readonly seconds?: number | undefined;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** An input that crashed the part or broke a rule. */
export interface Finding {
  /** With the seed, reproduces the input. */
  readonly index: number;
  readonly input: string;
  readonly error: string;
}

export interface FuzzResult {
  readonly target: string;
  readonly inputs: number;
  readonly taken: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly slowestIndex: number;
  readonly findings: readonly Finding[];
}

const MAX_FINDINGS = 5;
const MAX_SHOWN_CHARACTERS = 2000;
/** Inputs between two checks of the clock, with a pause in which timers and signals are handled. */
const BATCH = 256;

/** The input with this index in a run with this seed. */
export function inputOf<Input>(target: Target<Input>, seed: number, index: number): Input {
  return target.make(createPrng(hash32(`${seed}/${target.name}/${index}`)));
}

export async function fuzz<Input>(
  target: Target<Input>,
  { inputs, seconds = Number.POSITIVE_INFINITY, seed, signal }: FuzzOptions,
): Promise<FuzzResult> {
  const endMs = performance.now() + seconds * 1000;
  const findings: Finding[] = [];
  const counts = { taken: 0, refused: 0 };
  let [index, slowestMs, slowestIndex] = [0, 0, 0];
  for (; index < inputs && findings.length < MAX_FINDINGS; index++) {
    if (index % BATCH === 0) {
      if (performance.now() > endMs || signal?.aborted === true) break;
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    const input = inputOf(target, seed, index);
    const before = process.cpuUsage();
    try {
      const verdict = target.attempt(input);
      // Awaiting a value that is no promise would double the time of fast targets.
      counts[typeof verdict === "string" ? verdict : await verdict]++;
    } catch (error) {
      const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
      findings.push({ index, input: shown(target, input), error: said });
    }
    // Processor time: on a machine with other work, an input may wait for seconds.
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    if (tookMs > slowestMs) [slowestMs, slowestIndex] = [tookMs, index];
  }
  return { target: target.name, inputs: index, ...counts, slowestMs, slowestIndex, findings };
}

const shown = <Input>(target: Target<Input>, input: Input): string =>
  target.show(input).slice(0, MAX_SHOWN_CHARACTERS);

/**
 * A blind examination: one of several recorded incidents, chosen by a seed, for an agent that
 * nobody confines. Until it has ended nothing that is shown says which one it is, nor the seed: a
 * truth lies beside each bundle, under its id.
 */
import { createPrng, freshSeed } from "../base/prng.ts";
import type { Investigator } from "../investigate/investigator.ts";
import type { RunContext } from "./context.ts";
import { examineIncidents } from "./examine-incidents.ts";
import type { ExperimentResult } from "./experiment.ts";
import type { Progress } from "./progress.ts";
import { bundlesIn, readRecording } from "./recorded-incident.ts";

export interface BlindRequest {
  /** Bundles, and folders of them. */
  readonly paths: readonly string[];
  /** Absent: a fresh one. */
  readonly seed?: number | undefined;
  readonly investigator: Investigator;
  readonly results: string;
}

/** The bundle that a seed chooses. */
export function bundleBySeed(bundles: readonly string[], seed: number): string {
  const place = Math.floor(createPrng(seed).child("blind").next() * bundles.length);
  const bundle = bundles[place];
  if (bundle === undefined) throw new TypeError("Cannot choose: there is no bundle");
  return bundle;
}

/** Examines it, and says the seed afterwards. */
export async function examineBlind(
  context: RunContext,
  { paths, seed = freshSeed(), investigator, results }: BlindRequest,
): Promise<ExperimentResult> {
  const bundle = bundleBySeed(bundlesIn(paths), seed);
  const { incident } = readRecording(bundle).recording;
  const hide = (text: string): string => text.replaceAll(incident, "hidden");
  const hidden: RunContext = {
    ...context,
    progress: (prefix = "") => hiding(context.progress(hide(prefix)), hide),
  };
  const request = { paths: [bundle], investigators: [investigator], parallel: 1, again: true };
  const result = await examineIncidents(hidden, { ...request, results });
  context.progress().line(`it was incident ${incident}, chosen by seed ${seed}`);
  return result;
}

const hiding = (shown: Progress, hide: (text: string) => string): Progress => ({
  line: (text) => shown.line(hide(text)),
  waiting: (what, seen, leftMs) => shown.waiting(hide(what), hide(seen), leftMs),
  settle: () => shown.settle(),
});

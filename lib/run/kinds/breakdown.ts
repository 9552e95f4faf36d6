/**
 * Who was right about what: examinations by tier of difficulty, the confusion of fault classes, and
 * what an investigator is worth when it answers. Pure; `breakdownOf` reads the folders.
 */
import type { Manifest } from "../../score/run-record.ts";
import { loadKinds } from "../../../scenarios/compose.ts";
import { isTestSeed } from "../../../scenarios/space.ts";
import { readManifests } from "../artefacts.ts";
import { bundlesIn, readRecording } from "../recorded-incident.ts";
import { runsFolder } from "../runs-folder.ts";
import { type Tier, TIERS } from "./difficulty.ts";
import { readDrawn } from "./generate.ts";

export const SPLITS = ["public", "test"] as const;
export type Split = (typeof SPLITS)[number];

/** An examination with what is known of its incident. */
export interface Examined {
  readonly manifest: Pick<
    Manifest,
    "investigator" | "scenario" | "truth" | "diagnosis" | "score" | "control"
  >;
  /** Null for a recording that was made before difficulty was measured. */
  readonly tier: Tier | null;
  readonly split: Split;
}

/** Above this, "nothing is wrong" is a claim and not a doubt. */
const CALM_CONFIDENCE = 0.5;

export interface Worth {
  readonly investigator: string;
  readonly split: Split;
  readonly n: number;
  readonly correct: number;
  /** Answers that name something: faults, or that nothing is wrong. */
  readonly answered: number;
  readonly correctWhenAnswered: number;
  /** "Nothing is wrong", with more than half of the confidence, while something is. */
  readonly falseCalm: number;
}

/** What each investigator is worth on each split. */
export function worthOf(examined: readonly Examined[]): Worth[] {
  return groupsOf(examined).map(([investigator, split, own]) => {
    const answered = own.filter(({ manifest }) => isAnswered(manifest));
    return {
      investigator,
      split,
      n: own.length,
      correct: own.filter(isCorrect).length,
      answered: answered.length,
      correctWhenAnswered: answered.filter(isCorrect).length,
      falseCalm: own.filter(({ manifest }) => isFalselyCalm(manifest)).length,
    };
  });
}

function groupsOf(examined: readonly Examined[]): [string, Split, Examined[]][] {
  const names = [...new Set(examined.map(({ manifest }) => manifest.investigator))].toSorted();
  return names.flatMap((name) =>
    SPLITS.flatMap((split): [string, Split, Examined[]][] => {
      const own = examined.filter(
        (one) => one.manifest.investigator === name && one.split === split,
      );
      return own.length === 0 ? [] : [[name, split, own]];
    }),
  );
}

const isCorrect = ({ manifest: { score } }: Examined): boolean => score?.correct === true;

const isAnswered = ({ diagnosis, score }: Examined["manifest"]): boolean =>
  diagnosis !== null && score?.abstained !== true;

const isFalselyCalm = ({ diagnosis, truth, score }: Examined["manifest"]): boolean =>
  truth.length > 0 && diagnosis?.length === 0 && (score?.confidence ?? 0) > CALM_CONFIDENCE;

/** Of the examinations of each tier, how many are right; `–` where there are none. */
export function tierRows(examined: readonly Examined[]): string[][] {
  return groupsOf(examined).map(([investigator, split, own]) => [
    investigator,
    split,
    ...[...TIERS, null].map((tier) => {
      const of = own.filter((one) => one.tier === tier);
      return of.length === 0 ? "–" : `${of.filter(isCorrect).length} of ${of.length}`;
    }),
  ]);
}

/** What was named for each true class, most frequent first; incidents with one fault only. */
export function confusionOf(examined: readonly Examined[], investigator: string): string[][] {
  const counts = new Map<string, Map<string, number>>();
  for (const { manifest } of examined) {
    const { truth, diagnosis } = manifest;
    if (manifest.investigator !== investigator || truth.length > 1) continue;
    const right = truth[0]?.fault_class ?? "none";
    const named = counts.get(right) ?? new Map<string, number>();
    for (const said of namesIn(diagnosis)) named.set(said, (named.get(said) ?? 0) + 1);
    counts.set(right, named);
  }
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([right, named]) => [
      right,
      [...named]
        .toSorted(([, a], [, b]) => b - a)
        .map(([said, count]) => `${said} ${count}`)
        .join(", "),
    ]);
}

function namesIn(diagnosis: Manifest["diagnosis"]): string[] {
  if (diagnosis === null) return ["(no answer)"];
  if (diagnosis.length === 0) return ["none"];
  return [...new Set(diagnosis.map(({ fault_class }) => fault_class))];
}

/** The examinations that a results folder keeps, with their incidents from folders of bundles. */
export async function breakdownOf(
  results: string,
  bundles: readonly string[],
): Promise<Examined[]> {
  const heldOut = [...(await loadKinds()).values()].filter((kind) => kind.heldOut === true);
  const testIds = new Set(
    bundles
      .flatMap(readDrawn)
      .filter(({ seed }) => isTestSeed(seed))
      .map(({ incident }) => incident),
  );
  const recordings = new Map(
    bundlesIn(bundles).map((path) => {
      const { recording } = readRecording(path);
      return [recording.incident, recording];
    }),
  );
  const kept = await readManifests(runsFolder(results));
  return kept.flatMap(({ manifest }): Examined[] => {
    const recording = recordings.get(manifest.incident ?? "");
    if (recording === undefined || manifest.outcome.kind !== "valid") return [];
    const isTest =
      testIds.has(recording.incident) ||
      heldOut.some(({ name }) => recording.scenario.split(/[.+]/).includes(name));
    const tier = recording.difficulty?.tier ?? null;
    return [{ manifest, tier, split: isTest ? "test" : "public" }];
  });
}

/** Records scenarios into a folder of bundles, without investigators. */
import { freshSeed } from "../base/prng.ts";
import type { Outcome } from "../score/run-record.ts";
import type { Scenario } from "../../scenarios/load.ts";
import type { RunContext } from "./context.ts";
import { chosenScenarios } from "./experiment.ts";
import { type LabRequest, sideBySide, withOwnLabs } from "./labs.ts";
import { recordIncident, type RecordSettings } from "./record.ts";
import { recordingsIn } from "./recorded-incident.ts";
import { readRules, readRulesText } from "./rules.ts";
import { ownPart, type Shard, withFolderLocked } from "./runs-folder.ts";
import { versions } from "./versions.ts";

export interface RecordRequest {
  readonly scenario?: string | undefined;
  readonly all: boolean;
  readonly labs: LabRequest;
  /** Number of recordings of each scenario in the folder at the end; existing ones are kept. */
  readonly repeat: number;
  readonly shard?: Shard | undefined;
  readonly seed?: number | undefined;
  /** Freeze each fault that is in force a second time. */
  readonly later?: boolean | undefined;
  /** The folder that gets the bundles, and their truths in a folder of its own. */
  readonly folder: string;
}

/** One recording, or the reason why there is none. */
export interface RecordedLine {
  readonly scenario: string;
  readonly repeat: number;
  readonly outcome: Outcome;
  /** Duration of the lab, seconds. */
  readonly seconds: number;
  readonly bundle: string | null;
  /** The same fault, frozen later. */
  readonly later: string | null;
}

export async function recordIncidents(
  context: RunContext,
  request: RecordRequest,
): Promise<RecordedLine[]> {
  const scenarios = await chosenScenarios(request);
  const { folder, shard } = request;
  return withFolderLocked(folder, "--into", shard, () => recordLeft(context, request, scenarios));
}

/** Records the incidents that are missing in the folder. */
async function recordLeft(
  context: RunContext,
  { labs: requested, repeat, shard, seed = freshSeed(), later, folder }: RecordRequest,
  scenarios: readonly Scenario[],
): Promise<RecordedLine[]> {
  const { engine } = requested;
  const settings: RecordSettings = {
    engine,
    keepTelemetry: false,
    rules: readRules(),
    rulesText: readRulesText(),
    versions: await versions(engine),
    bundles: folder,
    later,
  };
  const before = recordingsIn(folder).map(({ recording }) => recording);
  const turns = scenarios.flatMap((scenario) =>
    Array.from({ length: repeat }, (_, i) => ({ scenario, repeat: i + 1 })),
  );
  const left = ownPart(turns, shard).filter(
    (turn) =>
      !before.some((one) => one.scenario === turn.scenario.name && one.repeat === turn.repeat),
  );
  context.progress().line(`seed ${seed}: ${left.length} incident(s) to record`);
  const lines: RecordedLine[] = [];
  await withOwnLabs(context, requested, (labs) =>
    sideBySide(labs, left, async (turn, labIndex) => {
      const { name: scenario } = turn.scenario;
      const prefix = labs.count > 1 ? `[${scenario} ${turn.repeat}] ` : "";
      const startedMs = performance.now();
      const job = { ...turn, seed, labIndex, prefix, earlier: [] };
      const result = await recordIncident(context, settings, job);
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      const shared = { scenario, repeat: turn.repeat, seconds };
      lines.push(
        result.kind === "recorded"
          ? {
              ...shared,
              outcome: { kind: "valid" },
              bundle: result.recorded.bundlePath,
              later: result.later?.bundlePath ?? null,
            }
          : { ...shared, outcome: result.incident.outcome, bundle: null, later: null },
      );
    }),
  );
  return lines;
}

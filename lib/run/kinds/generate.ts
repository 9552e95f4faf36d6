/**
 * Draws incidents from a seed and records those that pass every check. A folder can be continued:
 * an incident is never drawn twice.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { createPrng } from "../../base/prng.ts";
import { z } from "zod";
import { nameOfDraws, scenarioOf } from "../../../scenarios/compose.ts";
import { type DrawnIncident, drawIncident } from "../../../scenarios/space.ts";
import { checkResultsFolder } from "../artefacts.ts";
import type { RunContext } from "../context.ts";
import { type LabRange, type LabRequest, sideBySide, withOwnLabs } from "../labs.ts";
import { recordIncident, type RecordSettings } from "../record.ts";
import { readRules, readRulesText } from "../rules.ts";
import { versions } from "../versions.ts";
import { type Tier, TIERS } from "./difficulty.ts";
import { ENDS, isSettled, type Pair } from "./ledger.ts";
import { endOf } from "./verify-kinds.ts";

export interface GenerateRequest {
  readonly seed: number;
  /** Number of incidents in the folder at the end, of the requested tier. */
  readonly count: number;
  readonly tier?: Tier | undefined;
  readonly labs: LabRequest;
  readonly folder: string;
}

const DrawnSchema = z.strictObject({
  seed: z.number(),
  /** Number of the incident within the seed. */
  number: z.number(),
  scenario: z.string(),
  onset_seconds: z.number(),
  end: z.enum(ENDS),
  alert: z.string().nullable(),
  tier: z.enum(TIERS).nullable(),
  /** Id of its bundle; null if it did not pass. */
  incident: z.string().nullable(),
  /** Seconds of lab. */
  seconds: z.number(),
  reason: z.string(),
});
export type Drawn = z.infer<typeof DrawnSchema>;

/** A run ends after this many draws per requested incident, rather than continuing for ever. */
const MAX_DRAWS_PER_INCIDENT = 8;

const logOf = (folder: string): string => join(folder, "drawn.jsonl");

/** The draws in a folder so far. An incomplete last line is ignored. */
export function readDrawn(folder: string): Drawn[] {
  const path = logOf(folder);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return DrawnSchema.safeParse(JSON.parse(line)).data ?? [];
      } catch (error) {
        if (error instanceof SyntaxError) return [];
        throw error;
      }
    });
}

/**
 * Draws and records until the folder has the requested incidents; returns all draws of the seed.
 */
export async function generate(context: RunContext, request: GenerateRequest): Promise<Drawn[]> {
  const { seed, labs, folder } = request;
  if (labs.engine !== "native") {
    throw new UsageError(`Cannot generate: the engine must be native, but is ${labs.engine}`);
  }
  checkResultsFolder(folder);
  const settings: RecordSettings = {
    engine: labs.engine,
    keepTelemetry: false,
    rules: readRules(),
    rulesText: readRulesText(),
    versions: await versions(labs.engine),
    bundles: folder,
  };
  await withOwnLabs(context, labs, async (own) => {
    for (;;) {
      const batch = await nextBatch(request, own);
      if (batch.length === 0) break;
      await sideBySide(own, batch, (turn, index) =>
        recordTurn(context, settings, request, turn, index),
      );
    }
  });
  // Of several tries of one incident the last one counts.
  const tries = readDrawn(folder).filter((one) => one.seed === seed);
  return [...new Map(tries.map((one) => [one.number, one])).values()];
}

interface TurnOf {
  readonly number: number;
  readonly drawn: DrawnIncident;
}

/**
 * The next incidents to try: as many as are missing and as there are labs; an incident that must
 * run alone is a batch of its own.
 */
async function nextBatch(
  { seed, count, tier, folder }: GenerateRequest,
  { count: labs }: LabRange,
): Promise<TurnOf[]> {
  const done = readDrawn(folder).filter((one) => one.seed === seed);
  const passed = done.filter(
    ({ incident, tier: own }) => incident !== null && (tier === undefined || own === tier),
  );
  const missing = Math.min(count - passed.length, count * MAX_DRAWS_PER_INCIDENT - done.length);
  const tried = new Set(done.filter(isSettled).map(({ number }) => number));
  const batch: TurnOf[] = [];
  for (let number = 1; batch.length < Math.min(missing, labs); number++) {
    if (tried.has(number)) continue;
    const drawn = await drawIncident(createPrng(seed), seed, number);
    const isAlone = drawn.draws.some(({ kind }) => kind.alone === true);
    if (isAlone && batch.length > 0) break;
    batch.push({ number, drawn });
    if (isAlone) break;
  }
  return batch;
}

async function recordTurn(
  context: RunContext,
  settings: RecordSettings,
  { seed, folder }: GenerateRequest,
  { number, drawn }: TurnOf,
  labIndex: number,
): Promise<void> {
  const scenario = scenarioOf(drawn.draws);
  const startedMs = performance.now();
  const result = await recordIncident(context, settings, {
    scenario,
    repeat: number,
    seed,
    labIndex,
    prefix: `[${number} ${scenario.name}] `,
    earlier: [],
    onsetMs: drawn.onsetSeconds * 1000,
    once: true,
  });
  const found: Pick<Drawn, "end" | "alert" | "reason" | "tier" | "incident"> =
    result.kind === "recorded"
      ? {
          end: "fires",
          alert: result.alert,
          reason: "",
          tier: result.recorded.recording.difficulty?.tier ?? null,
          incident: result.recorded.recording.incident,
        }
      : { ...endOf(result.incident, settings.rules), tier: null, incident: null };
  const line: Drawn = {
    seed,
    number,
    scenario: nameOfDraws(drawn.draws),
    onset_seconds: drawn.onsetSeconds,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    ...found,
  };
  mkdirSync(folder, { recursive: true });
  appendFileSync(logOf(folder), `${JSON.stringify(line)}\n`);
}

/** Single faults among the draws, as pairs for the coverage table. */
export const pairsOfDrawn = (drawn: readonly Drawn[]): Pair[] =>
  drawn.flatMap(({ scenario, end, alert, seconds, reason }) => {
    const [kind = "", service = ""] = scenario.split(".");
    if (scenario.includes("+")) return [];
    return [
      { name: scenario, kind, service, end, alert, holds: [], seconds, reason, found_unix_ms: 0 },
    ];
  });

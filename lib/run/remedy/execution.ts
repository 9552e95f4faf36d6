/**
 * An execution of remedies on a re-created incident, and its file
 * `remedies/<incident>/<name>.json`. Answers with equal remedies share it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { systemClock } from "../../base/clock.ts";
import { CancelledError, messageOf, UsageError, UserFacingError } from "../../base/errors.ts";
import { SERVICES } from "../../contract/topology.ts";
import { writeDurably } from "../../incident/bundle.ts";
import type { Lab } from "../../lab/lab.ts";
import {
  type Outcome,
  OutcomeSchema,
  type Verdicts,
  VerdictsSchema,
} from "../../score/run-record.ts";
import type { Scenario } from "../../../scenarios/load.ts";
import { asWriteError, fileNameOf } from "../artefacts.ts";
import type { Progress } from "../progress.ts";
import type { Recording } from "../recorded-incident.ts";
import { isRepaired, type Patience } from "./judge.ts";
import { type Aspects, aspectsOf } from "./plan.ts";
import { type Act, describeAct, keyOfActs } from "./read-remedy.ts";
import { onReCreation, type ReCreated } from "./recreate.ts";
import { RemedySession } from "./remedy-session.ts";

/** The states before the remedy, from which it is known which other remedies change nothing. */
const AspectsSchema = z.strictObject({
  service: z.enum(SERVICES),
  state: z.enum(["running", "exited"]),
  oomKilled: z.boolean(),
  env: z.record(z.string(), z.string()),
  memoryLimitBytes: z.number().nullable(),
  cpuQuotaCores: z.number().nullable(),
  network: z.enum(["attached", "detached"]),
});

export const ExecutionSchema = z.strictObject({
  schema_version: z.literal(1),
  incident: z.string(),
  scenario: z.string(),
  engine: z.string(),
  /** Equal for equal remedies. */
  key: z.string(),
  acts: z.array(z.string()),
  /** What each act did, or why it did nothing. */
  said: z.array(z.string()),
  outcome: OutcomeSchema,
  before: z.array(AspectsSchema),
  /** Null if it ended before the judgement. */
  verdicts: VerdictsSchema.nullable(),
  repaired: z.boolean().nullable(),
  started_unix_ms: z.number(),
  seconds: z.number(),
  versions: z.record(z.string(), z.string()),
  log: z.array(z.string()),
});
export type Execution = z.infer<typeof ExecutionSchema>;

export interface ExecutionJob {
  readonly recording: Recording;
  readonly scenario: Scenario;
  readonly acts: readonly Act[];
  readonly lab: Lab;
  readonly versions: Readonly<Record<string, string>>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly patience?: Patience | undefined;
}

/** As `execute`, with another try when the environment fails. */
export async function executeUntilValid(job: ExecutionJob): Promise<Execution> {
  const first = await execute(job);
  return first.outcome.kind === "environment-invalid" ? execute(job) : first;
}

/**
 * Executes and judges the acts. Failures of the environment are in the outcome; throws
 * CancelledError when the signal aborts.
 */
export async function execute(job: ExecutionJob): Promise<Execution> {
  const { recording, scenario, acts, lab, signal, versions } = job;
  const startedMs = systemClock.nowMs();
  const log: string[] = [];
  const progress = keeping(job.progress, log, startedMs);
  const said: string[] = [];
  let phase = "up";
  let outcome: Outcome = { kind: "valid" };
  let before: Aspects[] = [];
  let verdicts: Verdicts | null = null;
  const onPhase = (next: string): void => void (phase = next);
  const actAndJudge = async (created: ReCreated): Promise<void> => {
    onPhase("remedy");
    const { patience } = job;
    const session = await RemedySession.begin({ ...created, progress, signal, patience });
    before = session.before.map(aspectsOf);
    for (const act of acts) said.push(await session.apply(act));
    if (acts.length === 0) progress.line("remedy: nothing is done");
    const found = await session.judge();
    onPhase("undo");
    await session.undo();
    verdicts = found;
  };
  try {
    const world = { lab, scenario, recording, progress, signal, onPhase };
    await onReCreation(world, actAndJudge);
  } catch (error) {
    if (signal.aborted) throw new CancelledError("Stopped; the lab is down", { cause: error });
    outcome = outcomeOf(error, phase);
    progress.line(`failed in phase ${phase}: ${messageOf(error)}`);
  }
  return {
    schema_version: 1,
    incident: recording.incident,
    scenario: scenario.name,
    engine: lab.engine,
    key: keyOfActs(acts),
    acts: acts.map(describeAct),
    said,
    outcome,
    before,
    verdicts,
    repaired: outcome.kind === "valid" && verdicts !== null ? isRepaired(verdicts) : null,
    started_unix_ms: startedMs,
    seconds: Math.round((systemClock.nowMs() - startedMs) / 1000),
    versions: { ...versions },
    log,
  };
}

function outcomeOf(error: unknown, phase: string): Outcome {
  return error instanceof UserFacingError
    ? { kind: "environment-invalid", phase, reason: error.message }
    : { kind: "harness-defect", reason: `${phase}: ${messageOf(error)}` };
}

/** A progress that also keeps each line with the seconds since the start. */
function keeping(progress: Progress, log: string[], startedMs: number): Progress {
  return {
    ...progress,
    line: (text) => {
      log.push(`${((systemClock.nowMs() - startedMs) / 1000).toFixed(1)} s ${text}`);
      progress.line(text);
    },
  };
}

/** The folder of a results folder's executions. */
export const remediesFolder = (results: string): string => `${results}/remedies`;

/** The file of an execution below `remedies/`. */
export function executionFile(incident: string, key: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(key).digest("hex").slice(0, 8);
  return `${incident}/${fileNameOf(key).slice(0, 50)}-${hash}.json`;
}

export function writeExecution(results: string, execution: Execution): void {
  const { incident, key } = execution;
  const folder = remediesFolder(results);
  try {
    mkdirSync(`${folder}/${incident}`, { recursive: true });
    const path = `${folder}/${executionFile(incident, key)}`;
    writeDurably(path, `${JSON.stringify(execution, null, 1)}\n`);
  } catch (error) {
    throw asWriteError(error, folder);
  }
}

/**
 * The valid executions of a results folder. An incomplete file is ignored: its remedy is executed
 * again.
 */
export function executionsIn(results: string): Execution[] {
  const folder = remediesFolder(results);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .toSorted();
  return files.flatMap((name) => {
    const json = parsed(readFileSync(`${folder}/${name}`, "utf8"));
    if (json === undefined) return [];
    const read = ExecutionSchema.safeParse(json);
    if (!read.success) {
      const [issue] = read.error.issues;
      throw new UsageError(
        `Cannot read ${folder}/${name}: ${issue?.path.join(".")}: ${issue?.message}`,
      );
    }
    return read.data.outcome.kind === "valid" ? [read.data] : [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

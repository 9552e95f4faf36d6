/**
 * Executes the remedies of kept examinations, the floors and the matrix. Each execution is saved as
 * soon as it ends, so that an aborted run can be resumed.
 */
import { existsSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";
import type { Manifest, Repair } from "../../score/run-record.ts";
import { loadScenario, type Scenario } from "../../../scenarios/load.ts";
import { type KeptRun, readManifests, readRun, rewriteManifest } from "../artefacts.ts";
import type { RunContext } from "../context.ts";
import { type LabRange, type LabRequest, sideBySide, withOwnLabs } from "../labs.ts";
import { readTruths, type Recording } from "../recorded-incident.ts";
import { writeSummary } from "../report.ts";
import { bundlesFolder, runsFolder, withRunsLocked } from "../runs-folder.ts";
import { versions } from "../versions.ts";
import {
  executeUntilValid,
  type Execution,
  executionFile,
  executionsIn,
  writeExecution,
} from "./execution.ts";
import type { Patience } from "./judge.ts";
import { changesAnything } from "./plan.ts";
import { type Act, keyOfActs, type Orders } from "./read-remedy.ts";
import { type RemedyTables, tablesOf, writeRemedyTables } from "./tables.ts";
import { actsOfFloor, actsOfMatrix, FLOORS, MATRIX_ACTIONS, ordersOf } from "./wanted.ts";

export { type RemedyTables, remedyTable } from "./tables.ts";

export interface RemedyRequest {
  /** The folder of the examinations; `remedies/` is created in it. */
  readonly results: string;
  /** Folders of recorded incidents, whose truths are read. */
  readonly incidents: readonly string[];
  readonly labs: LabRequest;
  /** Only these scenarios; all if empty. */
  readonly scenarios: readonly string[];
  readonly investigators: readonly string[];
  readonly floors: boolean;
  /** Executes every action on every incident. */
  readonly matrix: boolean;
  /** Executes nothing and needs no lab: makes the tables from kept executions. */
  readonly kept: boolean;
  readonly patience?: Patience;
}

export interface CarriedOut {
  readonly executions: readonly Execution[];
  /** Failed executions; the next run tries them again. */
  readonly failed: readonly Execution[];
  readonly runs: readonly Manifest[];
  readonly tables: RemedyTables;
}

/** An incident with its pending executions. */
interface Work {
  readonly recording: Recording;
  readonly scenario: Scenario;
  /**
   * The remedies by priority. Doing nothing is first: it shows the states that the other remedies
   * start from.
   */
  readonly wanted: readonly (readonly (readonly Act[])[])[];
}

/** A kept run and the acts that its answer orders. */
interface Examined extends KeptRun {
  readonly incident: string;
  readonly orders: Orders;
}

export async function carryOut(context: RunContext, request: RemedyRequest): Promise<CarriedOut> {
  const { results, labs } = request;
  return withRunsLocked(results, undefined, async () => {
    const examined = await examinedRuns(context, request);
    const works = await worksOf(request, examined);
    const runner = new Runner(context, request, await versions(labs.engine));
    const rounds = Math.max(...works.map(({ wanted }) => wanted.length));
    const items = Array.from({ length: rounds }, (_, round) =>
      works.flatMap((work) => (work.wanted[round] ?? []).map((acts) => ({ work, acts }))),
    );
    if (!request.kept) {
      await withOwnLabs(context, labs, (range) => runner.run(range, items.flat()));
    }
    const runs = examined.map((run) => withRepair(run, runner, works));
    await writeSummary(await readManifests(runsFolder(results)), results);
    const executions = executionsIn(results);
    const tables = await tablesOf(executions);
    writeRemedyTables(results, tables);
    return { executions, failed: runner.failed, runs, tables };
  });
}

/** The valid examinations of recorded incidents. */
async function examinedRuns(
  context: RunContext,
  { results, investigators, scenarios }: RemedyRequest,
): Promise<Examined[]> {
  const all = existsSync(runsFolder(results)) ? await readManifests(runsFolder(results)) : [];
  const chosen = all.filter(
    ({ manifest }) =>
      manifest.outcome.kind === "valid" &&
      manifest.score !== null &&
      (investigators.length === 0 || investigators.includes(manifest.investigator)) &&
      (scenarios.length === 0 || scenarios.includes(manifest.scenario)),
  );
  const live = chosen.filter(({ manifest }) => manifest.incident === null);
  if (live.length > 0) {
    context.progress().line(`${live.length} live run(s) are left alone: nothing was recorded`);
  }
  return Promise.all(
    chosen.flatMap((run) => {
      const { incident } = run.manifest;
      if (incident === null) return [];
      return [
        readRun(run.path).then(({ answer }) => ({ ...run, incident, orders: ordersOf(answer) })),
      ];
    }),
  );
}

/** The examined incidents; with floors or matrix, all recorded ones. */
async function worksOf(request: RemedyRequest, examined: readonly Examined[]): Promise<Work[]> {
  const { results, incidents, floors, matrix, scenarios } = request;
  const truths = readTruths([...incidents, bundlesFolder(results)]);
  const asked = new Set(examined.map(({ incident }) => incident));
  const missing = [...asked].find((id) => !truths.has(id));
  if (missing !== undefined) {
    throw new UsageError(
      `Cannot carry out remedies of incident ${missing}: its truth must be in one of ${incidents.join(", ")}; name its folder with --incidents`,
    );
  }
  const chosen = [...truths.values()].filter(
    ({ incident, scenario }) =>
      asked.has(incident) ||
      ((floors || matrix) && (scenarios.length === 0 || scenarios.includes(scenario))),
  );
  if (chosen.length === 0) {
    throw new UsageError(
      `Cannot carry out remedies: there must be examinations of recorded incidents below ${results}, or --floors or --matrix`,
    );
  }
  return Promise.all(
    chosen.map(async (recording) => {
      const scenario = await loadScenario(recording.scenario);
      const answered = examined
        .filter(({ incident }) => incident === recording.incident)
        .map(({ orders }) => orders.acts);
      const wanted = [
        [[]],
        answered,
        floors ? FLOORS.map((floor) => actsOfFloor(floor, scenario)) : [],
        matrix ? MATRIX_ACTIONS.map((action) => actsOfMatrix(action, scenario)) : [],
      ];
      return { recording, scenario, wanted };
    }),
  );
}

interface Item {
  readonly work: Work;
  readonly acts: readonly Act[];
}

/** Executes what the folder does not contain yet. */
class Runner {
  readonly #context: RunContext;
  readonly #request: RemedyRequest;
  readonly #versions: Readonly<Record<string, string>>;
  readonly #kept: Map<string, Execution>;
  /** The executions without acts, by incident. */
  readonly #idle = new Map<string, Promise<void>>();
  readonly failed: Execution[] = [];

  constructor(
    context: RunContext,
    request: RemedyRequest,
    ofWhat: Readonly<Record<string, string>>,
  ) {
    this.#context = context;
    this.#request = request;
    this.#versions = ofWhat;
    this.#kept = new Map(
      executionsIn(request.results).map((one) => [keyIn(one.incident, one.key), one]),
    );
  }

  /** The execution that shows what these acts do; undefined when there is none. */
  find(incident: string, scenario: Scenario, acts: readonly Act[]): Execution | undefined {
    const untouched = this.#kept.get(keyIn(incident, keyOfActs([])));
    const isIdle =
      untouched !== undefined && !changesAnything(acts, untouched.before, scenario.fault);
    return isIdle ? untouched : this.#kept.get(keyIn(incident, keyOfActs(acts)));
  }

  async run(labs: LabRange, items: readonly Item[]): Promise<void> {
    const asked = new Map(
      items.map((item) => [keyIn(item.work.recording.incident, keyOfActs(item.acts)), item]),
    );
    const left = [...asked.values()].filter(({ work, acts }) => !this.#isKept(work, acts));
    this.#context.progress().line(`${left.length} of ${asked.size} remedies to carry out`);
    await sideBySide(labs, left, async (item, index) => {
      // The execution without acts started first, but may still run in another lab.
      if (item.acts.length > 0) await this.#idle.get(item.work.recording.incident);
      if (this.#isKept(item.work, item.acts)) return;
      const going = this.#executeOne(item, index);
      if (item.acts.length === 0) this.#idle.set(item.work.recording.incident, going);
      await going;
    });
  }

  #isKept({ recording, scenario }: Work, acts: readonly Act[]): boolean {
    return this.find(recording.incident, scenario, acts) !== undefined;
  }

  async #executeOne({ work, acts }: Item, index: number): Promise<void> {
    const { signal, createLab } = this.#context;
    const { labs, results, patience } = this.#request;
    const { recording, scenario } = work;
    signal.throwIfAborted();
    const execution = await executeUntilValid({
      recording,
      scenario,
      acts,
      lab: createLab({ engine: labs.engine, index, lifetime: "with-caller" }),
      versions: this.#versions,
      progress: this.#context.progress(`[${scenario.name}: ${nameOf(acts)}] `),
      signal,
      patience,
    });
    writeExecution(results, execution);
    if (execution.outcome.kind === "valid") {
      this.#kept.set(keyIn(recording.incident, execution.key), execution);
    } else {
      this.failed.push(execution);
    }
  }
}

const nameOf = (acts: readonly Act[]): string =>
  acts.length > 1 ? `${acts.length} acts` : keyOfActs(acts);

const keyIn = (incident: string, key: string): string => `${incident} ${key}`;

/** The run with the repair that its answer had; unchanged when that was not carried out. */
function withRepair(
  { path, manifest, incident, orders }: Examined,
  runner: Runner,
  works: readonly Work[],
): Manifest {
  const work = works.find(({ recording }) => recording.incident === incident);
  const found = work && runner.find(incident, work.scenario, orders.acts);
  const repair = found === undefined ? null : repairOf(found, orders);
  if (repair === null || Bun.deepEquals(repair, manifest.repair)) return manifest;
  const fresh: Manifest = { ...manifest, repair };
  rewriteManifest(path, fresh);
  return fresh;
}

/** The result of an execution for an answer with these acts. */
function repairOf(
  { incident, key, acts, verdicts, repaired }: Execution,
  orders: Orders,
): Repair | null {
  if (verdicts === null || repaired === null) return null;
  const { refused } = orders;
  return {
    repaired,
    acts: [...acts],
    refused: [...refused],
    verdicts,
    execution: executionFile(incident, key),
  };
}

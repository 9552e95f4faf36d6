/**
 * Verifies kinds on their targets, pair by pair, and continues an interrupted run.
 *
 * The full check gives each pair its own lab and all steps of an incident: signature, alert, heal,
 * recovery. The quick check shares a lab among many pairs and only shows that the fault has an
 * effect and heals.
 */
import { systemClock } from "../../base/clock.ts";
import { EnvironmentError, messageOf, UserFacingError } from "../../base/errors.ts";
import { createPrometheusClient } from "../../base/prometheus.ts";
import type { AlertRule } from "../../contract/alert-rules.ts";
import type { Lab } from "../../lab/lab.ts";
import { drawsOf, scenarioOf } from "../../../scenarios/compose.ts";
import type { Draw } from "../../../scenarios/kind.ts";
import type { Scenario } from "../../../scenarios/load.ts";
import { allPairs, nameOfDraw, QUICK } from "../../../scenarios/space.ts";
import type { RunContext } from "../context.ts";
import type { Incident } from "../incident.ts";
import { Injection } from "../injection.ts";
import { type LabRange, type LabRequest, sideBySide, withOwnLabs } from "../labs.ts";
import { readRules } from "../rules.ts";
import { prove, proveWorking, type StepContext } from "../steps.ts";
import { proveIncident } from "../verify.ts";
import { addToLedger, isSettled, type Pair, readLedger } from "./ledger.ts";

export interface VerifyKindsRequest {
  /** Kinds or pairs; all if empty. */
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly labs: LabRequest;
  /** The ledger; its pairs are not verified again. */
  readonly ledger: string;
}

/** Verifies the pairs that are missing in the ledger, and returns all requested ones. */
export async function verifyKinds(
  context: RunContext,
  { names, quick, labs, ledger }: VerifyKindsRequest,
): Promise<Pair[]> {
  const draws = await chosenDraws(names, quick);
  const wanted = new Set(draws.map(nameOfDraw));
  const done = new Set(
    readLedger(ledger)
      .filter(isSettled)
      .map(({ name }) => name),
  );
  const left = draws.filter((draw) => !done.has(nameOfDraw(draw)));
  context.progress().line(`${left.length} of ${draws.length} pairs to prove`);
  const keep = (pair: Pair): void => addToLedger(ledger, pair);
  await withOwnLabs(context, labs, async (own) => {
    const side = left.filter(({ kind }) => kind.alone !== true);
    const alone = left.filter(({ kind }) => kind.alone === true);
    await proveSide(context, own, side, quick, keep);
    // A fault that loads the whole machine would disturb other labs.
    await proveSide(context, { ...own, count: 1 }, alone, quick, keep);
  });
  return readLedger(ledger).filter(({ name }) => wanted.has(name));
}

async function chosenDraws(names: readonly string[], quick: boolean): Promise<Draw[]> {
  const chosen = names.length === 0 && quick ? QUICK : names;
  const pairs = chosen.filter((name) => name.includes("."));
  const kinds = chosen.filter((name) => !name.includes("."));
  const named = (await Promise.all(pairs.map((name) => drawsOf(name)))).flat();
  return kinds.length > 0 || pairs.length === 0 ? [...named, ...(await allPairs(kinds))] : named;
}

async function proveSide(
  context: RunContext,
  labs: LabRange,
  draws: readonly Draw[],
  quick: boolean,
  keep: (pair: Pair) => void,
): Promise<void> {
  if (!quick) {
    await sideBySide(labs, draws, async (draw, index) =>
      keep(await proveOne(context, labs, index, draw)),
    );
    return;
  }
  const parts = Array.from({ length: labs.count }, (_, i) =>
    draws.filter((_draw, j) => j % labs.count === i),
  );
  await sideBySide(labs, parts, (part, index) => proveTogether(context, labs, index, part, keep));
}

/** Verifies a pair as an incident of its own. */
async function proveOne(
  context: RunContext,
  { engine }: LabRange,
  index: number,
  draw: Draw,
): Promise<Pair> {
  const scenario = scenarioOf([draw]);
  const rules = readRules();
  const startedMs = performance.now();
  let holds: string[] = [];
  const lab = context.createLab({ engine, index, lifetime: "with-caller" });
  const incident = await proveIncident(context, scenario, {
    lab,
    rules,
    prefix: `[${scenario.name}] `,
    onFiring: async () => {
      holds = await signaturesHolding(lab, draw);
    },
  });
  return pairOf(draw, { ...endOf(incident, rules), holds, startedMs });
}

interface Found {
  readonly end: Pair["end"];
  readonly alert: string | null;
  readonly reason: string;
  readonly holds: readonly string[];
  readonly startedMs: number;
}

const pairOf = (draw: Draw, { startedMs, holds, ...found }: Found): Pair => ({
  name: nameOfDraw(draw),
  kind: draw.kind.name,
  service: draw.service,
  ...found,
  holds: [...holds],
  seconds: Math.round((performance.now() - startedMs) / 1000),
  found_unix_ms: systemClock.nowMs(),
});

/** Phases of an incident that fail if the system does not become healthy. */
const HEALING: ReadonlySet<string> = new Set(["heal", "recovery"]);

/** The pair's result according to its incident. */
export function endOf(
  { outcome, timeline, alert }: Pick<Incident, "outcome" | "timeline" | "alert">,
  rules: readonly AlertRule[],
): Pick<Found, "end" | "alert" | "reason"> {
  const has = (name: string): boolean => timeline.some((event) => event.name === name);
  const uid = rules.find(({ title }) => title === alert?.alert_name)?.uid ?? null;
  if (outcome.kind === "valid") return { end: "fires", alert: uid, reason: "" };
  const { reason } = outcome;
  // A defect, and a machine that fails before the fault, are no result about the pair.
  if (!has("inject") || outcome.kind === "harness-defect") {
    return { end: "invalid", alert: uid, reason };
  }
  if (outcome.phase === "inject") return { end: "impossible", alert: uid, reason };
  if (HEALING.has(outcome.phase)) return { end: "stays-broken", alert: uid, reason };
  if (outcome.phase === "signature-after") return { end: "fades", alert: uid, reason };
  // The alert is proven, but not the recovery: the snapshot failed, for example.
  if (has("alert-firing")) return { end: "invalid", alert: uid, reason };
  return { end: has("signature") ? "silent" : "no-effect", alert: uid, reason };
}

/** The kinds whose signatures hold on this target now, with medium amounts. */
async function signaturesHolding(lab: Lab, { service, kind }: Draw): Promise<string[]> {
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const others = (await allPairs()).filter((one) => one.service === service || one.kind === kind);
  const held: string[] = [];
  // Sequential, because Prometheus cannot answer all at once in time on a loaded machine.
  for (const other of others) {
    const { ok } = await scenarioOf([other]).signature.holds({ lab, prometheus });
    if (ok) held.push(other.service === service ? other.kind.name : nameOfDraw(other));
  }
  return held;
}

const WORKING_MS = 90_000;

/** Verifies many pairs in sequence in one lab. */
async function proveTogether(
  context: RunContext,
  { engine }: LabRange,
  index: number,
  draws: readonly Draw[],
  keep: (pair: Pair) => void,
): Promise<void> {
  const lab = context.createLab({ engine, index, lifetime: "with-caller" });
  const { signal } = context;
  const progress = context.progress(`[lab ${index}] `);
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const step: StepContext = { prometheus, progress, signal };
  try {
    for (const draw of draws) {
      signal.throwIfAborted();
      await lab.up({ keepTelemetry: true, signal });
      await proveWorking(step, WORKING_MS);
      const startedMs = performance.now();
      keep(pairOf(draw, { ...(await bite(draw, lab, step)), startedMs }));
    }
  } finally {
    progress.settle();
    await lab.down();
  }
}

/** Shows that a fault has an effect and heals, without waiting for an alert. */
async function bite(draw: Draw, lab: Lab, step: StepContext): Promise<Omit<Found, "startedMs">> {
  const scenario = scenarioOf([draw]);
  const { prometheus, progress, signal } = step;
  progress.line(scenario.name);
  const log = (line: string): void => progress.line(line);
  const injection = new Injection({
    scenario,
    context: { lab, prometheus, signal, log },
    cleanupLog: log,
  });
  const none = { alert: null, holds: [] as string[] };
  let holds: string[] = [];
  try {
    await injection.inject();
  } catch (error) {
    await injection.end();
    return { ...none, end: "impossible", reason: expected(error) };
  }
  let end: Pair["end"] = "no-effect";
  let isHealthy = false;
  try {
    await proveSigns(scenario, lab, step, true);
    holds = await signaturesHolding(lab, draw);
    end = "stays-broken";
    await injection.heal();
    await proveSigns(scenario, lab, step, false);
    await proveWorking(step, WORKING_MS);
    isHealthy = true;
    return { ...none, end: "bites", holds, reason: "" };
  } catch (error) {
    signal.throwIfAborted();
    return { ...none, end, holds, reason: expected(error) };
  } finally {
    await injection.end();
    // A lab is not reused after a failure.
    if (!isHealthy) await lab.down();
  }
}

async function proveSigns(
  { signature, fault, deadlines }: Scenario,
  lab: Lab,
  step: StepContext,
  wanted: boolean,
): Promise<void> {
  const what = wanted ? `the signature of ${fault.kind}` : `${fault.kind} healed`;
  await prove(step, what, deadlines.signatureMs, async () => {
    const { ok, seen } = await signature.holds({ lab, prometheus: step.prometheus });
    return { ok: ok === wanted, seen };
  });
}

/** The message of an error of the environment; rethrows defects. */
function expected(error: unknown): string {
  if (!(error instanceof UserFacingError) && !(error instanceof EnvironmentError)) throw error;
  return messageOf(error);
}

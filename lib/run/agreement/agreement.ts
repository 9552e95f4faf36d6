/**
 * Agreement: whether a recorded incident gives the same answers as the lab. An investigator
 * examines the live lab; then the incident is frozen, and each call is repeated on the bundle with
 * its original time.
 *
 * Telemetry arrives late: a scrape or a batch of spans in transit is missing from the live answer,
 * and present in the recording. So the calls are repeated on the lab, too, some seconds later with
 * the same times: if that second answer equals the recording's, the difference to the first is due
 * to late arrival.
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import type { EvidenceRecord } from "../../contract/answer.ts";
import { factsOf } from "../../contract/citation.ts";
import { readBundle } from "../../incident/bundle.ts";
import { restoreIncident } from "../../incident/restore.ts";
import type { Investigation, Investigator, TelemetryUrls } from "../../investigate/investigator.ts";
import { Toolset } from "../../investigate/tools/toolset.ts";
import type { Scenario } from "../../../scenarios/load.ts";
import { examine } from "../examine.ts";
import { runIncident } from "../incident.ts";
import type { RunContext } from "../context.ts";
import { BUDGET } from "../investigators.ts";
import { readRules, readRulesText } from "../rules.ts";

/** Scrapes happen every two seconds, batches every second. */
const ARRIVED_MS = 5000;

export type Verdict = "equal" | "late arrival" | "different";

export interface ComparedCall {
  readonly id: string;
  readonly tool: string;
  readonly verdict: Verdict;
  /** A fact that only one of the two answers has; empty when they are equal. */
  readonly example: string;
}

export interface Agreement {
  readonly scenario: string;
  readonly calls: readonly ComparedCall[];
  readonly live: string;
  readonly recorded: string;
}

/**
 * The facts of an answer as a set of texts, because engines do not guarantee an order. A failed
 * call is represented by its error. The number of spans in a limited search is left out: it is the
 * size of a sample, and changes while spans still arrive.
 */
function factTexts(record: EvidenceRecord): ReadonlySet<string> {
  if (!record.ok) return new Set([record.answer.replaceAll(/https?:\/\/[\w.:]+/g, "")]);
  const facts = factsOf(record).filter(({ labels }) => labels["measure"] !== "sampled");
  return new Set(facts.map((fact) => JSON.stringify(fact)));
}

/** Facts that only one of two answers has; empty when they are equal. */
export function difference(a: EvidenceRecord, b: EvidenceRecord): readonly string[] {
  const [first, second] = [factTexts(a), factTexts(b)];
  return [...first.symmetricDifference(second)];
}

/** Repeats a recorded call with its original time. */
export function replay(record: EvidenceRecord, urls: TelemetryUrls): Promise<EvidenceRecord> {
  const clock: Clock = { ...systemClock, nowMs: () => record.asked_unix_ms };
  return new Toolset({ urls, clock }).call(record.tool, record.arguments);
}

async function replayAll(
  records: readonly EvidenceRecord[],
  urls: TelemetryUrls,
): Promise<EvidenceRecord[]> {
  const answers: EvidenceRecord[] = [];
  for (const record of records) answers.push(await replay(record, urls));
  return answers;
}

/**
 * Compares the recording's answers with those of the lab, at first and after everything had
 * arrived.
 */
export function compareCalls(
  live: readonly EvidenceRecord[],
  settled: readonly EvidenceRecord[],
  recorded: readonly EvidenceRecord[],
): ComparedCall[] {
  return live.map((record, i) => {
    const [later, answer] = [settled[i] ?? record, recorded[i] ?? record];
    const differs = difference(record, answer);
    const remains = differs.length === 0 ? [] : difference(later, answer);
    const verdict =
      differs.length === 0 ? "equal" : remains.length === 0 ? "late arrival" : "different";
    const example = verdict === "different" ? (remains[0] ?? "") : (differs[0] ?? "");
    return { id: record.id, tool: record.tool, verdict, example };
  });
}

const diagnosisOf = ({ outcome }: Investigation): string =>
  outcome.kind === "answered"
    ? outcome.answer.faults
        .map(({ culprit, fault_class }) => `${culprit ?? "no service"}, ${fault_class}`)
        .join("; ")
    : `failed: ${outcome.reason}`;

/**
 * Runs one incident with a live look, freezes it, and compares. Throws when the incident is
 * invalid.
 */
export async function measureAgreement(
  context: RunContext,
  scenario: Scenario,
  investigator: Investigator,
  labIndex: number,
): Promise<Agreement> {
  let settled: EvidenceRecord[] = [];
  const asksTwice: Investigator = {
    name: investigator.name,
    investigate: async (input) => {
      const investigation = await investigator.investigate(input);
      await systemClock.sleep(ARRIVED_MS, input.signal);
      settled = await replayAll(investigation.evidence, input.urls);
      return investigation;
    },
  };
  const progress = context.progress(`[${scenario.name}] `);
  const versions = { project: "agreement", bun: Bun.version };
  const incident = await runIncident(scenario, {
    lab: context.createLab({ engine: "native", index: labIndex, lifetime: "with-caller" }),
    rules: readRules(),
    investigators: [asksTwice],
    freeze: { rulesText: readRulesText(), versions, fleetSeed: 1 },
    budget: BUDGET,
    seed: 1,
    keepTelemetry: false,
    signal: context.signal,
    progress,
  });
  const { frozen, looks, outcome, alert } = incident;
  const live = looks[0]?.investigation;
  if (frozen === null || live === undefined || alert === null || outcome.kind !== "valid") {
    throw new Error(`Cannot compare ${scenario.name}: ${JSON.stringify(outcome)}`);
  }
  await using restored = await restoreIncident(readBundle(scenario.name, await frozen.pack()));
  const answers = await replayAll(live.evidence, restored.urls);
  const again = await examine(investigator, {
    scenario,
    alert,
    urls: restored.urls,
    budget: BUDGET,
    seed: 1,
    signal: context.signal,
    clock: systemClock,
    telemetryClock: restored.clock,
    keep: (line) => line,
  });
  return {
    scenario: scenario.name,
    calls: compareCalls(live.evidence, settled, answers),
    live: diagnosisOf(live),
    recorded: diagnosisOf(again.investigation),
  };
}

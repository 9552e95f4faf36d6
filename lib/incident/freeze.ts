/**
 * Freezes a lab's stored telemetry into the entries of a bundle.
 *
 * First it waits for one more scrape of every target and one more evaluation of every rule;
 * otherwise the series of the alert that just fired would be missing. The time of the freeze is
 * that of the last sample in Prometheus' snapshot; later spans and log records are left out.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { boundedText } from "../base/bounded-body.ts";
import { type MonotonicClock, systemClock } from "../base/clock.ts";
import { EnvironmentError, messageOf } from "../base/errors.ts";
import { waitUntil } from "../base/wait.ts";
import { type Alert, withoutScenario } from "../contract/alert.ts";
import { downstreamOf, SERVICES, TOPOLOGY, upstreamOf } from "../contract/topology.ts";
import type { Lab } from "../lab/lab.ts";
import { type BundleFacts, type NewEntry, packBundle } from "./bundle.ts";
import {
  ALERT_ENTRY,
  INVENTORY_ENTRY,
  newIncidentId,
  RECORDED_ANSWERS,
  RULES_ENTRY,
  STORE_ENTRY,
} from "./bundle-format.ts";
import { packTelemetry } from "./telemetry-columns.ts";

const SETTLE_DEADLINE_MS = 20_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Exporters send a batch every second, and the store commits four times a second. */
const ARRIVAL_MS = 1500;

export interface FreezeOptions {
  readonly lab: Lab;
  /** The alert that fired. */
  readonly alert: Alert;
  /** Text of the provisioning file of the alert rules. */
  readonly rulesText: string;
  /** The lab's Prometheus reports its own version. */
  readonly versions: Omit<BundleFacts["versions"], "prometheus">;
  readonly signal?: AbortSignal;
  readonly clock?: MonotonicClock;
}

/** The frozen data before packing. */
export interface FrozenIncident {
  readonly facts: BundleFacts;
  readonly entries: readonly NewEntry[];
  /** Returns the bundle's bytes; packing takes a few seconds. */
  readonly pack: () => Promise<Buffer>;
}

/** Throws EnvironmentError when a part of the lab does not answer, or the wait takes too long. */
export async function freezeIncident(options: FreezeOptions): Promise<FrozenIncident> {
  const { lab, signal, clock = systemClock } = options;
  const prometheus = `http://localhost:${lab.ports.prometheus}`;
  await settle(prometheus, clock, signal);
  const answers = await recordedAnswers(prometheus);
  using stored = await lab.snapshot();
  const { entries: blocks, frozenUnixMs } = readBlocks(stored.prometheusBlocks);
  await clock.sleep(ARRIVAL_MS, signal);
  const facts = {
    id: newIncidentId(),
    frozen_unix_ms: frozenUnixMs,
    lookback_delta: lookbackOf(answers["flags.json"] ?? ""),
    versions: { ...options.versions, prometheus: versionOf(answers["buildinfo.json"] ?? "") },
  };
  const json = (path: string, value: unknown): NewEntry => ({
    path,
    content: Buffer.from(`${JSON.stringify(value)}\n`),
  });
  const entries = [
    json(ALERT_ENTRY, withoutScenario(options.alert)),
    json(INVENTORY_ENTRY, await inventoryAt(prometheus, frozenUnixMs)),
    { path: RULES_ENTRY, content: Buffer.from(withoutComments(options.rulesText)) },
    ...Object.entries(answers).map(([name, text]) => ({
      path: `api/${name}`,
      content: Buffer.from(text),
    })),
    ...blocks,
    { path: STORE_ENTRY, content: packTelemetry(await stored.telemetryStore(), frozenUnixMs) },
  ];
  return { facts, entries, pack: () => packBundle(facts, entries) };
}

/** No API returns the comments of the provisioning file, and they mention the scenarios. */
const withoutComments = (yaml: string): string => yaml.replaceAll(/^\s*#.*\n/gm, "");

/** Throws EnvironmentError without a whole answer in time: a lab that is slow is no defect. */
async function getText(url: string): Promise<string> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    if (!reply.ok) throw new Error(`it answered ${reply.status}`);
    return await boundedText(reply);
  } catch (error) {
    throw new EnvironmentError(`Cannot record ${url}: ${messageOf(error)}`, { cause: error });
  }
}

const getJson = async <T>(url: string): Promise<T> => JSON.parse(await getText(url)) as T;

/** Waits until every target was scraped and then every rule evaluated. */
async function settle(prometheus: string, clock: MonotonicClock, signal: AbortSignal | undefined) {
  const after = async (what: string, look: () => Promise<readonly string[]>): Promise<void> => {
    const fromMs = clock.nowMs();
    await waitUntil(
      async () => {
        const times = (await look()).map((text) => Date.parse(text));
        const late = times.filter((time) => !(time > fromMs)).length;
        return { ok: times.length > 0 && late === 0, seen: `${late} of ${times.length} are older` };
      },
      {
        what,
        deadlineMs: SETTLE_DEADLINE_MS,
        intervalMs: 100,
        clock,
        ...(signal === undefined ? {} : { signal }),
      },
    );
  };
  await after("one more scrape of every target", async () => {
    const url = `${prometheus}/api/v1/targets?state=active`;
    const body = await getJson<{ data: { activeTargets: { lastScrape: string }[] } }>(url);
    return body.data.activeTargets.map(({ lastScrape }) => lastScrape);
  });
  await after("one more evaluation of every rule", async () => {
    const body = await getJson<{
      data: { groups: { lastEvaluation: string; rules: { lastEvaluation: string }[] }[] };
    }>(`${prometheus}/api/v1/rules`);
    // A group's evaluation ends when its own time is set; its rules' times are earlier.
    return body.data.groups.flatMap(({ lastEvaluation, rules }) => [
      lastEvaluation,
      ...rules.map((rule) => rule.lastEvaluation),
    ]);
  });
}

async function recordedAnswers(prometheus: string): Promise<Record<string, string>> {
  const found = await Promise.all(
    Object.entries(RECORDED_ANSWERS).map(
      async ([name, path]) => [name, await getText(prometheus + path)] as const,
    ),
  );
  return Object.fromEntries(found);
}

function lookbackOf(flags: string): string {
  const { data } = JSON.parse(flags) as { data: Record<string, string> };
  return data["query.lookback-delta"] ?? "5m";
}

const versionOf = (buildInfo: string): string =>
  (JSON.parse(buildInfo) as { data: { version: string } }).data.version;

/** The blocks of a snapshot as entries, and the time of the last sample in them. */
function readBlocks(folder: string): { entries: NewEntry[]; frozenUnixMs: number } {
  const entries: NewEntry[] = [];
  let frozenUnixMs = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!statSync(join(folder, name)).isFile()) continue;
    const content = readFileSync(join(folder, name));
    entries.push({ path: `prometheus/${name}`, content });
    if (!name.endsWith("/meta.json")) continue;
    const { maxTime } = JSON.parse(content.toString()) as { maxTime: number };
    // The end of a block is exclusive.
    frozenUnixMs = Math.max(frozenUnixMs, maxTime - 1);
  }
  if (entries.length === 0) throw new EnvironmentError("Cannot record: the snapshot is empty");
  return { entries: entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)), frozenUnixMs };
}

/** Services and topology, with the runtime state that the container facts show. */
async function inventoryAt(prometheus: string, frozenUnixMs: number): Promise<unknown> {
  const query = new URLSearchParams({
    query: "container_state == 1",
    time: String(frozenUnixMs / 1000),
  });
  const body = await getJson<{ data: { result: { metric: Record<string, string> }[] } }>(
    `${prometheus}/api/v1/query?${query.toString()}`,
  );
  const stateOf = (service: string): string =>
    body.data.result.find(({ metric }) => metric["name"] === service)?.metric["state"] ?? "unknown";
  return {
    services: SERVICES.map((name) => ({
      name,
      role: TOPOLOGY[name].role,
      fed_by: upstreamOf(name),
      feeds: downstreamOf(name),
      state: stateOf(name),
    })),
  };
}

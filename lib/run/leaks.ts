/**
 * Checks that nothing an investigator can read reveals the scenario.
 *
 * The uids of alert rules are part of the observed system. Some scenarios have the name of a rule;
 * that name reveals no more than the alert itself.
 */
import type { EvidenceRecord } from "../contract/answer.ts";
import { HOOK_VARIABLES } from "../contract/hooks.ts";
import { SERVICES } from "../contract/topology.ts";
import type { TelemetryUrls } from "../investigate/investigator.ts";
import { Toolset } from "../investigate/tools/toolset.ts";
import type { Scenario } from "../../scenarios/load.ts";
import { readRules } from "./rules.ts";

/** Words of the injectors and of the truth, for every scenario. */
const ALWAYS = [
  ...HOOK_VARIABLES,
  "expected_rca",
  "ground_truth",
  "also_accept",
  "scenarios/",
  "runner.ts",
  "LAB_OWNER_TOKEN",
] as const;

/** Kinds of fault that are ordinary words. */
const PLAIN_WORDS: ReadonlySet<string> = new Set(["none"]);

const RULE_UIDS: ReadonlySet<string> = new Set(readRules().map(({ uid }) => uid));

type Secretive = Pick<Scenario, "name" | "fault">;

/** The words that investigators must not see. */
export function secretsOf({ name, fault }: Secretive): string[] {
  const isRule = RULE_UIDS.has(name);
  // Simultaneous faults are joined by "+".
  const kinds = fault.kind.split("+").filter((kind) => !PLAIN_WORDS.has(kind));
  return [...ALWAYS, ...kinds, ...(isRule ? [] : [name])];
}

/** Words in the injectors' markers and logs, and variables that only a fault sets. */
const INJECTORS_WORDS = [
  "PUBLISH_RATE_HZ",
  "CMS_SEED",
  "markers",
  "injected",
  "healed",
  "canonical",
] as const;

/** Words that must not occur in a recorded incident, whatever an agent requests. */
export function recordingSecretsOf(scenario: Secretive): string[] {
  const values = Object.entries(scenario.fault.parameters).flatMap(([name, value]) =>
    /^(service|amount)\d*$/.test(name) ? [] : [`${name}=${value}`],
  );
  return [...secretsOf(scenario), ...INJECTORS_WORDS, ...values];
}

/** The secrets that `text` contains as whole words. */
export function leaksIn(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) =>
    new RegExp(`(?<![\\w-])${escaped(secret)}(?![\\w-])`).test(text),
  );
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Throws when a text contains a secret: a defect of the lab. */
export function mustNotGiveAway(what: string, text: string, scenario: Secretive): void {
  const [leak] = leaksIn(text, secretsOf(scenario));
  if (leak !== undefined) throw new Error(`${what} gives the scenario away: it has "${leak}"`);
}

/**
 * Where a recorded answer contains a secret, in words, unless the investigator used the word in its
 * request; undefined if none does.
 */
export function leakOf(
  records: readonly EvidenceRecord[],
  scenario: Secretive,
): string | undefined {
  for (const { id, tool, arguments: asked, answer } of records) {
    const guessed = new Set(leaksIn(JSON.stringify(asked), secretsOf(scenario)));
    const leak = leaksIn(answer, secretsOf(scenario)).find((secret) => !guessed.has(secret));
    if (leak !== undefined) {
      return `Call ${id} (${tool}) gives the scenario away: its answer has "${leak}"`;
    }
  }
  return undefined;
}

/** Throws if a recorded answer contains a secret, which is a defect of the lab. */
export function mustNotLeak(records: readonly EvidenceRecord[], scenario: Secretive): void {
  const leak = leakOf(records, scenario);
  if (leak !== undefined) throw new Error(leak);
}

/** Calls every tool with the widest arguments, and returns the records. */
export async function sweep(urls: TelemetryUrls): Promise<readonly EvidenceRecord[]> {
  const tools = new Toolset({ urls });
  await tools.call("inventory", {});
  await tools.call("alerts", {});
  await tools.call("compare", { service: "all" });
  await tools.call("promql", { query: '{__name__=~".+"}' });
  await tools.call("promql_range", { query: "ALERTS", step_seconds: 10 });
  await tools.call("traceql", { query: "{}", limit: 100 });
  for (const service of SERVICES) {
    await tools.call("catalogue", { service });
    await tools.call("compare", { service });
    await tools.call("promql", { query: `{name="${service}"}` });
    await tools.call("promql", { query: `{instance=~"${service}:.+"}` });
    await tools.call("logql", { query: `{service_name="${service}"}`, limit: 100 });
    await tools.call("traceql", { query: `{resource.service.name="${service}"}`, limit: 20 });
  }
  const trace = tools.records
    .map(({ answer }) => /"trace_id":"([0-9a-f]{32})"/.exec(answer)?.[1])
    .find((id) => id !== undefined);
  if (trace !== undefined) await tools.call("trace", { trace_id: trace });
  const missed = tools.names.filter((name) => !tools.records.some(({ tool }) => tool === name));
  if (missed.length > 0) throw new Error(`The sweep does not call ${missed.join(", ")}`);
  return tools.records;
}

/** Log lines per request. */
const MAX_LINES = 5000;

/**
 * Reads the APIs behind the tools, uncut, because external agents may use them directly. Returns
 * the text by address; a missing page (404) counts as empty.
 */
export async function sweepApis(urls: TelemetryUrls): Promise<ReadonlyMap<string, string>> {
  const { prometheus, loki, tempo, grafana } = urls;
  const logs = SERVICES.map((service) => {
    const query = new URLSearchParams({
      query: `{service_name="${service}"}`,
      limit: String(MAX_LINES),
    });
    return `${loki}/loki/api/v1/query_range?${query.toString()}`;
  });
  const addresses = [
    `${prometheus}/api/v1/query?query=${encodeURIComponent('{__name__=~".+"}')}`,
    ...["alerts", "rules", "targets", "metadata", "labels", "label/__name__/values"].map(
      (path) => `${prometheus}/api/v1/${path}`,
    ),
    ...["config", "flags", "runtimeinfo"].map((path) => `${prometheus}/api/v1/status/${path}`),
    ...logs,
    `${loki}/loki/api/v1/labels`,
    `${tempo}/api/search?q=${encodeURIComponent("{}")}&limit=200`,
    `${tempo}/api/search/tags`,
    grafana,
    `${grafana}/console/facts.json`,
    ...[
      "health",
      "datasources",
      "annotations",
      "ruler/grafana/api/v1/rules",
      "prometheus/grafana/api/v1/rules",
      "prometheus/grafana/api/v1/alerts",
      "alertmanager/grafana/api/v2/alerts",
      "v1/provisioning/alert-rules",
      "search",
    ].map((path) => `${grafana}/api/${path}`),
  ];
  const texts = await Promise.all(
    addresses.map(async (address) => {
      const response = await fetch(address, { signal: AbortSignal.timeout(20_000) });
      const text = await response.text();
      // An error page would hide the content that the check is for.
      if (!response.ok && response.status !== 404) {
        throw new Error(`Cannot scan ${address}: it answered ${response.status}: ${text}`);
      }
      return [address, response.ok ? text : ""] as const;
    }),
  );
  return new Map(texts);
}

/**
 * Checks everything that a lab reveals: the output of every tool, and the APIs behind the tools.
 */
export async function mustKeepSecret(urls: TelemetryUrls, scenario: Secretive): Promise<void> {
  mustNotLeak(await sweep(urls), scenario);
  for (const [address, text] of await sweepApis(urls)) mustNotGiveAway(address, text, scenario);
}

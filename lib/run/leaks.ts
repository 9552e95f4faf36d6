/**
 * Whether anything that an investigator can read gives the scenario away.
 *
 * The uids of alert rules are part of the system that is watched; where a scenario has the name of one, that name says
 * no more than the alert itself.
 */
import { ALERT_UIDS } from "../contract/alert.ts";
import type { EvidenceRecord } from "../contract/answer.ts";
import { SERVICES } from "../contract/topology.ts";
import type { TelemetryUrls } from "../investigate/investigator.ts";
import { Toolset } from "../investigate/tools/toolset.ts";
import type { Scenario } from "../../scenarios/load.ts";

/** Words of the injectors and of the truth, whatever the scenario. */
const ALWAYS = [
  "CMS_LEAK_RATE_BYTES",
  "expected_rca",
  "ground_truth",
  "also_accept",
  "scenarios/",
  "runner.ts",
  "LAB_OWNER_TOKEN",
] as const;

/** What must not stand in anything that an investigator reads. */
export function secretsOf({ name, fault }: Pick<Scenario, "name" | "fault">): string[] {
  const isRule = (ALERT_UIDS as readonly string[]).includes(name);
  return [...ALWAYS, fault.kind, ...(isRule ? [] : [name])];
}

/** The secrets that stand in `text` as words of their own. */
export function leaksIn(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) =>
    new RegExp(`(?<![\\w-])${escaped(secret)}(?![\\w-])`).test(text),
  );
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Throws when a record holds a secret: a defect of the lab, whatever the investigator made of it. */
export function mustNotLeak(
  records: readonly EvidenceRecord[],
  scenario: Pick<Scenario, "name" | "fault">,
): void {
  const secrets = secretsOf(scenario);
  for (const { id, tool, answer } of records) {
    const [leak] = leaksIn(answer, secrets);
    if (leak !== undefined) {
      throw new Error(`Call ${id} (${tool}) gives the scenario away: its answer has "${leak}"`);
    }
  }
}

/** Calls every tool for everything that it can tell, and returns the records. */
export async function sweep(urls: TelemetryUrls): Promise<readonly EvidenceRecord[]> {
  const tools = new Toolset({ urls });
  await tools.call("inventory", {});
  await tools.call("alerts", {});
  await tools.call("compare", { service: "all" });
  await tools.call("promql", { query: '{__name__=~".+"}' });
  await tools.call("traceql", { query: "{}", limit: 100 });
  for (const service of SERVICES) {
    await tools.call("catalogue", { service });
    await tools.call("logql", { query: `{service_name="${service}"}`, limit: 100 });
    await tools.call("traceql", { query: `{resource.service.name="${service}"}`, limit: 20 });
  }
  const trace = tools.records
    .map(({ answer }) => /"trace_id":"([0-9a-f]{32})"/.exec(answer)?.[1])
    .find((id) => id !== undefined);
  if (trace !== undefined) await tools.call("trace", { trace_id: trace });
  return tools.records;
}

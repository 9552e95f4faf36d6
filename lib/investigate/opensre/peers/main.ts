/**
 * `bun run test:opensre`: the real OpenSRE (`OPENSRE_BIN`, else `opensre` on PATH) with a scripted
 * model investigates a real incident. It has to read telemetry and return an answer whose citations
 * hold, and nothing that it reads may contain the scenario's name.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../../../base/env.ts";
import { serveScriptedModel } from "../testing/scripted-model.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname;
const SCENARIO = "sensor-down";
const LIMIT_MS = 600_000;

interface Kept {
  readonly diagnosis: readonly { readonly culprit: string; readonly fault_class: string }[] | null;
  readonly agent_failure: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly score: { readonly grounded_citations: number; readonly invented_citations: number };
}

async function examine(results: string): Promise<string[]> {
  await using model = serveScriptedModel();
  const argv = ["runner.ts", SCENARIO, "--investigator", "opensre:scripted:1b"];
  const child = Bun.spawn([process.execPath, ...argv, "--results", results], {
    cwd: ROOT,
    env: { ...processEnv(), OLLAMA_HOST: model.url },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: LIMIT_MS,
  });
  if ((await child.exited) !== 0) return [`the run ended with ${child.exitCode}`];
  const kept = JSON.parse(readFileSync(`${results}/${SCENARIO}/manifest.json`, "utf8")) as Kept;
  const { diagnosis, agent_failure, details, score } = kept;
  process.stdout.write(`${JSON.stringify({ diagnosis, agent_failure, details, score })}\n`);
  const wrong: readonly (readonly [boolean, string])[] = [
    [agent_failure !== null, `no answer: ${agent_failure}`],
    [Number(details["telemetry_calls"]) === 0, "no telemetry was read"],
    [diagnosis?.[0]?.culprit !== "radar-sensor", "the report's service was not read"],
    [diagnosis?.[0]?.fault_class !== "process_exited", "the report's class was not read"],
    [score.grounded_citations < 2, "the report's citations were not read"],
    [score.invented_citations > 0, "a citation does not hold"],
    [model.prompts.length === 0, "the model was not asked"],
    [model.prompts.some((prompt) => prompt.includes(SCENARIO)), "a prompt names the scenario"],
  ];
  return wrong.flatMap(([isSo, what]) => (isSo ? [what] : []));
}

const results = mkdtempSync(join(tmpdir(), "opensre-results-"));
try {
  const problems = await examine(results);
  process.stdout.write(`${problems.join("\n") || "OpenSRE investigated, and was read aright"}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(results, { recursive: true, force: true });
}

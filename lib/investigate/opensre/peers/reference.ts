/**
 * `bun run reference:opensre`: repeats the reference on this machine. OpenSRE (`OPENSRE_BIN`, else
 * `opensre` on PATH) with qwen2.5:7b on Ollama investigates the six scenarios, once each, and the
 * table stands beside the reference's 9 of 26 points.
 *
 *     bun run reference:opensre [--model <name>] [--scripted] [--results <folder>] [<scenario>…]
 *
 * `--scripted` puts a scripted model in the place of Ollama, which shows that the command works
 * and nothing of a model. Exit code 2 when a run is invalid.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { z } from "zod";
import { processEnv } from "../../../base/env.ts";
import { serveScriptedModel } from "../testing/scripted-model.ts";
import { type Measured, REFERENCE, REFERENCE_MODEL, referenceTable } from "./reference-table.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname;
/** A run takes about four minutes on the reference's hardware. */
const LIMIT_MS = 45 * 60_000;

const ManifestSchema = z.object({
  outcome: z.object({ kind: z.string() }),
  agent_failure: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  score: z.object({ points: z.number(), max: z.number() }).nullable(),
});

interface Setting {
  readonly investigator: string;
  readonly results: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function measure(scenario: string, { investigator, results, env }: Setting) {
  const argv = ["runner.ts", scenario, "--investigator", investigator, "--results", results];
  const child = Bun.spawn([process.execPath, ...argv], {
    cwd: ROOT,
    env: { ...env },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: LIMIT_MS,
  });
  await child.exited;
  const file = Bun.file(`${results}/${scenario}/manifest.json`);
  const kept = ManifestSchema.safeParse(await file.json().catch(() => undefined)).data;
  const line = { scenario, agent_failure: kept?.agent_failure, details: kept?.details };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return kept?.outcome.kind === "valid" ? kept.score : null;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: REFERENCE_MODEL },
    results: { type: "string", default: "results/opensre-reference" },
    scripted: { type: "boolean", default: false },
  },
});
const scenarios = positionals.length > 0 ? positionals : Object.keys(REFERENCE);
await using scripted = values.scripted ? serveScriptedModel() : undefined;
const env = processEnv();
const investigator = `opensre:${values.scripted ? "scripted:1b" : values.model}`;
const measured = new Map<string, Measured>();
for (const scenario of scenarios) {
  const setting = {
    investigator,
    results: values.results,
    env: scripted === undefined ? env : { ...env, OLLAMA_HOST: scripted.url },
  };
  measured.set(scenario, await measure(scenario, setting));
}
const table = referenceTable(measured, investigator);
mkdirSync(values.results, { recursive: true });
writeFileSync(`${values.results}/reference.md`, `# OpenSRE beside the reference\n\n${table}\n`);
process.stdout.write(`${table}\n`);
process.exitCode = [...measured.values()].includes(null) ? 2 : 0;

/**
 * The investigator `opensre[:<model>]`: the OpenSRE command line
 * (https://github.com/Tracer-Cloud/opensre). It gets the alert as a file and Grafana as its one
 * integration, through a proxy that records what it reads.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type Env, processEnv } from "../../base/env.ts";
import { EnvironmentError } from "../../base/errors.ts";
import { type RunResult, run } from "../../base/shell.ts";
import type { Alert } from "../../contract/alert.ts";
import { describeFaults } from "../../contract/answer.ts";
import { ollamaSettings } from "../model/settings.ts";
import type {
  Investigation,
  InvestigationInput,
  InvestigationOutcome,
  Investigator,
} from "../investigator.ts";
import { readReport } from "./read-report.ts";
import { type RecordingProxy, serveRecording } from "./recording-proxy.ts";

/** The output file of OpenSRE; other fields differ between versions. */
const OutputSchema = z.looseObject({
  report: z.string().nullish(),
  root_cause: z.string().nullish(),
  problem_md: z.string().nullish(),
  is_noise: z.boolean().nullish(),
});

/** Folders below the home folder in which versions of OpenSRE look for their integrations. */
const STORES = [".tracer", ".opensre", ".config/opensre"] as const;
const TOKEN = "lab";
const SHOWN_LINES = 200;

export interface OpenSreOptions {
  /** Model on Ollama; absent: `OLLAMA_MODEL`, else the default. */
  readonly model?: string;
  readonly env?: Env;
}

/**
 * Creates it; the program is `OPENSRE_BIN`, else `opensre` on PATH. Throws UsageError for a bad
 * model or host.
 */
export function createOpenSreInvestigator(options: OpenSreOptions = {}): Investigator {
  const env = options.env ?? processEnv();
  const settings = ollamaSettings(env, options.model);
  return {
    name: `opensre:${settings.model}`,
    investigate: async (input) => {
      const started = performance.now();
      input.transcript.phase(
        "Reading alert",
        `${input.alert.alert_name} (${input.alert.severity})`,
      );
      const home = mkdtempSync(join(tmpdir(), "opensre-"));
      await using proxy = serveRecording(input.urls.grafana, input.clock);
      try {
        input.transcript.phase("Loading integrations", `Grafana at ${proxy.url}`);
        writeStores(home, proxy.url);
        writeFileSync(join(home, "alert.json"), JSON.stringify(input.alert));
        const result = await start(input, home, {
          ...kept(env),
          HOME: home,
          LLM_PROVIDER: "ollama",
          OLLAMA_MODEL: settings.model,
          OLLAMA_HOST: settings.host,
          GRAFANA_INSTANCE_URL: proxy.url,
          GRAFANA_READ_TOKEN: TOKEN,
          OPENSRE_NO_UPDATE_CHECK: "1",
          OPENSRE_ANALYTICS_DISABLED: "1",
          OPENSRE_DISABLE_KEYRING: "1",
          NO_COLOR: "1",
        });
        return await conclude(input, home, { result, proxy, started });
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    },
  };
}

/** The variables that a program needs to run. Others could tell it where it runs. */
function kept(env: Env): Record<string, string> {
  const names = ["PATH", "LANG", "TZ", "SSL_CERT_FILE", "LD_LIBRARY_PATH", "OPENSRE_BIN"];
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

function writeStores(home: string, grafana: string): void {
  const credentials = { endpoint: grafana, api_key: TOKEN };
  const store = {
    version: 2,
    integrations: [
      {
        id: "grafana-1",
        service: "grafana",
        status: "active",
        // The older format reads the first, the newer the second.
        credentials,
        instances: [{ name: "default", tags: {}, credentials }],
      },
    ],
  };
  for (const folder of STORES) {
    mkdirSync(join(home, folder), { recursive: true });
    writeFileSync(join(home, folder, "integrations.json"), JSON.stringify(store));
  }
}

/** Runs the program. A program that cannot be started returns exit code 127. */
async function start(...args: Parameters<typeof runProgram>): Promise<RunResult> {
  try {
    return await runProgram(...args);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const stderr = `${error.message} (OPENSRE_BIN names another program)`;
    return { code: 127, stdout: "", stderr, timedOut: false };
  }
}

async function runProgram(
  { transcript, budget, signal }: InvestigationInput,
  home: string,
  env: Readonly<Record<string, string>>,
): Promise<RunResult> {
  const { OPENSRE_BIN: program = "opensre", ...rest } = env;
  transcript.phase("Gathering evidence", program);
  const files = ["--input", join(home, "alert.json"), "--output", join(home, "rca.json")];
  const result = await run([program, "--yes", "investigate", ...files], {
    cwd: home,
    env: rest,
    timeoutMs: budget.wallMs,
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  for (const line of `${result.stdout}\n${result.stderr}`.split("\n").slice(-SHOWN_LINES)) {
    if (line.trim() !== "") transcript.note(line.slice(0, 300));
  }
  return result;
}

interface Ended {
  readonly result: RunResult;
  readonly proxy: RecordingProxy;
  readonly started: number;
}

async function conclude(
  { transcript, budget, alert }: InvestigationInput,
  home: string,
  { result, proxy, started }: Ended,
): Promise<Investigation> {
  transcript.phase("Diagnosing");
  const read = await outcomeOf(join(home, "rca.json"), result, proxy, {
    wallMs: budget.wallMs,
    alert,
  });
  const { outcome, unread } = read;
  const shown =
    outcome.kind === "answered" ? describeFaults(outcome.answer.faults) : outcome.reason;
  transcript.phase("Investigation complete", shown);
  return {
    outcome,
    evidence: proxy.records,
    cost: {
      wallMs: performance.now() - started,
      modelMs: 0,
      rounds: statedConfidences(result.stdout).length,
      toolCalls: proxy.records.length,
      modelCalls: 0,
      promptTokens: 0,
      completionTokens: 0,
    },
    struckCitations: unread.length,
    details: { telemetry_calls: proxy.telemetryCalls(), exit_code: result.code, unread },
  };
}

/** The confidence that it prints after each round, 0 to 1: `● Diagnosing  2ms  confidence 65%`. */
function statedConfidences(stdout: string): number[] {
  return [...stdout.matchAll(/Diagnosing\b.*?\bconfidence (\d{1,3})%/g)].map(
    ([, percent]) => Math.min(100, Number(percent)) / 100,
  );
}

async function outcomeOf(
  path: string,
  { code, stdout, stderr, timedOut }: RunResult,
  proxy: RecordingProxy,
  { wallMs, alert }: { readonly wallMs: number; readonly alert: Alert },
): Promise<{ outcome: InvestigationOutcome; unread: readonly string[] }> {
  const failed = (reason: string) => ({
    outcome: { kind: "agent-failure", reason } as const,
    unread: [],
  });
  if (timedOut) return failed(`OpenSRE did not end within ${wallMs / 1000} s`);
  const last = `${stdout}\n${stderr}`.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  if (code !== 0) return failed(`OpenSRE exited with ${code}: ${last}`);
  const file = Bun.file(path);
  if (!(await file.exists())) return failed(`OpenSRE wrote no rca.json: ${last}`);
  const parsed = OutputSchema.safeParse(await file.json().catch(() => undefined));
  if (!parsed.success) return failed(`rca.json: ${z.prettifyError(parsed.error)}`);
  if (proxy.telemetryCalls() === 0) {
    return failed("the adapter failed: OpenSRE asked for no metrics, logs or traces");
  }
  const { report, root_cause, problem_md, is_noise } = parsed.data;
  const { answer, unread } = readReport(
    {
      rootCause: root_cause ?? "",
      report: [problem_md, report].filter(Boolean).join("\n"),
      isNoise: is_noise === true,
      alert,
      confidence: statedConfidences(stdout).at(-1),
    },
    proxy.records,
  );
  return { outcome: { kind: "answered", answer }, unread };
}

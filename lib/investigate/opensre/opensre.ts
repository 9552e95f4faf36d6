/**
 * The investigator `opensre[:<model>]`: the OpenSRE command line
 * (https://github.com/Tracer-Cloud/opensre). It gets the alert as a file and Grafana as its only
 * integration, through a proxy that records its requests.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import { argvOf, type Installed, probe, questionFor, readAnalysis } from "./generation.ts";
import { readReport } from "./read-report.ts";
import { type RecordingProxy, serveRecording } from "./recording-proxy.ts";

/** Folders below the home folder in which versions of OpenSRE look for their integrations. */
const STORES = [".tracer", ".opensre", ".config/opensre"] as const;
const TOKEN = "lab";
const SHOWN_LINES = 200;
/** Where `investigate` writes its analysis, in the home folder. */
const OUTPUT = "rca.json";

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
        const ran = await start(input, home, {
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
        return await conclude(input, home, { ...ran, proxy, started });
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    },
  };
}

/** The variables that a program needs to run. Others could reveal the scenario. */
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
        // The older format uses the first key, the newer one the second.
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

/** How the program ended, and which one it was. */
interface Ran {
  readonly result: RunResult;
  readonly installed: Installed;
}

/** Runs the program. A program that cannot be started returns exit code 127. */
async function start(...args: Parameters<typeof runProgram>): Promise<Ran> {
  try {
    return await runProgram(...args);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const stderr = `${error.message} (OPENSRE_BIN names another program)`;
    return {
      result: { code: 127, stdout: "", stderr, timedOut: false },
      installed: { version: "none", generation: "investigate" },
    };
  }
}

async function runProgram(
  { alert, transcript, budget, signal }: InvestigationInput,
  home: string,
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const { OPENSRE_BIN: program = "opensre", ...rest } = env;
  const place = { cwd: home, env: rest, ...(signal === undefined ? {} : { signal }) };
  const installed = await probe(program, place);
  const { version, generation } = installed;
  transcript.phase("Gathering evidence", `${program} ${version}, ${generation}`);
  const files = { alert: join(home, "alert.json"), output: join(home, OUTPUT) };
  const result = await run(argvOf(generation, program, files), {
    ...place,
    timeoutMs: budget.wallMs,
    ...(generation === "ask" ? { stdin: questionFor(alert) } : {}),
  });
  signal?.throwIfAborted();
  for (const line of `${result.stdout}\n${result.stderr}`.split("\n").slice(-SHOWN_LINES)) {
    if (line.trim() !== "") transcript.note(line.slice(0, 300));
  }
  return { result, installed };
}

interface Ended extends Ran {
  readonly proxy: RecordingProxy;
  readonly started: number;
}

async function conclude(
  { transcript, budget, alert }: InvestigationInput,
  home: string,
  { result, installed, proxy, started }: Ended,
): Promise<Investigation> {
  transcript.phase("Diagnosing");
  const read = await outcomeOf(join(home, OUTPUT), { result, installed }, proxy, {
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
    details: {
      version: installed.version,
      generation: installed.generation,
      telemetry_calls: proxy.telemetryCalls(),
      exit_code: result.code,
      unread,
    },
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
  { result, installed }: Ran,
  proxy: RecordingProxy,
  { wallMs, alert }: { readonly wallMs: number; readonly alert: Alert },
): Promise<{ outcome: InvestigationOutcome; unread: readonly string[] }> {
  const failed = (reason: string) => ({
    outcome: { kind: "agent-failure", reason } as const,
    unread: [],
  });
  if (result.timedOut) return failed(`OpenSRE did not end within ${wallMs / 1000} s`);
  const analysis = await readAnalysis(installed.generation, result, path);
  if (typeof analysis === "string") return failed(analysis);
  if (proxy.telemetryCalls() === 0) {
    return failed("the adapter failed: OpenSRE asked for no metrics, logs or traces");
  }
  const confidence = statedConfidences(result.stdout).at(-1);
  const { answer, unread } = readReport({ ...analysis, alert, confidence }, proxy.records);
  return { outcome: { kind: "answered", answer }, unread };
}

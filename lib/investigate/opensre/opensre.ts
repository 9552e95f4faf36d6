/**
 * The investigator `opensre[:<model>]`: the OpenSRE command line
 * (https://github.com/Tracer-Cloud/opensre). It gets the alert as a file and Grafana as its only
 * integration, through a proxy that records its requests.
 */
import { type Env, processEnv } from "../../base/env.ts";
import { EnvironmentError } from "../../base/errors.ts";
import type { Alert } from "../../contract/alert.ts";
import { describeFaults } from "../../contract/answer.ts";
import { type Confinement, runProgram } from "../confined/program.ts";
import { agentSettings, type AgentSettings } from "../confined/settings.ts";
import { ollamaSettings } from "../model/settings.ts";
import type {
  Investigation,
  InvestigationInput,
  InvestigationOutcome,
  Investigator,
} from "../investigator.ts";
import {
  argvOf,
  type Ended,
  type Installed,
  installedBy,
  questionFor,
  readAnalysis,
} from "./generation.ts";
import { mustFind } from "./program.ts";
import { readReport } from "./read-report.ts";
import { type RecordingProxy, serveRecording } from "./recording-proxy.ts";

/** Folders below the home folder in which versions of OpenSRE look for their integrations. */
const STORES = [".tracer", ".opensre", ".config/opensre"] as const;
const TOKEN = "lab";
const SHOWN_LINES = 200;
/** Files that `investigate` reads and writes, in its home folder. */
const FILES = { alert: "alert.json", output: "rca.json" } as const;
/** Milliseconds. A Python program of this size takes seconds to print its help. */
const PROBE_MS = 120_000;

/**
 * Writes the program's input to its home, runs it, and prints its output file after a separator
 * line. The file is read with the agent's rights, because it may be a link or a pipe.
 */
const SCRIPT = `
for folder in ${STORES.join(" ")}; do
  mkdir -p "$folder" && printf %s "$AGENT_STORE" >"$folder/integrations.json"
done
printf %s "$AGENT_ALERT" >${FILES.alert}
"$@"
code=$?
printf '\n%s\n' "$AGENT_MARK"
if [ -f ${FILES.output} ]; then head -c 500000 ${FILES.output}; fi
exit $code`;

export interface OpenSreOptions {
  /** Model on Ollama; absent: `OLLAMA_MODEL`, else the default. */
  readonly model?: string;
  readonly env?: Env;
  readonly settings?: AgentSettings;
}

/**
 * Creates it; the program is `OPENSRE_BIN`, else `opensre` on PATH. Throws UsageError for a bad
 * model or host.
 */
export function createOpenSreInvestigator(options: OpenSreOptions = {}): Investigator {
  const { env = processEnv(), settings: given = agentSettings({}) } = options;
  const ollama = ollamaSettings(env, options.model);
  return {
    name: `opensre:${ollama.model}`,
    investigate: async (input) => {
      const started = performance.now();
      const { alert, transcript } = input;
      transcript.phase("Reading alert", `${alert.alert_name} (${alert.severity})`);
      await using proxy = serveRecording(input.urls.grafana, input.clock, (line) =>
        transcript.note(line),
      );
      transcript.phase("Loading integrations", `Grafana at ${proxy.url}`);
      const variables = {
        LLM_PROVIDER: "ollama",
        OLLAMA_MODEL: ollama.model,
        OLLAMA_HOST: ollama.host,
        GRAFANA_INSTANCE_URL: proxy.url,
        GRAFANA_READ_TOKEN: TOKEN,
        OPENSRE_NO_UPDATE_CHECK: "1",
        OPENSRE_ANALYTICS_DISABLED: "1",
        OPENSRE_DISABLE_KEYRING: "1",
        NO_COLOR: "1",
        AGENT_STORE: storeFor(proxy.url),
        AGENT_ALERT: JSON.stringify(alert),
      };
      const setting = { given, env, variables, proxy, model: new URL(ollama.host) };
      return conclude(input, { ...(await start(input, setting)), proxy, started });
    },
  };
}

function storeFor(grafana: string): string {
  const credentials = { endpoint: grafana, api_key: TOKEN };
  return JSON.stringify({
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
  });
}

/** How the program ended, and which one it was. */
interface Ran {
  readonly result: Ended & { readonly timedOut: boolean };
  readonly installed: Installed;
  readonly confinement?: Confinement;
}

interface Setting {
  readonly given: AgentSettings;
  readonly env: Env;
  readonly variables: Readonly<Record<string, string>>;
  readonly proxy: RecordingProxy;
  readonly model: URL;
}

/** Runs the program. A program that cannot be started returns exit code 127. */
async function start(input: InvestigationInput, setting: Setting): Promise<Ran> {
  try {
    return await runOpenSre(input, setting);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const stderr = `${error.message} (OPENSRE_BIN names another program)`;
    return {
      result: { code: 127, stdout: "", stderr, file: "", timedOut: false },
      installed: { version: "none", generation: "investigate" },
    };
  }
}

async function runOpenSre(
  { alert, transcript, budget, signal: stopped }: InvestigationInput,
  { given, env, variables, proxy, model }: Setting,
): Promise<Ran> {
  const { program, files } = mustFind(env);
  const settings = { ...given, files: [...new Set([...files, ...given.files])] };
  const { hostname: host, port } = proxy;
  const mark = crypto.randomUUID();
  const execute = async (argv: readonly string[], wallMs: number, stdin = "") => {
    const time = AbortSignal.timeout(wallMs);
    const end = await runProgram({
      argv: ["sh", "-c", SCRIPT, "sh", program, ...argv],
      env: { ...variables, AGENT_MARK: mark },
      stdin,
      settings,
      doors: [{ host, port, to: { host, port } }],
      model,
      signal: AbortSignal.any([time, ...(stopped === undefined ? [] : [stopped])]),
      note: (line) => transcript.note(line),
    });
    stopped?.throwIfAborted();
    const [stdout = "", file = ""] = end.stdout.split(`\n${mark}\n`);
    return { ...end, stdout, file, timedOut: time.aborted };
  };
  const stated = await execute(["--version"], PROBE_MS);
  const help = await execute(["--help"], PROBE_MS);
  const installed = installedBy(stated.stdout, help.stdout);
  const { version, generation } = installed;
  transcript.phase("Gathering evidence", `${program} ${version}, ${generation}`);
  const question = generation === "ask" ? questionFor(alert) : "";
  const result = await execute(argvOf(generation, FILES), budget.wallMs, question);
  for (const line of `${result.stdout}\n${result.stderr}`.split("\n").slice(-SHOWN_LINES)) {
    if (line.trim() !== "") transcript.note(line.slice(0, 300));
  }
  return { result, installed, confinement: result.confinement };
}

interface Finish extends Ran {
  readonly proxy: RecordingProxy;
  readonly started: number;
}

function conclude(
  { transcript, budget, alert }: InvestigationInput,
  { result, installed, confinement, proxy, started }: Finish,
): Investigation {
  transcript.phase("Diagnosing");
  const read = outcomeOf({ result, installed }, proxy, {
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
      refused_requests: proxy.refused(),
      unread,
      ...confinement,
    },
  };
}

/** The confidence that it prints after each round, 0 to 1: `● Diagnosing  2ms  confidence 65%`. */
function statedConfidences(stdout: string): number[] {
  return [...stdout.matchAll(/Diagnosing\b.*?\bconfidence (\d{1,3})%/g)].map(
    ([, percent]) => Math.min(100, Number(percent)) / 100,
  );
}

function outcomeOf(
  { result, installed }: Ran,
  proxy: RecordingProxy,
  { wallMs, alert }: { readonly wallMs: number; readonly alert: Alert },
): { outcome: InvestigationOutcome; unread: readonly string[] } {
  const failed = (reason: string) => ({
    outcome: { kind: "agent-failure", reason } as const,
    unread: [],
  });
  if (result.timedOut) return failed(`OpenSRE did not end within ${wallMs / 1000} s`);
  const analysis = readAnalysis(installed.generation, result);
  if (typeof analysis === "string") return failed(analysis);
  if (proxy.telemetryCalls() === 0) {
    return failed("the adapter failed: OpenSRE asked for no metrics, logs or traces");
  }
  const confidence = statedConfidences(result.stdout).at(-1);
  const { answer, unread } = readReport({ ...analysis, alert, confidence }, proxy.records);
  return { outcome: { kind: "answered", answer }, unread };
}

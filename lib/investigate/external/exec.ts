/**
 * The investigator `exec:<command>`: any program. It gets the alert on standard input and addresses
 * in its environment, and writes an answer to standard output. Its evidence consists of the calls
 * that it made at TOOLS_URL.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Env, processEnv } from "../../base/env.ts";
import { findJsonObject } from "../model/text.ts";
import type { InvestigationInput, Investigator } from "../investigator.ts";
import { conduct } from "./conduct.ts";
import type { Examination } from "./examination.ts";

const MAX_OUTPUT_BYTES = 1024 * 1024;
const SHOWN_CHARACTERS = 2000;

/**
 * Variables that name this program, its folder or the command that started it: the scenario's name
 * can stand in them.
 */
const KEPT_BACK = /^(_|PWD|OLDPWD|INIT_CWD|SHLVL|(npm|BUN|CMS|LAB)_.*|npm_.*)$/;

export interface ExecOptions {
  readonly env?: Env;
}

/** Creates it; `command` is run by `/bin/sh -c`, in an empty folder. */
export function createExecInvestigator(command: string, { env }: ExecOptions = {}): Investigator {
  return {
    name: `exec:${command}`,
    investigate: (input) =>
      conduct(input, async (examination, server, signal) => {
        const folder = mkdtempSync(join(tmpdir(), "agent-"));
        try {
          return await runAgent(command, folder, {
            input,
            examination,
            signal,
            env: { ...given(env ?? processEnv()), ...addresses(input, server.url) },
          });
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }),
  };
}

function given(env: Env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || KEPT_BACK.test(name) ? [] : [[name, value]],
    ),
  );
}

function addresses({ urls, budget }: InvestigationInput, tools: string): Record<string, string> {
  return {
    TOOLS_URL: tools,
    MCP_URL: `${tools}/mcp`,
    GRAFANA_URL: urls.grafana,
    PROMETHEUS_URL: urls.prometheus,
    LOKI_URL: urls.loki,
    TEMPO_URL: urls.tempo,
    BUDGET_SECONDS: String(budget.wallMs / 1000),
  };
}

interface Run {
  readonly input: InvestigationInput;
  readonly examination: Examination;
  readonly env: Record<string, string>;
  readonly signal: AbortSignal;
}

/**
 * Runs the program to its end and submits its answer. Returns the reason if the answer was not
 * accepted.
 */
async function runAgent(
  command: string,
  folder: string,
  { input, examination, env, signal }: Run,
): Promise<string> {
  input.transcript.phase("Loading integrations", command);
  // In its own session, so that all processes that the program started can be ended together.
  const child = Bun.spawn(["/bin/sh", "-c", command], {
    cwd: folder,
    env,
    detached: true,
    stdin: new TextEncoder().encode(JSON.stringify(input.alert)),
    stdout: "pipe",
    stderr: "pipe",
  });
  const end = (): void => endGroup(child.pid);
  signal.addEventListener("abort", end, { once: true });
  try {
    const [said, complained, code] = await Promise.all([
      atMost(child.stdout, MAX_OUTPUT_BYTES),
      atMost(child.stderr, MAX_OUTPUT_BYTES),
      child.exited,
    ]);
    for (const line of complained.slice(-SHOWN_CHARACTERS).split("\n")) {
      if (line.trim() !== "") input.transcript.note(`stderr: ${line}`);
    }
    return verdictOn(examination, said, code, child.signalCode);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

function verdictOn(
  examination: Examination,
  said: string,
  code: number,
  killedBy: NodeJS.Signals | number | null,
): string {
  if (killedBy !== null) return `the program was ended by ${killedBy}`;
  if (code !== 0) return `the program exited with ${code}`;
  const answer = findJsonObject(said);
  if (answer === undefined) {
    return `the program wrote no JSON object: ${JSON.stringify(said.slice(0, 160))}`;
  }
  const first = examination.submit(answer);
  // A program that has ended cannot correct its citations: the second submission removes those that
  // do not hold.
  const { ok, text } = first.ok ? first : examination.submit(answer);
  return ok ? "accepted" : text;
}

/**
 * Reads a stream to its end and drops everything beyond the limit; a full pipe would block the
 * program.
 */
async function atMost(stream: ReadableStream<Uint8Array>, bytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    if (size < bytes) parts.push(part.subarray(0, bytes - size));
    size += part.length;
  }
  return Buffer.concat(parts).toString();
}

/** Ends the program and all processes that it started; no error if they have ended already. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

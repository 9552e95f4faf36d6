/**
 * The investigator `exec:<command>`: any program in its own room. It receives the alert on standard
 * input and addresses in its environment, and writes an answer to standard output. Its evidence is
 * its calls at TOOLS_URL.
 */
import { type Confinement, runProgram } from "../confined/program.ts";
import { agentSettings, type AgentSettings } from "../confined/settings.ts";
import type { InvestigationInput, Investigator } from "../investigator.ts";
import { findJsonObject } from "../model/text.ts";
import { conduct } from "./conduct.ts";
import type { Doors } from "./doors.ts";
import type { Examination } from "./examination.ts";

const SHOWN_CHARACTERS = 4000;

export interface ExecOptions {
  readonly settings?: AgentSettings;
  /** Why it is not confined; undefined: confined if the machine supports it. */
  readonly noRoom?: string | undefined;
}

/** Creates it; `command` is run by `/bin/sh -c`, in an empty folder. */
export function createExecInvestigator(command: string, options: ExecOptions = {}): Investigator {
  const { settings = agentSettings({}) } = options;
  return {
    name: `exec:${command}`,
    investigate: (input) => {
      let confinement: Confinement | undefined;
      return conduct(
        input,
        async (examination, doors, signal) => {
          input.transcript.phase("Loading integrations", command);
          const end = await runProgram({
            argv: ["/bin/sh", "-c", command],
            env: { ...addresses(input, doors), ...modelOf(settings) },
            stdin: JSON.stringify(input.alert),
            settings,
            doors: [doorOf(doors)],
            signal,
            note: (line) => input.transcript.note(line),
            ...("noRoom" in options ? { noRoom: options.noRoom } : {}),
          });
          confinement = end.confinement;
          for (const line of end.stderr.slice(-SHOWN_CHARACTERS).split("\n")) {
            if (line.trim() !== "") input.transcript.note(`stderr: ${line}`);
          }
          return verdictOn(examination, end);
        },
        { details: () => confinement ?? {} },
      );
    },
  };
}

const doorOf = ({ port }: Doors) => {
  const address = { host: "127.0.0.1", port };
  return { ...address, to: address };
};

function addresses({ budget }: InvestigationInput, { urls }: Doors): Record<string, string> {
  return {
    TOOLS_URL: urls.tools,
    MCP_URL: urls.mcp,
    GRAFANA_URL: urls.grafana,
    PROMETHEUS_URL: urls.prometheus,
    LOKI_URL: urls.loki,
    TEMPO_URL: urls.tempo,
    BUDGET_SECONDS: String(budget.wallMs / 1000),
  };
}

const modelOf = ({ model }: AgentSettings): Record<string, string> =>
  model === undefined ? {} : { MODEL_URL: model.href.replace(/\/$/, "") };

function verdictOn(
  examination: Examination,
  { stdout, code, killedBy }: { stdout: string; code: number; killedBy: string | undefined },
): string {
  if (killedBy !== undefined) return `the program was ended by ${killedBy}`;
  if (code === 126 || code === 127) {
    return `the program exited with ${code}: it was not found; a program sees the system's programs and what --agent-files names`;
  }
  if (code !== 0) return `the program exited with ${code}`;
  const answer = findJsonObject(stdout);
  if (answer === undefined) {
    return `the program wrote no JSON object: ${JSON.stringify(stdout.slice(0, 160))}`;
  }
  const first = examination.submit(answer);
  // A program that has ended cannot correct its citations: the second submission removes those that
  // do not hold.
  const { ok, text } = first.ok ? first : examination.submit(answer);
  return ok ? "accepted" : text;
}

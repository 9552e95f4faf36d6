/**
 * What a user passes to an examined program besides its tools: files, one model server, variables.
 */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Env, processEnv } from "../../base/env.ts";
import { UsageError } from "../../base/errors.ts";

const PROJECT = realpathSync(new URL("../../..", import.meta.url).pathname).replace(/\/$/, "");
/** Folders of the machine, or created for the program. */
const SYSTEM = [
  "/",
  "/bin",
  "/dev",
  "/etc",
  "/lib",
  "/proc",
  "/run",
  "/sbin",
  "/sys",
  "/usr",
  "/var",
];
/** Variables that the lab sets, or through which the program could make the lab run its code. */
const NOT_GIVEN =
  /^(?:HOME|PATH|PWD|ROOM_.*|.*_URL|(?:https?|no)_proxy|LD_.*|SUDO_.*|(?:CMS|LAB|BUN|npm)_.*)$/i;

/** As written on the command line. */
export interface GivenToAgents {
  /** The program's own files and folders, such as virtual environments. */
  readonly agentFiles?: readonly string[] | undefined;
  /** URL of the only model server that it can reach. */
  readonly agentModel?: string | undefined;
  /** Names of variables of this process to pass on, such as a key. */
  readonly agentEnv?: readonly string[] | undefined;
  /** Hidden paths. */
  readonly hidden?: readonly string[] | undefined;
}

export interface AgentSettings {
  /** Absolute paths. */
  readonly files: readonly string[];
  readonly model: URL | undefined;
  readonly variables: Readonly<Record<string, string>>;
  /** Absolute paths. */
  readonly hidden: readonly string[];
}

/** Validates the settings. Throws UsageError. */
export function agentSettings(given: GivenToAgents, env: Env = processEnv()): AgentSettings {
  const { agentFiles = [], agentModel, agentEnv = [], hidden = [] } = given;
  const away = [PROJECT, ...hidden.map((path) => resolve(path))];
  const files = agentFiles.map((path) => ownFile(path, away));
  return {
    files: [...new Set([...files, ...files.flatMap(pythonOf)])],
    model: agentModel === undefined ? undefined : modelUrl(agentModel),
    variables: Object.fromEntries(agentEnv.map((name) => [name, variable(name, env)])),
    // These are absent from a room or created for it.
    hidden: away.filter((path) => ![...SYSTEM, "/tmp"].includes(path)),
  };
}

function ownFile(path: string, away: readonly string[]): string {
  const refuse = (rule: string): never => {
    throw new UsageError(`Cannot give agents ${path}: it must ${rule}`);
  };
  const absolute = resolve(path);
  if (!existsSync(absolute)) return refuse("exist");
  for (const one of [absolute, realpathSync(absolute)]) {
    if (SYSTEM.includes(one) || /^\/(?:dev|proc|run|sys)\//.test(one)) {
      refuse("be the agent's own, not the system's");
    }
    // The project's folder is hidden with its content, so this path would not be visible.
    const inside = away.find((folder) => one === folder || one.startsWith(`${folder}/`));
    if (inside !== undefined) refuse(`lie outside ${inside}`);
  }
  return absolute;
}

/** The Python installation of a virtual environment, unless it is the system's. */
export function pythonOf(folder: string): string[] {
  const config = join(folder, "pyvenv.cfg");
  if (!existsSync(config)) return [];
  const home = /^home\s*=\s*(\/\S.*)$/m.exec(readFileSync(config, "utf8"))?.[1]?.trim();
  if (home === undefined || home.startsWith("/usr/")) return [];
  const prefix = dirname(home);
  // The file could name any folder; a Python installation contains these.
  const isPython = existsSync(join(prefix, "bin/python3")) && existsSync(join(prefix, "lib"));
  return isPython && !SYSTEM.includes(prefix) ? [prefix] : [];
}

function modelUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError(
    `Cannot use --agent-model ${JSON.stringify(text)}: it must be an http:// or https:// URL`,
  );
}

function variable(name: string, env: Env): string {
  const value = env[name];
  if (!/^[A-Za-z_]\w*$/.test(name) || NOT_GIVEN.test(name)) {
    throw new UsageError(
      `Cannot give agents the variable ${JSON.stringify(name)}: it must be one of their own, such as a key`,
    );
  }
  if (value === undefined) throw new UsageError(`Cannot give agents ${name}: it is not set`);
  return value;
}

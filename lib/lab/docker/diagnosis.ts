/** Finds the container engine, and what of the lab does not work on it. */
import { engineAnswers, findEngine } from "../../base/container-engine.ts";
import { type Env, processEnv } from "../../base/env.ts";
import { messageOf } from "../../base/errors.ts";
import { Engine, type EngineVersion } from "./engine.ts";

export interface EngineFinding {
  readonly what: string;
  /** Whether the lab runs on it; true without an engine as well, since an engine is optional. */
  readonly ok: boolean;
  readonly detail: string;
}

/** Differences found in Podman 4.3 behind its Docker-compatible socket. */
const PODMAN =
  "it refuses a quota on a running container (fusion-cpu-starvation cannot be injected) and does not distinguish a kill for memory from other kills; everything else goes through the same calls";

/** The oldest API version with every request of the lab, including one-shot statistics. */
const MIN_API = 1.41;

export async function checkEngine(env: Env = processEnv()): Promise<EngineFinding[]> {
  const what = "container engine";
  try {
    const endpoint = findEngine(env);
    if (endpoint === undefined || !(await engineAnswers(endpoint))) {
      const where = endpoint === undefined ? "" : ` at ${endpoint.host}`;
      return [{ what, ok: true, detail: `none answers${where}; only --engine docker needs one` }];
    }
    return [{ what, ...judge(await new Engine(endpoint).version(), endpoint.host) }];
  } catch (error) {
    return [{ what, ok: false, detail: messageOf(error) }];
  }
}

function judge(version: EngineVersion, host: string): Omit<EngineFinding, "what"> {
  const { Version, ApiVersion, Components = [] } = version;
  const podman = Components.find(({ Name }) => Name.includes("Podman"));
  const name = podman === undefined ? "Docker" : "Podman";
  const found = `${name} ${podman?.Version ?? Version}, API ${ApiVersion}, at ${host}`;
  if (Number(ApiVersion) < MIN_API) {
    return { ok: false, detail: `${found}: the API must be ${MIN_API} or later` };
  }
  return { ok: true, detail: podman === undefined ? found : `${found}: ${PODMAN}` };
}

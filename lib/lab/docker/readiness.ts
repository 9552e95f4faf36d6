/** Determines whether a container lab is ready or has failed. */
import { processEnv } from "../../base/env.ts";
import { EnvironmentError } from "../../base/errors.ts";
import type { Observation } from "../../base/wait.ts";
import { readFleet } from "../../contract/fleet.ts";
import type { ContainerSummary, Engine } from "./engine.ts";
import { type DockerPorts, LABEL, ONE_SHOT } from "./layout.ts";

/** The readiness path of each part, by host port. */
const READY: readonly (readonly [keyof DockerPorts, string])[] = [
  ["prometheus", "/-/ready"],
  ["loki", "/ready"],
  ["tempo", "/api/echo"],
  ["console", "/api/health"],
  ["telemetry", "/api/health"],
];

/**
 * Checks once whether the picture has a track for each target and every part answers. Aborts
 * `hopeless` when a container ended by itself.
 */
export async function lookAtLab(
  engine: Engine,
  project: string,
  ports: DockerPorts,
  hopeless: AbortController,
): Promise<Observation<never>> {
  const dead = await findDead(engine, await engine.list(project));
  if (dead !== undefined) hopeless.abort(dead);
  const picture = await get(ports.display, "/api/picture")
    .then((answer) => answer.json() as Promise<{ track_count: number }>)
    .catch(() => undefined);
  const answers = await Promise.all(
    READY.map(([name, path]) =>
      get(ports[name] as number, path).then(
        ({ ok }) => ok,
        () => false,
      ),
    ),
  );
  const waiting = READY.filter((_, i) => answers[i] !== true).map(([name]) => name);
  const tracks = picture === undefined ? "no picture" : `${picture.track_count} tracks`;
  return {
    ok: picture?.track_count === readFleet(processEnv()).targets && waiting.length === 0,
    seen: waiting.length === 0 ? tracks : `${tracks}, not ready: ${waiting.join(", ")}`,
  };
}

const get = (port: number, path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1000), keepalive: false });

/** Log lines of a failed container in the error message. */
const LAST_LINES = 5;

async function findDead(
  engine: Engine,
  listed: readonly ContainerSummary[],
): Promise<EnvironmentError | undefined> {
  const dead = listed.find(({ State }) => State === "exited" || State === "dead");
  if (dead === undefined) return undefined;
  const name = dead.Labels[LABEL.service] ?? "a container";
  const { State } = await engine.inspect(dead.Id);
  if (name === ONE_SHOT && State.ExitCode === 0) {
    return findDead(
      engine,
      listed.filter(({ Id }) => Id !== dead.Id),
    );
  }
  const said = (await engine.logs(dead.Id, LAST_LINES)).trim().split("\n").join(" | ");
  return new EnvironmentError(
    `Cannot start the lab in containers: ${name} must keep running, but ended with exit code ${State.ExitCode}${State.OOMKilled ? " (out of memory)" : ""}: ${said === "" ? "it wrote no message" : said}`,
  );
}

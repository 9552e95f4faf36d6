/**
 * A read-only proxy of the engine's socket for the containers of one project. Write access to the
 * socket means root on the host, and read access shows the environment of every other project. So
 * the proxy makes its own requests and answers with an explicit list of fields.
 */
import { EngineError } from "../../../base/container-engine.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Container, ContainerSummary, Engine } from "../engine.ts";

/** How long a list of containers is reused; a scrape needs it once, and twice per container. */
const LIST_LIVES_MS = 1000;

const ONE = /^\/containers\/([0-9a-f]{12,64})\/(json|stats)$/;

export interface ProxyOptions {
  readonly engine: Engine;
  readonly project: string;
  readonly clock: Clock;
}

/** Creates the request handler. */
export function createProxy(options: ProxyOptions): (request: Request) => Promise<Response> {
  const { engine, project, clock } = options;
  let known: { readonly list: readonly ContainerSummary[]; readonly atMs: number } | undefined;
  const list = async (): Promise<readonly ContainerSummary[]> => {
    const nowMs = clock.nowMs();
    if (known === undefined || nowMs - known.atMs >= LIST_LIVES_MS) {
      known = { list: await engine.list(project), atMs: nowMs };
    }
    return known.list;
  };
  const answer = async (pathname: string): Promise<Response> => {
    if (pathname === "/containers/json") return Response.json((await list()).map(summaryOf));
    const [, id = "", what] = ONE.exec(pathname) ?? [];
    if (id === "") return refuse(403, `${pathname} is not one of the paths that may be read`);
    if (!(await list()).some(({ Id }) => Id.startsWith(id))) {
      return refuse(404, `no container ${id} in this project`);
    }
    if (what === "stats") return Response.json(await engine.stats(id));
    return Response.json(containerOf(await engine.inspect(id)));
  };
  return async (request) => {
    // Without a Host header, the URL is only a path.
    const { pathname } = new URL(request.url, "http://engine-proxy");
    if (request.method !== "GET") return refuse(403, `${request.method} may change something`);
    if (pathname === "/healthz") return new Response("ok\n");
    try {
      return await answer(pathname);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return refuse(error.status ?? 502, error.message);
    }
  };
}

const refuse = (status: number, message: string): Response =>
  Response.json({ message }, { status });

const summaryOf = ({ Id, Names, State, Labels }: ContainerSummary): ContainerSummary => ({
  Id,
  Names,
  State,
  Labels,
});

/** Leaves out environment, mounts and command. */
function containerOf({ Id, Name, Image, State, Config, HostConfig }: Container): unknown {
  const { Memory, CpuShares, CpuQuota, CpuPeriod } = HostConfig;
  return {
    Id,
    Name,
    Image,
    State,
    Config: { Labels: Config.Labels },
    HostConfig: { Memory, CpuShares, CpuQuota, CpuPeriod },
    NetworkSettings: { Networks: {} },
  };
}

/**
 * The door to the engine's socket: reading requests about the containers of one project, and nothing else. Who may write
 * to the socket is root on the host; who may read all of it sees every other project's environment. So the proxy asks
 * the engine itself, and answers with the fields that it lists here.
 */
import { EngineError } from "../../../base/container-engine.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Container, ContainerSummary, Engine } from "../engine.ts";

/** How long a list of containers serves; a scrape asks for it once and for each container twice. */
const LIST_LIVES_MS = 1000;

const ONE = /^\/containers\/([0-9a-f]{12,64})\/(json|stats)$/;

export interface ProxyOptions {
  readonly engine: Engine;
  readonly project: string;
  readonly clock: Clock;
}

/** Returns what answers a request. */
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
    // Without a Host header it is a path alone.
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

/** Without its environment, its mounts and its command. */
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

/**
 * A fake container engine on a socket in a temporary folder: sends configured answers and records
 * requests.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineEndpoint, endpointOf } from "../../../base/container-engine.ts";
import type { Container } from "../engine.ts";
import { LABEL } from "../layout.ts";

export interface Asked {
  readonly method: string;
  /** Path with its query, decoded. */
  readonly path: string;
  readonly body: unknown;
}

export type Answer = (asked: Asked) => Response | undefined;

export class FakeEngine implements Disposable {
  readonly asked: Asked[] = [];
  readonly endpoint: EngineEndpoint;
  readonly #folder: string;
  readonly #server: Bun.Server<undefined>;

  /** `answer` is called first; its undefined results become a 404. */
  constructor(answer: Answer) {
    this.#folder = mkdtempSync(join(tmpdir(), "fake-engine-"));
    const socket = join(this.#folder, "engine.sock");
    this.endpoint = endpointOf(`unix://${socket}`);
    this.#server = Bun.serve({
      unix: socket,
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        const text = await request.text();
        const asked: Asked = {
          method: request.method,
          path: pathname + decodeURIComponent(search),
          body: text === "" ? undefined : JSON.parse(text),
        };
        this.asked.push(asked);
        return (
          answer(asked) ??
          Response.json({ message: `no such thing: ${asked.path}` }, { status: 404 })
        );
      },
    });
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A running, unchanged container of a service in the engine's format, with `changes` applied. */
export function containerOf(
  service: string,
  changes: {
    readonly id?: string;
    readonly state?: Partial<Container["State"]>;
    readonly host?: Partial<Container["HostConfig"]>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly networks?: readonly string[];
    readonly env?: readonly string[];
  } = {},
): Container {
  const { id = "a".repeat(64), state, host, labels, networks = ["cms-lab_cms"], env } = changes;
  return {
    Id: id,
    Name: `/cms-lab-${service}-1`,
    Image: "sha256:1",
    State: {
      Running: true,
      Pid: 42,
      ExitCode: 0,
      OOMKilled: false,
      StartedAt: "2026-01-01T00:00:00.5Z",
      ...state,
    },
    Config: {
      Env: env ?? ["CMS_DDS_DOMAIN=0", "PATH=/bin"],
      Cmd: [service],
      Labels: {
        [LABEL.service]: service,
        [LABEL.configHash]: "hash",
        ...labels,
      },
    },
    HostConfig: { Memory: 256 * 2 ** 20, CpuShares: 1024, CpuQuota: 0, CpuPeriod: 0, ...host },
    NetworkSettings: { Networks: Object.fromEntries(networks.map((name) => [name, {}])) },
  };
}

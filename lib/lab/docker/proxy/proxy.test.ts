import { afterAll, describe, expect, test } from "bun:test";
import { ManualClock } from "../../../base/clock.ts";
import { type Container, Engine } from "../engine.ts";
import { LABEL } from "../layout.ts";
import { rowsOf } from "../metrics/facts.ts";
import { containerOf, FakeEngine } from "../testing/fake-engine.ts";
import { createProxy } from "./proxy.ts";

const OURS = "a".repeat(64);
const OTHERS = "b".repeat(64);

const fake = new FakeEngine(({ path }) => {
  if (path.startsWith("/containers/json")) {
    const mine = { Id: OURS, Names: ["/x"], State: "running", Labels: { [LABEL.service]: "x" } };
    return Response.json([mine]);
  }
  if (path.endsWith("/json")) return Response.json(containerOf("x", { env: ["SECRET=1"] }));
  if (path.includes("/stats")) return Response.json({ memory_stats: { usage: 5 } });
  return undefined;
});
afterAll(() => fake[Symbol.dispose]());

const proxy = createProxy({
  engine: new Engine(fake.endpoint),
  project: "mine",
  clock: new ManualClock(),
});
const ask = (path: string, method = "GET"): Promise<Response> =>
  proxy(new Request(`http://proxy${path}`, { method }));

describe("engine proxy", () => {
  test("lists the containers of its own project, whatever it is asked for", async () => {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${LABEL.project}=others`] }));
    const answer = await ask(`/containers/json?all=true&filters=${filters}`);
    expect(await answer.json()).toHaveLength(1);
    expect(fake.asked[0]?.path).toContain(`${LABEL.project}=mine`);
    expect(fake.asked[0]?.path).not.toContain("others");
  });

  test("shows a container without its environment", async () => {
    const text = await (await ask(`/containers/${OURS}/json`)).text();
    expect(JSON.parse(text)).toMatchObject({
      State: { Running: true },
      HostConfig: { CpuQuota: 0 },
    });
    expect(text).not.toContain("SECRET");
  });

  test("passes on every field that the facts of a container are made of", async () => {
    const passed = (await (await ask(`/containers/${OURS}/json`)).json()) as Container;
    expect(rowsOf(passed, {}, 0)).toEqual(rowsOf(containerOf("x"), {}, 0));
  });

  test("answers a client that names no host", async () => {
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: proxy });
    const said = await new Promise<string>((resolve) => {
      void Bun.connect({
        hostname: "127.0.0.1",
        port: server.port ?? 0,
        socket: {
          open: (socket) => void socket.write("GET /info HTTP/1.0\r\n\r\n"),
          data: (_, bytes) => resolve(bytes.toString()),
        },
      });
    });
    expect(said).toStartWith("HTTP/1.1 403");
  });

  test("passes statistics on", async () => {
    const answer = await ask(`/containers/${OURS}/stats?stream=false`);
    expect(await answer.json()).toEqual({ memory_stats: { usage: 5 } });
  });

  test("does not know another project's container", async () => {
    expect((await ask(`/containers/${OTHERS}/json`)).status).toBe(404);
  });

  test.each([
    ["POST", `/containers/${OURS}/stop`],
    ["DELETE", `/containers/${OURS}`],
    ["POST", "/containers/create"],
    ["PUT", `/containers/${OURS}/archive`],
    ["GET", `/containers/${OURS}/archive?path=/`],
    ["GET", `/containers/${OURS}/logs`],
    ["GET", "/images/json"],
    ["GET", "/info"],
    ["GET", `/containers/${OURS}/json/../archive`],
    ["GET", `/v1.45/containers/${OURS}/json`],
  ])("refuses %s %s, and does not ask the engine", async (method, path) => {
    const before = fake.asked.length;
    expect((await ask(path, method)).status).toBe(403);
    expect(fake.asked).toHaveLength(before);
  });
});

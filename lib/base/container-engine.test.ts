import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  askEngine,
  endpointOf,
  engineAnswers,
  EngineError,
  findEngine,
  readEngine,
} from "./container-engine.ts";

const only =
  (...paths: readonly string[]) =>
  (path: string): boolean =>
    paths.includes(path);

describe("findEngine()", () => {
  test("takes what DOCKER_HOST names, whatever else is there", () => {
    const found = findEngine({ DOCKER_HOST: "unix:///my.sock" }, only("/var/run/docker.sock"));
    expect(found).toMatchObject({ socket: "/my.sock", host: "unix:///my.sock" });
  });

  test.each([
    ["/var/run/docker.sock"],
    ["/home/me/.docker/run/docker.sock"],
    ["/run/user/1000/docker.sock"],
    ["/run/podman/podman.sock"],
    ["/run/user/1000/podman/podman.sock"],
  ])("finds %s", (path) => {
    const env = { HOME: "/home/me", XDG_RUNTIME_DIR: "/run/user/1000" };
    expect(findEngine(env, only(path))?.socket).toBe(path);
  });

  test("finds nothing where nothing is", () => {
    expect(findEngine({ HOME: "/root" }, only())).toBeUndefined();
  });
});

describe("endpointOf()", () => {
  test("asks an engine over TCP by HTTP", () => {
    expect(endpointOf("tcp://10.0.0.1:2375")).toMatchObject({
      url: "http://10.0.0.1:2375",
      socket: undefined,
    });
  });

  test.each(["ssh://me@host", "npipe:////./pipe/docker_engine", "/var/run/docker.sock", "tcp://"])(
    "refuses %s with the rule and the value",
    (host) => {
      expect(() => endpointOf(host)).toThrow(
        /must be unix:\/\/\/path or tcp:\/\/host:port, but is "/,
      );
    },
  );
});

describe("askEngine()", () => {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  const socket = join(folder, "e.sock");

  test("says what to do where there is no engine", async () => {
    const missing = endpointOf("unix:///nowhere/docker.sock");
    await expect(askEngine(missing, "/_ping")).rejects.toThrow(
      /one must answer at unix:\/\/\/nowhere\/docker.sock, but there is no such socket; start Docker/,
    );
    expect(await engineAnswers(missing)).toBe(false);
  });

  test("says so where a socket has nobody behind it", async () => {
    await Bun.write(socket, "");
    await expect(askEngine(endpointOf(`unix://${socket}`), "/_ping")).rejects.toThrow(EngineError);
    expect(await engineAnswers(endpointOf(`unix://${socket}`))).toBe(false);
    rmSync(socket);
  });

  test("passes on the reason of a refusal, with its status", async () => {
    using server = Bun.serve({
      unix: socket,
      fetch: () => Response.json({ message: "no such container" }, { status: 404 }),
    });
    const engine = endpointOf(`unix://${socket}`);
    const refused = await askEngine(engine, "/containers/x/json").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(EngineError);
    expect((refused as EngineError).status).toBe(404);
    expect((refused as EngineError).message).toContain("refused GET /containers/x/json: no such");
    expect(server.pendingRequests).toBe(0);
  });

  // Root may open every socket, so the test asks as another user.
  test.skipIf(process.getuid?.() !== 0 || Bun.which("setpriv") === null)(
    "names the group where this user may not use the socket",
    () => {
      using server = Bun.serve({ unix: socket, fetch: () => new Response("OK") });
      const program = `
        const { askEngine, endpointOf } = await import("${import.meta.dir}/container-engine.ts");
        await askEngine(endpointOf("unix://${socket}"), "/_ping").catch((e) => console.log(e.message));`;
      Bun.spawnSync(["chmod", "755", folder]);
      Bun.spawnSync(["chmod", "600", socket]);
      const { stdout } = Bun.spawnSync([
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        process.execPath,
        "-e",
        program,
      ]);
      expect(server.pendingRequests).toBe(0);
      expect(stdout.toString()).toContain("must be allowed to use");
      expect(stdout.toString()).toContain("usermod -aG docker");
    },
  );
});

test("readEngine() says what was asked when the answer does not come to its end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  const endless = new ReadableStream({ start: (controller) => controller.enqueue("part") });
  using server = Bun.serve({ unix: join(folder, "s"), fetch: () => new Response(endless) });
  const engine = endpointOf(`unix://${join(folder, "s")}`);
  const reading = readEngine(engine, "/archive", { timeoutMs: 100 });
  expect(reading).rejects.toThrow(/answer to GET \/archive: The operation timed out/);
  expect(await reading.catch((error: unknown) => error)).toBeInstanceOf(EngineError);
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

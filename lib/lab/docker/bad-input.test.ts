/**
 * Missing requirements of a machine, against a fake engine and a fake Compose: every failure prints
 * one line with the rule, the value and the next step, and leaves nothing behind.
 * `peers/bad-input.suite.ts` provokes the same failures on a real engine.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endpointOf } from "../../base/container-engine.ts";
import { EnvironmentError } from "../../base/errors.ts";
import { createLab } from "../create-lab.ts";
import { why } from "./compose.ts";
import { DockerLab } from "./docker-lab.ts";
import { dockerPorts, LABEL, projectName } from "./layout.ts";
import { type Asked, containerOf, FakeEngine } from "./testing/fake-engine.ts";

const INDEX = 8;
const folder = mkdtempSync(join(tmpdir(), "docker-lab-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program in place of `docker compose` that prints `said` and exits with `code`. */
function fakeDocker(said: string, code: number): string {
  const path = join(folder, `docker-${crypto.randomUUID()}`);
  writeFileSync(path, `#!/bin/sh\ncat >&2 <<'END'\n${said}\nEND\nexit ${code}\n`);
  chmodSync(path, 0o755);
  return path;
}

interface Playing {
  readonly containers?: readonly unknown[];
  readonly answer?: (asked: Asked) => Response | undefined;
}

function engine({ containers = [], answer }: Playing = {}): FakeEngine {
  return new FakeEngine((asked) => {
    const own = answer?.(asked);
    if (own !== undefined) return own;
    if (asked.path.startsWith("/containers/json")) return Response.json(containers);
    if (asked.path.startsWith("/volumes?")) return Response.json({ Volumes: null });
    if (asked.path.startsWith("/networks?")) return Response.json([]);
    return asked.method === "GET" ? undefined : new Response(null, { status: 204 });
  });
}

const labOn = (fake: FakeEngine, docker = fakeDocker("", 0)): DockerLab =>
  new DockerLab({
    index: INDEX,
    lifetime: "until-down",
    projectDir: folder,
    engine: fake.endpoint,
    docker,
  });

const messageOfUp = async (lab: DockerLab): Promise<string> => {
  const error = await lab.up().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EnvironmentError);
  const { message, exitCode } = error as EnvironmentError;
  expect(message).not.toContain("\n");
  expect(exitCode).toBe(2);
  return message;
};

describe("up", () => {
  test("without an engine", async () => {
    const lab = new DockerLab({
      index: INDEX,
      lifetime: "until-down",
      projectDir: folder,
      engine: endpointOf("unix:///nowhere/docker.sock"),
    });
    expect(await messageOfUp(lab)).toMatch(/one must answer at .*nowhere.*; start Docker/);
  });

  test("without Compose", async () => {
    using fake = engine();
    expect(await messageOfUp(labOn(fake, "no-such-docker"))).toMatch(
      /docker must be on PATH, with Compose v2; see https:/,
    );
  });

  test("with a port taken names the port and who has it, before anything starts", async () => {
    const server = createServer();
    const port = dockerPorts(INDEX).loki;
    await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
    try {
      using fake = engine();
      expect(await messageOfUp(labOn(fake))).toMatch(
        new RegExp(`port ${port} must be free, but .*listens on it; .*--lab`),
      );
      expect(fake.asked.filter(({ method }) => method === "POST")).toEqual([]);
    } finally {
      server.close();
    }
  });

  test("with an image that does not build says which step, and removes what Compose made", async () => {
    const removed: string[] = [];
    const made = { Id: "c1", Names: [], State: "created", Labels: { [LABEL.service]: "x" } };
    let containers: unknown[] = [made];
    using fake = engine({
      answer: ({ method, path }) => {
        if (method === "DELETE") {
          removed.push(path);
          containers = [];
          return new Response(null, { status: 204 });
        }
        if (path.startsWith("/containers/json")) return Response.json(containers);
        if (!path.startsWith("/volumes?")) return undefined;
        return Response.json({ Volumes: removed.length > 1 ? null : [{ Name: "v1" }] });
      },
    });
    const said = `failed to solve: process "/bin/sh -c exit 7" did not complete successfully: exit code: 7`;
    const message = await messageOfUp(labOn(fake, fakeDocker(said, 17)));
    expect(message).toContain('the image must build, but: process "/bin/sh -c exit 7" did not');
    expect(removed).toContain("/containers/c1?force=true&v=true");
    expect(removed).toContain("/volumes/v1");
  });

  test("shows the last lines of a container that died", async () => {
    const dead = {
      Id: "d1",
      Names: [],
      State: "exited",
      Labels: { [LABEL.service]: "eo-sensor", [LABEL.workingDir]: folder },
    };
    let looks = 0;
    let isRemoved = false;
    using fake = engine({
      answer: ({ method, path }) => {
        if (method === "DELETE") {
          isRemoved = true;
          return new Response(null, { status: 204 });
        }
        if (path.startsWith("/containers/json")) {
          // The list is read once before the start, and twice while an earlier lab is removed.
          looks += 1;
          return Response.json(looks > 3 && !isRemoved ? [dead] : []);
        }
        if (path.includes("/logs")) {
          return new Response(frame("CMS_DDS_DOMAIN must be a number\nbut is abc\n"));
        }
        const state = { Running: false, ExitCode: 1 };
        const isInspected = method === "GET" && path.endsWith("/json");
        return isInspected ? Response.json(containerOf("eo-sensor", { state })) : undefined;
      },
    });
    expect(await messageOfUp(labOn(fake))).toMatch(
      /eo-sensor must keep running, but ended with exit code 1: CMS_DDS_DOMAIN must be a number \| but is abc$/,
    );
    expect(isRemoved).toBe(true);
  });

  test("keeps the reason when what was started cannot be removed", async () => {
    let listed = 0;
    using fake = engine({
      answer: ({ path }) => {
        if (!path.startsWith("/containers/json")) return undefined;
        listed += 1;
        if (listed <= 3) return Response.json([]);
        return Response.json({ message: "the engine is going down" }, { status: 500 });
      },
    });
    const message = await messageOfUp(labOn(fake, fakeDocker("failed to solve: no such file", 1)));
    expect(message).toContain("must build, but: no such file");
    expect(message).toContain("could not be removed: The container engine refused GET");
  });
});

/** A frame of a container's log in the engine's format. */
function frame(text: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + body.length);
  bytes[0] = 2;
  new DataView(bytes.buffer).setUint32(4, body.length);
  bytes.set(body, 8);
  return bytes;
}

describe("a lab of another checkout", () => {
  const theirs = {
    Id: "a",
    Names: [],
    State: "running",
    Labels: { [LABEL.service]: "eo-sensor", [LABEL.workingDir]: "/their/checkout" },
  };

  test.each(["up", "down", "status"] as const)("is left alone by %s", async (action) => {
    using fake = engine({ containers: [theirs] });
    await expect(labOn(fake)[action]()).rejects.toThrow(/\/their\/checkout runs it; .*--lab/);
    expect(fake.asked.filter(({ method }) => method !== "GET")).toEqual([]);
  });
});

test("commands about a lab that is not up say how to start it", async () => {
  using fake = engine();
  await expect(labOn(fake).stop("eo-sensor")).rejects.toThrow(/lab 8 is not up; start it with/);
  expect(await labOn(fake).status()).toBeNull();
});

test("projects of labs have their own names; lab 0 is the one of a plain `docker compose up`", () => {
  expect([0, 1, 9].map(projectName)).toEqual(["cms-lab", "cms-lab-1", "cms-lab-9"]);
});

test("an engine that does not exist is refused", () => {
  expect(() => createLab({ engine: "qemu", index: 0, lifetime: "until-down" })).toThrow(
    /must be one of native, docker/,
  );
});

describe("what Compose says becomes one line", () => {
  test.each([
    [
      "#9 1.2 dd: error writing '/x': No space left on device\nfailed to solve: process did not complete",
      /disk must have room .*docker system df/,
    ],
    [
      "Error response from daemon: failed to create task: Bind for 127.0.0.1:13000 failed: port is already allocated",
      /port 13000 must be free/,
    ],
    [
      "failed to bind host port for 127.0.0.1:18080:172.18.0.9:8080/tcp: listen tcp4 127.0.0.1:18080: bind: address already in use",
      /port 18080 must be free/,
    ],
    [
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: no such host',
      /registry-1.docker.io does not answer .*check the network/,
    ],
    [
      "pull access denied for grafana/tempo, repository does not exist",
      /image grafana\/tempo must be here or be pulled/,
    ],
    [
      "failed to create network cms-lab_cms: Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
      /must make a network of its own .*docker network prune/,
    ],
    ["unknown shorthand flag: 'p' in -p", /must have Compose v2/],
    ["docker: 'compose' is not a docker command.", /must have Compose v2/],
    [
      "yaml: line 1: did not find expected node content",
      /compose file must be one, but: yaml: line 1: .*docker compose config/,
    ],
    ["something else\n\n", /^something else$/],
    ["", /^Compose wrote no message$/],
  ])("%p", (said, message) => {
    expect(why(said.split("\n"))).toMatch(message);
  });
});

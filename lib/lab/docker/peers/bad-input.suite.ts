/**
 * Missing requirements of a machine, provoked on a real engine: one line with the rule, the value
 * and the next step, and nothing left behind.
 */
import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findEngine } from "../../../base/container-engine.ts";
import { processEnv } from "../../../base/env.ts";
import { run } from "../../../base/shell.ts";
import { waitUntil } from "../../../base/wait.ts";
import { Engine } from "../engine.ts";
import { dockerPorts, projectName } from "../layout.ts";
import { LAB_INDEX } from "./lab-index.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");
const TIMEOUT_MS = 240_000;
const folder = mkdtempSync(join(tmpdir(), "bad-input-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `bun runner.ts up` with an additional compose file. */
async function up(override = ""): Promise<{ code: number; line: string }> {
  const env = processEnv();
  const files = (env["COMPOSE_FILE"] ?? "docker-compose.yml").split(":");
  if (override !== "") {
    const path = join(folder, `${crypto.randomUUID()}.yml`);
    await Bun.write(path, override);
    files.push(path);
  }
  const { code, stderr } = await run(
    [process.execPath, "runner.ts", "up", "--engine", "docker", "--lab", String(LAB_INDEX)],
    { cwd: ROOT, env: { ...env, COMPOSE_FILE: files.join(":") }, timeoutMs: TIMEOUT_MS },
  );
  return { code, line: stderr.trimEnd().split("\n").at(-1) ?? "" };
}

/** Containers, networks and volumes of the project. */
async function leftovers(): Promise<string[]> {
  const label = `label=com.docker.compose.project=${projectName(LAB_INDEX)}`;
  const lists = [
    ["ps", "--all", "--quiet"],
    ["network", "ls", "--quiet"],
    ["volume", "ls", "--quiet"],
  ];
  const found = await Promise.all(
    lists.map((list) => run(["docker", ...list, "--filter", label], {})),
  );
  return found.flatMap(({ stdout }) => stdout.split("\n").filter(Boolean));
}

afterEach(async () => {
  expect(await leftovers()).toEqual([]);
}, TIMEOUT_MS);

test(
  "a port that a container of another project has",
  async () => {
    const port = dockerPorts(LAB_INDEX).loki;
    const image = "debian:bookworm-slim";
    const started = await run(
      ["docker", "run", "--rm", "--detach", "-p", `127.0.0.1:${port}:80`, image, "sleep", "120"],
      {},
    );
    expect(started.code).toBe(0);
    try {
      expect(await up()).toMatchObject({
        code: 2,
        line: expect.stringMatching(
          new RegExp(`port ${port} must be free, but .*docker-proxy.*--lab`),
        ),
      });
    } finally {
      await run(["docker", "rm", "--force", started.stdout.trim()], {});
    }
  },
  TIMEOUT_MS,
);

test(
  "an image that does not build",
  async () => {
    const { code, line } = await up(`services:
  telemetry:
    build:
      dockerfile_inline: |
        FROM debian:bookworm-slim
        RUN echo the cause; exit 7
`);
    expect(code).toBe(2);
    expect(line).toMatch(/the image must build, but: .*exit code: 7; `docker compose build` shows/);
  },
  TIMEOUT_MS,
);

test(
  "a disk that is full while the image is built",
  async () => {
    const { code, line } = await up(`services:
  telemetry:
    build:
      dockerfile_inline: |
        FROM debian:bookworm-slim
        RUN --mount=type=tmpfs,size=1048576,target=/full dd if=/dev/zero of=/full/x bs=2M count=2
`);
    expect(code).toBe(2);
    expect(line).toMatch(/the disk must have room for the image, but is full; `docker system df`/);
  },
  TIMEOUT_MS,
);

test(
  "a service that dies at its start",
  async () => {
    const { code, line } = await up(`services:
  eo-sensor: { environment: { CMS_DDS_DOMAIN: many } }
`);
    expect(code).toBe(2);
    expect(line).toMatch(
      /eo-sensor must keep running, but ended with exit code 1: .*CMS_DDS_DOMAIN: it must be a whole number/,
    );
  },
  TIMEOUT_MS,
);

test(
  "a compose file that is none",
  async () => {
    const { code, line } = await up("services: [\n");
    expect(code).toBe(2);
    expect(line).toMatch(/the compose file must be one, but: .*line 1: .*docker compose config/);
  },
  TIMEOUT_MS,
);

test(
  "an engine that has no addresses left for a network",
  async () => {
    const made: string[] = [];
    try {
      for (let at = 0; at < 64; at += 1) {
        const { code, stdout } = await run(["docker", "network", "create", `full-${at}`], {});
        if (code !== 0) break;
        made.push(stdout.trim());
      }
      const { code, line } = await up();
      expect(code).toBe(2);
      expect(line).toMatch(
        /must make a network of its own for the lab, but failed: .*docker network prune/,
      );
    } finally {
      await run(["docker", "network", "rm", ...made], {});
    }
  },
  TIMEOUT_MS,
);

test(
  "a program that is killed while it starts the lab",
  async () => {
    const program = `
    const { createLab } = await import("${ROOT}/lib/lab/create-lab.ts");
    await createLab({ engine: "docker", index: ${LAB_INDEX}, lifetime: "with-caller" }).up();`;
    const child = Bun.spawn([process.execPath, "-e", program], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "ignore"],
    });
    const endpoint = findEngine(processEnv());
    if (endpoint === undefined) throw new Error("there is no engine");
    const engine = new Engine(endpoint);
    await waitUntil(
      async () => {
        const running = await engine.list(projectName(LAB_INDEX));
        return { ok: running.length > 5, seen: `${running.length} containers` };
      },
      { what: "some containers", deadlineMs: TIMEOUT_MS / 2 },
    );
    child.kill("SIGKILL");
    await waitUntil(async () => ({ ok: (await leftovers()).length === 0, seen: "something" }), {
      what: "nothing to be left",
      deadlineMs: TIMEOUT_MS / 2,
    });
    // The daemon lists the project again after some seconds.
    await waitUntil(
      async () => {
        const { stdout } = await run(
          ["pgrep", "-f", `docker/daemon.ts ${projectName(LAB_INDEX)} `],
          {},
        );
        return { ok: stdout.trim() === "", seen: "the daemon runs" };
      },
      { what: "the daemon to end", deadlineMs: TIMEOUT_MS / 2 },
    );
  },
  TIMEOUT_MS,
);

/**
 * The native engine: the shared suite, and (with stand-ins for the programs) a suite of its own:
 * nothing survives the lab, however its processes end. Needs Linux and what `preflight()` asks for;
 * anything else is a skip that says so.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { EnvironmentError, messageOf } from "../../base/errors.ts";
import { mustRun } from "../../base/shell.ts";
import { waitUntil } from "../../base/wait.ts";
import { SERVICES } from "../../contract/topology.ts";
import { runLabSuite } from "../testing/lab.case.ts";
import type { Lifetime } from "../lab.ts";
import { parentName } from "./group-root.ts";
import { hostPids } from "./host-processes.ts";
import { filesOf, forwards, PART_LIMITS, PARTS } from "./layout.ts";
import { NativeLab } from "./native-lab.ts";
import { preflight } from "./preflight.ts";

const PROJECT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const STAND_IN = "lib/lab/native/testing/stand-in.ts";

const UID = process.getuid?.() ?? -1;
/** Whether programs of the lab have another user id, which needs root. */
const AS_ROOT = UID === 0;

/** A machine with other work is slow. */
const DEADLINE_MS = 90_000;

const canRun = await preflight(9)
  .then(() => true)
  .catch((error: unknown) => /port/.test(messageOf(error)));

/** An index with free ports, from the high end: people use the low one. */
async function freeIndex(): Promise<number> {
  for (let index = 9; index > 0; index -= 1) {
    if (existsSync(filesOf(PROJECT, index).sockets)) continue;
    if (
      await preflight(index).then(
        () => true,
        () => false,
      )
    ) {
      return index;
    }
  }
  throw new Error("no lab's ports are free");
}

async function realLab(): Promise<NativeLab> {
  return new NativeLab({
    index: await freeIndex(),
    lifetime: "with-caller",
    projectDir: PROJECT,
  });
}

const standInOptions = (index: number, lifetime: Lifetime) =>
  ({ index, lifetime, projectDir: PROJECT, standIn: STAND_IN }) as const;

async function standInLab(lifetime: Lifetime = "with-caller"): Promise<NativeLab> {
  return new NativeLab(standInOptions(await freeIndex(), lifetime));
}

describe.skipIf(!canRun)("native lab (needs Linux, its tools and namespaces)", () => {
  runLabSuite({ makeLab: realLab });
});

/** The processes, control groups and sockets that a lab left on this machine. */
function leftovers(index: number): string[] {
  const { sockets } = filesOf(PROJECT, index);
  const left = existsSync(sockets) ? [sockets] : [];
  // Version 1: below each controller; version 2: below the root, or a scope of the user's systemd.
  const apps = `/sys/fs/cgroup/user.slice/user-${UID}.slice/user@${UID}.service/app.slice`;
  const trees = readdirSync("/sys/fs/cgroup").map((name) => `/sys/fs/cgroup/${name}`);
  for (const folder of ["/sys/fs/cgroup", apps, ...trees]) {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) continue;
    const groups = readdirSync(folder).filter((name) => name.startsWith(parentName(index)));
    left.push(...groups.map((name) => `${folder}/${name}`));
  }
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const line = cmdline(pid);
    if (line.includes(`/native/daemon.ts ${index} `)) left.push(line);
    if (line.includes(`/native/supervisor.ts ${index} `)) left.push(line);
  }
  return left;
}

function cmdline(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

async function untilNothingIsLeft(index: number, pids: readonly number[]): Promise<void> {
  await waitUntil(
    async () => {
      const alive = pids.filter((pid) => cmdline(String(pid)) !== "");
      const left = [...leftovers(index), ...alive.map(String)];
      if (left.length === 0) await preflight(index);
      return { ok: left.length === 0, seen: left.join(", ") };
    },
    { what: "nothing to be left", deadlineMs: DEADLINE_MS },
  );
}

interface Ids {
  readonly index: number;
  readonly daemon: number;
  readonly unshare: number;
  readonly supervisor: number;
  readonly all: readonly number[];
}

async function idsOf(lab: NativeLab): Promise<Ids> {
  const status = await lab.status();
  const index = status?.index ?? -1;
  const daemon = Number(readFileSync(filesOf(PROJECT, index).daemonPid, "utf8"));
  const childOf = async (pid: number): Promise<number> =>
    Number((await mustRun(["cat", `/proc/${pid}/task/${pid}/children`])).split(" ")[0]);
  const unshare = await childOf(daemon);
  const supervisor = await childOf(unshare);
  const inside = [...(status?.services ?? []), ...(status?.parts ?? [])].map(({ pid }) => pid ?? 0);
  expect(inside).toHaveLength(SERVICES.length + PARTS.length);
  return { index, daemon, unshare, supervisor, all: [daemon, unshare, supervisor, ...inside] };
}

describe.skipIf(!canRun)("two programs at once", () => {
  test("start one lab, which down finds and of which it leaves nothing", async () => {
    const index = await freeIndex();
    const options = standInOptions(index, "until-down");
    const labs = [1, 2, 3].map(() => new NativeLab(options));
    const [lab = new NativeLab(options)] = labs;
    try {
      await Promise.all(labs.map((each) => each.up()));
      const { all } = await idsOf(lab);
      expect(await lab.status()).toMatchObject({ index });
      const daemons = readdirSync("/proc").filter((pid) =>
        cmdline(pid).includes(`/native/daemon.ts ${index} ${PROJECT}`),
      );
      expect(daemons).toHaveLength(1);
      await Promise.all(labs.map((each) => each.down()));
      await untilNothingIsLeft(index, all);
    } finally {
      await lab.down();
    }
  });

  test("one that starts and one that ends the lab leave it whole, or nothing", async () => {
    const index = await freeIndex();
    const options = standInOptions(index, "until-down");
    const lab = new NativeLab(options);
    try {
      await lab.up();
      const { all } = await idsOf(lab);
      await Promise.allSettled([new NativeLab(options).up(), lab.down()]);
      const status = await lab.status();
      if (status === null) await untilNothingIsLeft(index, all);
      else expect(status.services.every(({ canonical }) => canonical)).toBe(true);
      await lab.down();
      await untilNothingIsLeft(index, all);
    } finally {
      await lab.down();
    }
  });
});

describe.skipIf(!canRun)("what survives a native lab", () => {
  let lab: NativeLab | undefined;
  afterEach(async () => {
    await lab?.down();
    lab = undefined;
  });

  test("nothing, after down", async () => {
    lab = await standInLab("until-down");
    await lab.up();
    const { index, all } = await idsOf(lab);
    await lab.down();
    expect(all.filter((pid) => cmdline(String(pid)) !== "")).toEqual([]);
    expect(leftovers(index)).toEqual([]);
    await preflight(index);
    await lab.down();
  });

  for (const victim of ["daemon", "unshare", "supervisor"] as const) {
    test(`nothing, after kill -9 of the ${victim}; and up works at once`, async () => {
      lab = await standInLab("until-down");
      await lab.up();
      const ids = await idsOf(lab);
      process.kill(ids[victim], "SIGKILL");
      await untilNothingIsLeft(ids.index, ids.all);
      if (victim !== "daemon") {
        const said = readFileSync(filesOf(PROJECT, ids.index).daemonLog, "utf8");
        expect(said).toMatch(/daemon: the supervisor ended with exit code [1-9]\d*\n$/);
      }
      expect(await lab.status()).toBeNull();
      await lab.up();
      process.kill((await idsOf(lab))[victim], "SIGKILL");
      // Called without waiting: the new lab must wait for the old one to end.
      await lab.up();
      expect((await lab.status())?.services.every(({ canonical }) => canonical)).toBe(true);
    });
  }

  test("nothing, after kill -9 of the program that it lives with", async () => {
    const index = await freeIndex();
    const script = `
        import { NativeLab } from ${JSON.stringify(`${import.meta.dir}/native-lab.ts`)};
        const lab = new NativeLab({ index: ${index}, lifetime: "with-caller",
          projectDir: ${JSON.stringify(PROJECT)}, standIn: ${JSON.stringify(STAND_IN)} });
        await lab.up();
        console.log("up");
        setInterval(() => {}, 1000);`;
    const caller = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    await caller.stdout.getReader().read();
    const seen = new NativeLab({ index, lifetime: "with-caller", projectDir: PROJECT });
    const { all } = await idsOf(seen);
    caller.kill("SIGKILL");
    await untilNothingIsLeft(index, all);
  });

  test("nothing, when it is stopped while it starts", async () => {
    const index = await freeIndex();
    lab = new NativeLab(standInOptions(index, "with-caller"));
    const stop = new AbortController();
    const starting = lab.up({
      signal: stop.signal,
      onProgress: () => queueMicrotask(() => stop.abort(new Error("Ctrl-C"))),
    });
    await expect(starting).rejects.toThrow("Ctrl-C");
    expect(await lab.status()).toBeNull();
    expect(leftovers(index)).toEqual([]);
  });

  test("nothing, when it is stopped while its programs start", async () => {
    const index = await freeIndex();
    lab = new NativeLab(standInOptions(index, "until-down"));
    const { state, daemonPid, log } = filesOf(PROJECT, index);
    rmSync(state, { recursive: true, force: true });
    for (const path of [daemonPid, log("tactical-display")]) {
      const stop = new AbortController();
      const outcome = lab.up({ signal: stop.signal }).catch(messageOf);
      await waitUntil(() => ({ ok: existsSync(path), seen: "not there" }), {
        what: path,
        deadlineMs: DEADLINE_MS,
        intervalMs: 1,
      });
      stop.abort(new Error("Ctrl-C"));
      expect(await outcome).toBe("Ctrl-C");
      expect(leftovers(index)).toEqual([]);
    }
  });

  test("a part that was killed is reported, and up starts it again", async () => {
    lab = await standInLab();
    await lab.up();
    const status = await lab.status();
    for (const { pid } of status?.parts ?? []) process.kill(pid ?? 0, "SIGKILL");
    await waitUntil(
      async () => {
        const parts = (await lab?.status())?.parts ?? [];
        const seen = parts.map(({ name, state, pid }) => `${name} ${state} ${pid}`).join(", ");
        return { ok: seen === "prometheus exited null, telemetry exited null", seen };
      },
      { what: "both parts to be reported", deadlineMs: DEADLINE_MS },
    );
    await lab.up();
    expect((await lab.status())?.parts.map(({ state }) => state)).toEqual(["running", "running"]);
  });
});

describe.skipIf(!canRun)("a native lab among others", () => {
  const labs: NativeLab[] = [];
  afterEach(async () => {
    await Promise.all(labs.splice(0).map((lab) => lab.down()));
  });

  test("runs beside another one, and each has its own services", async () => {
    for (let count = 0; count < 2; count += 1) {
      const lab = await standInLab();
      labs.push(lab);
      await lab.up();
    }
    const [first, second] = labs as [NativeLab, NativeLab];
    await first.replace("esm-sensor", { env: { STAND_IN_LABEL: "first" } });
    await second.replace("esm-sensor", { env: { STAND_IN_LABEL: "second" } });
    for (const [lab, label] of [
      [first, "first"],
      [second, "second"],
    ] as const) {
      const url = `http://127.0.0.1:${lab.ports.metrics["esm-sensor"]}/metrics`;
      await waitUntil(
        async () => {
          const seen = await (await fetch(url)).text();
          return { ok: seen.includes(`label="${label}"`), seen };
        },
        { what: `the service of the ${label} lab`, deadlineMs: DEADLINE_MS },
      );
    }
    await first.down();
    expect((await second.status())?.services.every(({ state }) => state === "running")).toBe(true);
  });

  test("is not mistaken for that of another checkout, by up, down or ps", async () => {
    const lab = await standInLab();
    labs.push(lab);
    await lab.up();
    const { index } = await idsOf(lab);
    const other = new NativeLab({ index, lifetime: "with-caller", projectDir: "/nonexistent" });
    const attempts = [
      () => other.up(),
      () => other.down(),
      () => other.status(),
      () => other.stop("eo-sensor"),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toThrow(
        `it must be one of /nonexistent, but ${PROJECT} runs it`,
      );
    }
    expect((await lab.status())?.services.every(({ canonical }) => canonical)).toBe(true);
  });

  test("runs its programs without privileges, in a read-only project", async () => {
    const lab = await standInLab();
    labs.push(lab);
    await lab.up();
    const url = `http://127.0.0.1:${lab.ports.metrics["eo-sensor"]}/metrics`;
    expect(await (await fetch(url)).text()).toContain(AS_ROOT ? 'uid="65534"' : 'uid="0"');
    const status = await lab.status();
    const namespace = readlinkSync(`/proc/${status?.services[0]?.pid}/ns/pid`);
    const inside = hostPids(namespace);
    expect(inside.size).toBe(1 + SERVICES.length + PARTS.length);
    for (const [innerPid, pid] of inside) {
      // The supervisor, which builds the network and limits the others.
      if (innerPid === 1) continue;
      const text = readFileSync(`/proc/${pid}/status`, "utf8");
      expect(text).toMatch(/^CapBnd:\s+0+$/m);
      expect(text).toMatch(/^CapEff:\s+0+$/m);
      expect(text).toMatch(/^NoNewPrivs:\s+1$/m);
    }
    const mounts = readFileSync(`/proc/${status?.services[0]?.pid}/mounts`, "utf8");
    expect(mounts).toMatch(/ \/run\/cms-programs\/project \S+ ro[, ]/);
  });

  test("says which port is taken, and by whom, and starts nothing", async () => {
    const index = await freeIndex();
    const { hostPort } = forwards(index)[3] ?? { hostPort: 0 };
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(hostPort, "127.0.0.1", resolve));
    const lab = new NativeLab({ index, lifetime: "with-caller", projectDir: PROJECT });
    try {
      const failed = await lab.up().catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(EnvironmentError);
      expect(messageOf(failed)).toContain(`port ${hostPort} must be free, but `);
      expect(messageOf(failed)).toContain(`(process ${process.pid}) listens on it`);
      expect(leftovers(index)).toEqual([]);
    } finally {
      server.close();
    }
  });

  test("says at once which program does not start, and its last word, and leaves nothing", async () => {
    const index = await freeIndex();
    const standIn = "lib/lab/native/no-such-program.ts";
    const lab = new NativeLab({ index, lifetime: "with-caller", projectDir: PROJECT, standIn });
    const failed = await lab.up().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(EnvironmentError);
    expect(messageOf(failed)).toMatch(
      /^Cannot start the lab: [a-z-]+ must keep running, but ended: .*no-such-program/,
    );
    expect(leftovers(index)).toEqual([]);
  });

  test("limits the memory of Prometheus and of the telemetry server", async () => {
    const lab = await standInLab();
    labs.push(lab);
    await lab.up();
    const { index = -1 } = (await lab.status()) ?? {};
    for (const part of PARTS) {
      const files = readdirSync("/sys/fs/cgroup")
        .map((controller) => `/sys/fs/cgroup/${controller}/${parentName(index)}/${part}`)
        .concat(`/sys/fs/cgroup/${parentName(index)}/${part}`)
        .flatMap((group) => [`${group}/memory.limit_in_bytes`, `${group}/memory.max`])
        .filter((file) => existsSync(file));
      const limits = files.map((file) => Number(readFileSync(file, "utf8")));
      expect(limits).toEqual([PART_LIMITS[part].memoryBytes]);
    }
  });

  test("measures what the whole lab uses", async () => {
    const lab = await standInLab();
    labs.push(lab);
    await lab.up();
    const use = await lab.usage();
    // Includes the supervisor, the daemon and the process that holds the namespaces.
    expect(use.processes).toBe(SERVICES.length + PARTS.length + 3);
    expect(use.pssBytes).toBeGreaterThan(50 * 2 ** 20);
    expect(use.cpuSeconds).toBeGreaterThan(0);
  });
});

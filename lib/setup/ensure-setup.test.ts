import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { EnvironmentError, messageOf } from "../base/errors.ts";
import type { RunResult } from "../base/shell.ts";
import type { EngineName } from "./choose-engine.ts";
import { ensureSetup, type Task, taskOf } from "./ensure-setup.ts";
import { type Machine, thisMachine } from "./machine.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A project without installed packages. */
function project(): string {
  const root = mkdtempSync(`${tmpdir()}/setup-test-`);
  folders.push(root);
  writeFileSync(`${root}/bun.lock`, "{}");
  return root;
}

interface Fake {
  readonly uid?: number;
  readonly programs?: readonly string[];
  readonly files?: readonly string[];
  readonly hasLibrary?: boolean;
  /** Programs by the package that contains them; other packages do not exist. */
  readonly packages?: Readonly<Record<string, string>>;
  readonly failing?: RegExp;
}

const DONE: RunResult = { code: 0, stdout: "", stderr: "", timedOut: false };
const ALL = ["prometheus", "ip", "unshare", "setpriv", "apt-get"];

function fakeMachine(fake: Fake, root: string): { machine: Machine; ran: string[] } {
  const programs = new Set(fake.programs ?? ALL);
  const ran: string[] = [];
  let hasLibrary = fake.hasLibrary ?? true;
  const bring = (name: string): void => {
    programs.add(fake.packages?.[name] ?? "");
    hasLibrary ||= name.startsWith("libddsc");
  };
  const machine: Machine = {
    uid: fake.uid ?? 0,
    hasProgram: (name) => programs.has(name),
    hasFile: (path) => fake.files?.includes(path) === true,
    hasDdsLibrary: () => hasLibrary,
    run: (argv) => {
      const line = argv.join(" ").replace(process.execPath, "bun");
      ran.push(line);
      if (fake.failing?.test(line) === true) {
        return Promise.resolve({ ...DONE, code: 100, stderr: "E: first\nE: no network" });
      }
      if (line.startsWith("bun install")) mkdirSync(`${root}/node_modules`);
      if (argv[0] === "apt-cache") {
        const known = fake.packages?.[argv.at(-1) ?? ""] !== undefined;
        return Promise.resolve({ ...DONE, stdout: known ? "Package: it" : "" });
      }
      if (argv.includes("install")) argv.forEach(bring);
      return Promise.resolve(DONE);
    },
  };
  return { machine, ran };
}

async function setUp(
  fake: Fake,
  forTests = false,
  engine: EngineName = "native",
  task: Task = "lab",
) {
  const root = project();
  const { machine, ran } = fakeMachine(fake, root);
  const said: string[] = [];
  const attempt = () =>
    ensureSetup({ machine, root, forTests, engine, task, say: (line) => void said.push(line) });
  const error = await attempt().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { root, ran, said, error, attempt };
}

const installs = (ran: readonly string[]): string[] =>
  ran.filter((line) => / install -y/.test(line)).map((line) => line.replace(/^.*recommends /, ""));

describe("set-up", () => {
  test("installs JavaScript packages once for each lock file", async () => {
    const { root, ran, said, attempt, error } = await setUp({});
    expect(error).toBeUndefined();
    expect(ran).toEqual(["bun install --frozen-lockfile"]);
    expect(said).toEqual(["installing the JavaScript packages"]);
    await attempt();
    expect(ran).toHaveLength(1);
    writeFileSync(`${root}/bun.lock`, "{ }");
    rmSync(`${root}/node_modules`, { recursive: true });
    await attempt();
    expect(ran).toHaveLength(2);
  });

  test("an examination asks for prometheus alone, a report for nothing", async () => {
    const bare: Fake = { programs: ["apt-get"], hasLibrary: false, uid: 1000 };
    const examination = await setUp(bare, false, "docker", "examination");
    expect(messageOf(examination.error)).toContain("machine up: prometheus must be installed");
    expect(messageOf(examination.error)).not.toMatch(/DDS|unshare|\bip\b/);
    expect((await setUp(bare, false, "native", "report")).error).toBeUndefined();
    expect(taskOf(["examine", "results/incidents"])).toBe("examination");
    expect(taskOf(["--json", "report", "results"])).toBe("report");
    expect(taskOf(["sensor-down", "--results", "examine"])).toBe("lab");
    expect(taskOf(["--all"])).toBe("lab");
    expect(taskOf(["mcp", "--blind"])).toBe("examination");
    expect(taskOf(["mcp", "sensor-down"])).toBe("lab");
  });

  test("does not take an installation that failed for done", async () => {
    const { root, error } = await setUp({ failing: /^bun install/ });
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(messageOf(error)).toMatch(/must succeed, but failed: E: no network$/);
    expect(existsSync(`${root}/node_modules`)).toBe(false);
  });

  test("as root on Debian, installs just what is missing, from the package that this release has", async () => {
    const { ran, said, error } = await setUp({
      programs: ["unshare", "setpriv", "apt-get", "ip"],
      hasLibrary: false,
      packages: { libddsc0t64: "", prometheus: "prometheus" },
    });
    expect(error).toBeUndefined();
    expect(installs(ran)).toEqual(["libddsc0t64 prometheus"]);
    expect(said).toContain("missing: the Cyclone DDS C library, prometheus");
    expect(ran.some((line) => line.startsWith("systemctl"))).toBe(false);
  });

  test("what only tests need is installed for tests alone", async () => {
    const packages = { chromium: "chromium", gcc: "gcc", "cyclonedds-tools": "idlc" };
    const files = ["/usr/include/dds/dds.h", "/usr/include/stdio.h"];
    expect(installs((await setUp({ packages, files })).ran)).toEqual([]);
    const { ran, error } = await setUp({ packages, files }, true);
    expect(error).toBeUndefined();
    expect(installs(ran)).toEqual(["chromium cyclonedds-tools gcc"]);
  });

  test("where containers run the lab, asks for nothing but the JavaScript packages", async () => {
    const { ran, error } = await setUp(
      { programs: [], hasLibrary: false, uid: 501 },
      false,
      "docker",
    );
    expect(error).toBeUndefined();
    expect(ran).toEqual(["bun install --frozen-lockfile"]);
  });

  test("on systemd, Prometheus' own service is neither started nor left enabled, even if it fails", async () => {
    for (const failing of [/never/, /apt-get .*install/]) {
      const { ran } = await setUp({
        programs: ALL.filter((name) => name !== "prometheus"),
        files: ["/run/systemd/system"],
        packages: { prometheus: "prometheus" },
        failing,
      });
      const relevant = ran.filter((line) => /systemctl| install -y/.test(line));
      expect(relevant.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
        "systemctl mask",
        "apt-get -q",
        "systemctl unmask",
        "systemctl disable",
      ]);
    }
  });

  test("without root, prints the command and installs nothing", async () => {
    const { ran, error } = await setUp({ uid: 1000, programs: ["apt-get"], hasLibrary: false });
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(messageOf(error)).toContain(
      "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends libddsc0debian prometheus iproute2 util-linux'",
    );
    expect(ran).toEqual(["bun install --frozen-lockfile"]);
  });

  test("on another system, says what must be installed", async () => {
    const { error } = await setUp({ programs: ["unshare", "setpriv", "ip"] });
    expect(messageOf(error)).toMatch(/^Cannot set this machine up: prometheus must be installed/);
    expect(messageOf(error)).toContain("only Debian and Ubuntu");
  });

  test("says when apt-get fails, and when what it installed is not there", async () => {
    const programs = ALL.filter((name) => name !== "ip");
    const failed = await setUp({ programs, failing: /apt-get .*update/ });
    expect(messageOf(failed.error)).toMatch(/update`: it exited with 100: E: no network$/);
    const useless = await setUp({ programs, packages: { iproute2: "something else" } });
    expect(messageOf(useless.error)).toContain("ip must be there after");
  });

  test("holds CYCLONEDDS_HOME against the folder that it names", () => {
    const home = project();
    const machine = thisMachine({ CYCLONEDDS_HOME: home });
    expect(() => machine.hasDdsLibrary()).toThrow(
      `it must be the folder above lib/libddsc.so, but is "${home}"`,
    );
    mkdirSync(`${home}/lib`);
    writeFileSync(`${home}/lib/libddsc.so.0`, "");
    expect(machine.hasDdsLibrary()).toBe(true);
  });

  test("this machine, which runs these tests, has a Bun to run and answers about itself", async () => {
    const machine = thisMachine();
    expect(machine.hasFile("/proc/self")).toBe(true);
    expect(machine.hasProgram("no-such-program-anywhere")).toBe(false);
    expect(await machine.run(["pwd"], "/")).toMatchObject({ code: 0, stdout: "/\n" });
  });
});

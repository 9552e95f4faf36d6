import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { EnvironmentError, messageOf, UnfitMachineError } from "../base/errors.ts";
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
  /** Text of /etc/os-release. */
  readonly release?: string;
  /** Who publishes what apt-get would install. */
  readonly origin?: string;
  readonly hasLibrary?: boolean;
  /** Programs by the package that contains them; other packages do not exist. */
  readonly packages?: Readonly<Record<string, string>>;
  readonly failing?: RegExp;
}

const DONE: RunResult = { code: 0, stdout: "", stderr: "", timedOut: false };
const ALL = ["prometheus", "ip", "unshare", "setpriv", "apt-get"];
const TRIXIE = "ID=debian\n";
const PACKAGES = {
  libddsc0t64: "",
  prometheus: "prometheus",
  iproute2: "ip",
  "util-linux": "unshare",
};

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
    read: (path) => (path === "/etc/os-release" ? (fake.release ?? TRIXIE) : undefined),
    hasDdsLibrary: () => hasLibrary,
    run: (argv, cwd = "") => {
      const line = argv.join(" ").replace(process.execPath, "bun");
      ran.push(line);
      if (fake.failing?.test(line) === true) {
        return Promise.resolve({ ...DONE, code: 100, stderr: "E: first\nE: no network" });
      }
      if (line.startsWith("bun install")) mkdirSync(`${root}/node_modules`);
      if (argv[0] === "apt-cache") {
        const known = Object.hasOwn(fake.packages ?? {}, argv.at(-1) ?? "");
        return Promise.resolve({ ...DONE, stdout: known ? "Package: it" : "" });
      }
      if (argv.includes("--simulate")) {
        const names = argv.slice(argv.indexOf("--no-install-recommends") + 1);
        const origin = fake.origin ?? "Debian:13.8/stable";
        const plan = names.map((name) => `Inst ${name} (1.0-1 ${origin} [amd64])\n`).join("");
        return Promise.resolve({ ...DONE, stdout: `NOTE: only a simulation\n${plan}` });
      }
      if (argv.includes("download")) {
        const files = argv.slice(argv.indexOf("download") + 1);
        for (const file of files) writeFileSync(`${cwd}/${file.replace("=", "_")}.deb`, "");
      }
      if (argv[0] === "dpkg") bring(/debs\/([^_]+)_/.exec(argv[2] ?? "")?.[1] ?? "");
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
  obstacles: readonly string[] = [],
) {
  const root = project();
  const { machine, ran } = fakeMachine(fake, root);
  const said: string[] = [];
  const attempt = () =>
    ensureSetup({
      machine,
      root,
      forTests,
      engine,
      task,
      obstacles,
      say: (line) => void said.push(line),
    });
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

  test("an examination asks for prometheus alone, a look at what is there for nothing", async () => {
    const bare: Fake = { programs: [], hasLibrary: false, uid: 1000 };
    const examination = await setUp(bare, false, "docker", "examination");
    expect(messageOf(examination.error)).toContain("machine up: prometheus must be installed");
    expect(messageOf(examination.error)).not.toMatch(/DDS|unshare|\bip\b/);
    expect((await setUp(bare, false, "native", "nothing", ["an obstacle"])).error).toBeUndefined();
    expect(taskOf(["examine", "results/incidents"])).toBe("examination");
    expect(taskOf(["sensor-down", "--results", "examine"])).toBe("lab");
    expect(taskOf(["--all"])).toBe("lab");
    expect(taskOf(["mcp", "--blind"])).toBe("examination");
    expect(taskOf(["mcp", "sensor-down"])).toBe("lab");
    for (const line of ["--json report x", "doctor", "ps", "logs eo-sensor", "down", "up --help"]) {
      expect(taskOf(line.split(" "))).toBe("nothing");
    }
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

  test("without root, unpacks below the project what this release has, and nothing else", async () => {
    const bare: Fake = { uid: 1000, programs: ["apt-get"], hasLibrary: false, packages: PACKAGES };
    const { root, ran, error } = await setUp({ ...bare, programs: ["apt-get", "setpriv"] });
    expect(error).toBeUndefined();
    const names = ["libddsc0t64", "prometheus", "iproute2", "util-linux"];
    const downloads = ran.find((line) => line.includes(" download "));
    expect(downloads).toEndWith(`download ${names.map((name) => `${name}=1.0-1`).join(" ")}`);
    expect(downloads).toContain("APT::Get::AllowUnauthenticated=false");
    const unpacked = ran.filter((line) => line.startsWith("dpkg -x "));
    expect(unpacked).toHaveLength(names.length);
    expect(unpacked.every((line) => line.endsWith(` ${root}/.packages`))).toBe(true);
    expect(ran.filter((line) => /systemctl|sudo/.test(line))).toEqual([]);
    expect(existsSync(`${root}/.packages/.apt`)).toBe(false);
  });

  test("without root, unpacks nothing that others than the distribution publish", async () => {
    const { ran, error } = await setUp({
      uid: 1000,
      programs: ["apt-get", "setpriv"],
      hasLibrary: false,
      packages: PACKAGES,
      origin: "Somebody:stable",
    });
    expect(messageOf(error)).toContain("must come from the distribution (debian), but comes from");
    expect(ran.filter((line) => /download|dpkg/.test(line))).toEqual([]);
  });

  test("the command that is printed names this release's packages and leaves no service", async () => {
    const missing: Fake = {
      uid: 1000,
      programs: ["apt-get"],
      hasLibrary: false,
      packages: PACKAGES,
      files: ["/run/systemd/system"],
    };
    const { error } = await setUp(missing, true);
    expect(error).toBeInstanceOf(EnvironmentError);
    const command = /`(sudo [^`]*)`/.exec(messageOf(error))?.[1] ?? "";
    expect(command).toContain("libddsc0t64 prometheus iproute2 util-linux");
    expect(command).not.toContain("libddsc0debian");
    expect(command.split("; ").map((one) => one.replace(/^sudo sh -c '/, "").slice(0, 17))).toEqual(
      ["systemctl mask --", "apt-get update &&", "systemctl unmask ", "systemctl disable"],
    );
  });

  test("says all that is missing at once, with what else is in the way", async () => {
    const missing: Fake = { uid: 1000, programs: ["apt-get", "ip"], packages: PACKAGES };
    const { error } = await setUp(missing, false, "native", "lab", ["no namespaces here"]);
    expect(error).toBeInstanceOf(UnfitMachineError);
    expect(messageOf(error)).toMatch(
      /prometheus, unshare and setpriv must be installed; `sudo .*`.* does it; no namespaces here; or start Docker/,
    );
  });

  test("on Ubuntu, asks for no Chromium: it is a snap there", async () => {
    const files = ["/usr/include/dds/dds.h", "/usr/include/stdio.h"];
    const packages = { chromium: "chromium", gcc: "gcc", "cyclonedds-tools": "idlc" };
    const ubuntu = await setUp({ packages, files, release: 'NAME="Ubuntu"\nID=ubuntu\n' }, true);
    expect(installs(ubuntu.ran)).toEqual(["cyclonedds-tools gcc"]);
  });

  test("on another system, says what must be installed", async () => {
    const { error } = await setUp({ programs: ["unshare", "setpriv", "ip"] });
    expect(messageOf(error)).toMatch(/machine up: prometheus must be installed/);
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

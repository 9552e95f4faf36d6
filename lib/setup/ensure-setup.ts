/**
 * Installs missing requirements: JavaScript packages, the Cyclone DDS C library, Prometheus,
 * iproute2. Idempotent, and fast if nothing is missing. Imports only the runtime, because it runs
 * before packages are installed.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { EnvironmentError } from "../base/errors.ts";
import type { EngineName } from "./choose-engine.ts";
import { type Machine, thisMachine } from "./machine.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** A requirement, and the Debian or Ubuntu packages that provide it (the first that exists). */
interface Need {
  readonly what: string;
  readonly packages: readonly string[];
  readonly isThere: (machine: Machine) => boolean;
}

const onPath =
  (...programs: readonly string[]): Need["isThere"] =>
  (machine) =>
    programs.every((program) => machine.hasProgram(program));

const NEEDS: readonly Need[] = [
  {
    what: "the Cyclone DDS C library",
    packages: ["libddsc0debian", "libddsc0t64", "libddsc0"],
    isThere: (machine) => machine.hasDdsLibrary(),
  },
  { what: "prometheus", packages: ["prometheus"], isThere: onPath("prometheus") },
  { what: "ip", packages: ["iproute2"], isThere: onPath("ip") },
  {
    what: "unshare and setpriv",
    packages: ["util-linux"],
    isThere: onPath("unshare", "setpriv"),
  },
];

/**
 * Requirements of the tests only: a browser for pages, a C compiler and the IDL compiler for C
 * peers.
 */
const TEST_NEEDS: readonly Need[] = [
  { what: "chromium", packages: ["chromium"], isThere: onPath("chromium") },
  { what: "idlc", packages: ["cyclonedds-tools"], isThere: onPath("idlc") },
  {
    what: "the Cyclone DDS headers",
    packages: ["cyclonedds-dev"],
    isThere: (machine) => machine.hasFile("/usr/include/dds/dds.h"),
  },
  { what: "gcc", packages: ["gcc"], isThere: onPath("gcc") },
  {
    what: "the C headers",
    packages: ["libc6-dev"],
    isThere: (machine) => machine.hasFile("/usr/include/stdio.h"),
  },
];

/** What a command needs: a lab, recorded incidents, or only kept results. */
export type Task = "lab" | "examination" | "report";

const TASKS: Readonly<Record<string, Task>> = { examine: "examination", report: "report" };

/** The task of a command line: the command is first, or after flags without a value. */
export function taskOf(argv: readonly string[]): Task {
  const word = argv.find((argument) => !argument.startsWith("-")) ?? "";
  if (word === "mcp" && argv.includes("--blind")) return "examination";
  return TASKS[word] ?? "lab";
}

export interface SetupOptions {
  /** Installs only what the task needs. */
  readonly task?: Task;
  readonly forTests?: boolean;
  /** The lab's engine: containers include everything but the JavaScript packages. */
  readonly engine?: EngineName;
  readonly say?: (line: string) => void;
  readonly machine?: Machine;
  /** The project's folder. */
  readonly root?: string;
}

/**
 * Installs missing requirements. Throws EnvironmentError with the command to run if it may not
 * install.
 */
export async function ensureSetup(options: SetupOptions): Promise<void> {
  const { forTests = false, engine = "native", machine = thisMachine(), root = ROOT } = options;
  const { task = "lab", say = (line) => void process.stderr.write(`${line}\n`) } = options;
  await ensurePackages(root, machine, say);
  if ((task === "report" || (task === "lab" && engine === "docker")) && !forTests) return;
  const ofTask = NEEDS.filter(({ what }) => task !== "examination" || what === "prometheus");
  const needs = forTests ? [...NEEDS, ...TEST_NEEDS] : ofTask;
  const missing = needs.filter(({ isThere }) => !isThere(machine));
  if (missing.length > 0) await installMissing(missing, machine, say);
}

/** Installs the JavaScript packages unless they match the lock file. */
async function ensurePackages(
  root: string,
  machine: Machine,
  say: (line: string) => void,
): Promise<void> {
  // Contains the hash of the lock file of the installed node_modules.
  const stamp = `${root}/node_modules/.lockfile-hash`;
  const hash = Bun.hash(readFileSync(`${root}/bun.lock`)).toString(16);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  say("installing the JavaScript packages");
  const argv = [process.execPath, "install", "--frozen-lockfile"];
  const { code, stderr } = await machine.run(argv, root);
  if (code !== 0) {
    throw new EnvironmentError(
      `Cannot install the JavaScript packages: \`bun install --frozen-lockfile\` must succeed, but failed: ${lastLine(stderr)}`,
    );
  }
  writeFileSync(stamp, hash);
}

async function installMissing(
  missing: readonly Need[],
  machine: Machine,
  say: (line: string) => void,
): Promise<void> {
  const names = (needs: readonly Need[]): string => needs.map(({ what }) => what).join(", ");
  const wanted = missing.flatMap(({ packages }) => packages.slice(0, 1));
  const command = `apt-get update && apt-get install -y --no-install-recommends ${wanted.join(" ")}`;
  if (!machine.hasProgram("apt-get")) {
    throw new EnvironmentError(
      `Cannot set this machine up: ${names(missing)} must be installed, and only Debian and Ubuntu are installed for you; on those the command is \`${command}\``,
    );
  }
  if (machine.uid !== 0) {
    throw new EnvironmentError(
      `Cannot set this machine up: ${names(missing)} must be installed, which needs root; run \`sudo sh -c '${command}'\``,
    );
  }
  say(`missing: ${names(missing)}`);
  await apt(["update"], machine, say);
  const packages: string[] = [];
  for (const need of missing) packages.push(await available(need, machine));
  await withoutItsService(packages.includes("prometheus"), machine, () =>
    apt(["install", "-y", "--no-install-recommends", ...packages], machine, say),
  );
  const still = missing.filter(({ isThere }) => !isThere(machine));
  if (still.length > 0) {
    throw new EnvironmentError(
      `Cannot set this machine up: ${names(still)} must be there after \`${command}\`, but is not`,
    );
  }
}

/**
 * Prevents Debian's Prometheus package from starting its own server now or after the next boot: the
 * lab runs one. Without systemd the package starts nothing.
 */
async function withoutItsService(
  bringsPrometheus: boolean,
  machine: Machine,
  install: () => Promise<void>,
): Promise<void> {
  if (!bringsPrometheus || !machine.hasFile("/run/systemd/system")) {
    await install();
    return;
  }
  // For this boot only, so that an interrupted installation has no lasting effect.
  await machine.run(["systemctl", "mask", "--runtime", "prometheus.service"]);
  try {
    await install();
  } finally {
    await machine.run(["systemctl", "unmask", "--runtime", "prometheus.service"]);
    await machine.run(["systemctl", "disable", "prometheus.service"]);
  }
}

/** The first package of a requirement that exists in this release. */
async function available({ packages }: Need, machine: Machine): Promise<string> {
  for (const name of packages) {
    const { code, stdout } = await machine.run(["apt-cache", "show", "--no-all-versions", name]);
    if (code === 0 && stdout.trim() !== "") return name;
  }
  return packages[0] ?? "";
}

async function apt(
  args: readonly string[],
  machine: Machine,
  say: (line: string) => void,
): Promise<void> {
  // Another installation may be running, for example just after boot.
  const argv = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", ...args];
  say(`running ${argv.join(" ")}`);
  const { code, stderr, stdout } = await machine.run(argv);
  if (code !== 0) {
    throw new EnvironmentError(
      `Cannot run \`${argv.join(" ")}\`: it exited with ${code}: ${lastLine(stderr || stdout)}`,
    );
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

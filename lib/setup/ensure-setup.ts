/**
 * Installs what is missing: JavaScript packages, the Cyclone DDS C library, Prometheus, iproute2.
 * Idempotent, and fast when nothing is missing. It imports only the runtime, because it runs before
 * packages are installed.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { EnvironmentError } from "../base/errors.ts";
import type { EngineName } from "./choose-engine.ts";
import { type Machine, thisMachine } from "./machine.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/**
 * Something that has to be on the machine, and the Debian or Ubuntu packages that bring it (first
 * that exists).
 */
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

/** What only the tests need: a browser for pages, a C compiler and the IDL compiler for C peers. */
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

/** What a command works with: a lab, recorded incidents, or only what is kept. */
export type Task = "lab" | "examination" | "report";

const TASKS: Readonly<Record<string, Task>> = { examine: "examination", report: "report" };

/** The task of a command line: a command's word comes first, or after flags without a value. */
export function taskOf(argv: readonly string[]): Task {
  const word = argv.find((argument) => !argument.startsWith("-")) ?? "";
  return TASKS[word] ?? "lab";
}

export interface SetupOptions {
  /** Only what it needs is installed. */
  readonly task?: Task;
  readonly forTests?: boolean;
  /** What runs the lab: containers bring everything but the JavaScript packages. */
  readonly engine?: EngineName;
  readonly say?: (line: string) => void;
  readonly machine?: Machine;
  /** The project's folder. */
  readonly root?: string;
}

/**
 * Installs what is missing; throws EnvironmentError with the command to run when it may not
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

/** Installs the JavaScript packages unless they are those of the lock file. */
async function ensurePackages(
  root: string,
  machine: Machine,
  say: (line: string) => void,
): Promise<void> {
  // Holds the hash of the lock file that node_modules was installed from.
  const stamp = `${root}/node_modules/.lockfile-hash`;
  const hash = Bun.hash(readFileSync(`${root}/bun.lock`)).toString(16);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  say("installing the JavaScript packages");
  const argv = [process.execPath, "install", "--frozen-lockfile"];
  const { code, stderr } = await machine.run(argv, root);
  if (code !== 0) {
    throw new EnvironmentError(
      `Cannot install the JavaScript packages: \`bun install --frozen-lockfile\` must succeed, but said: ${lastLine(stderr)}`,
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
 * Keeps Debian's Prometheus package from running a server of its own, now or after the next boot:
 * the lab runs one. Where systemd does not run, the package starts nothing by itself.
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
  // For this boot only, so that an interrupted installation leaves nothing behind for good.
  await machine.run(["systemctl", "mask", "--runtime", "prometheus.service"]);
  try {
    await install();
  } finally {
    await machine.run(["systemctl", "unmask", "--runtime", "prometheus.service"]);
    await machine.run(["systemctl", "disable", "prometheus.service"]);
  }
}

/** The first package of a need that this release has. */
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
  // Another installation may be running, as on a machine that has just booted.
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

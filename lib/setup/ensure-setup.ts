/**
 * Brings what is missing: JavaScript packages, the Cyclone DDS C library, Prometheus, iproute2.
 * Idempotent, and fast when nothing is missing. It imports only the runtime, because it runs before
 * packages are installed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { EnvironmentError, messageOf, UnfitMachineError } from "../base/errors.ts";
import { commandFor, installAsRoot, lastLine, namesOf, OwnLists, type Say } from "./apt.ts";
import type { EngineName } from "./choose-engine.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { LAB_NEEDS, type Need, PROMETHEUS, testNeeds } from "./needs.ts";
import { unpackedFolder, useUnpacked } from "./unpacked.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/**
 * What a command works with: a lab that it starts, recorded incidents, or only what is there
 * already.
 */
export type Task = "lab" | "examination" | "nothing";

const TASKS: Readonly<Record<string, Task>> = {
  examine: "examination",
  ...Object.fromEntries(
    ["report", "doctor", "ps", "logs", "down", "help"].map((word) => [word, "nothing" as const]),
  ),
};

/** The task of a command line: the command is first, or after flags without a value. */
export function taskOf(argv: readonly string[]): Task {
  if (argv.includes("--help") || argv.includes("-h")) return "nothing";
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
  /** What keeps a lab in namespaces from this machine. */
  readonly obstacles?: readonly string[];
  readonly say?: Say;
  readonly machine?: Machine;
  /** The project's folder. */
  readonly root?: string;
}

/**
 * Brings what is missing. Throws EnvironmentError that names all that is still missing, and what
 * else keeps the lab from this machine, with the lines that change it.
 */
export async function ensureSetup(options: SetupOptions): Promise<void> {
  const { forTests = false, engine = "native", root = ROOT, task = "lab" } = options;
  const { say = (line) => void process.stderr.write(`${line}\n`), obstacles = [] } = options;
  useUnpacked(root);
  const { machine = thisMachine() } = options;
  await ensurePackages(root, machine, say);
  const isNative = task === "lab" && engine === "native";
  const needs = [
    ...(forTests || isNative ? LAB_NEEDS : task === "examination" ? [PROMETHEUS] : []),
    ...(forTests ? testNeeds(machine) : []),
  ];
  const missing = needs.filter(({ isThere }) => !isThere(machine));
  const problems = isNative && !forTests ? [...obstacles] : [];
  if (problems.length === 0 && missing.length > 0) await bring(missing, root, machine, say);
  else if (missing.length > 0) problems.unshift(await howToBring(missing, root, machine, say));
  if (problems.length === 0) return;
  throw new UnfitMachineError(
    `Cannot run the lab on this machine: ${problems.join("; ")}; or start Docker (or Podman with its socket) and use --engine docker`,
  );
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

/** Installs as root, unpacks below the project as another user. */
async function bring(
  missing: readonly Need[],
  root: string,
  machine: Machine,
  say: Say,
): Promise<void> {
  // A compiler and a browser work only where they are installed.
  const mayUnpack = missing.every((need) => LAB_NEEDS.includes(need));
  if (!machine.hasProgram("apt-get") || (machine.uid !== 0 && !mayUnpack)) {
    throw cannot(await howToBring(missing, root, machine, say));
  }
  say(`missing: ${namesIn(missing)}`);
  if (machine.uid === 0) await installAsRoot(missing, machine, say);
  else await unpackAll(missing, root, machine, say);
  const still = missing.filter(({ isThere }) => !isThere(machine));
  if (still.length > 0) {
    throw cannot(`${namesIn(still)} must be there after the installation, but is not`);
  }
}

async function unpackAll(
  missing: readonly Need[],
  root: string,
  machine: Machine,
  say: Say,
): Promise<void> {
  const folder = unpackedFolder(root);
  say(`unpacking below ${folder}, because only root may install`);
  mkdirSync(folder, { recursive: true });
  let packages: readonly string[] = [];
  try {
    using lists = new OwnLists(`${folder}/.apt`, machine);
    await lists.update(say);
    packages = await namesOf(missing, machine, lists.options);
    await lists.unpack(packages, folder, say);
  } catch (error) {
    const otherwise = commandFor(packages, machine);
    throw cannot(
      packages.length === 0 ? messageOf(error) : `${messageOf(error)}; or run \`${otherwise}\``,
    );
  }
  useUnpacked(root);
}

/** Says what must be installed, and the command for it. */
async function howToBring(
  missing: readonly Need[],
  root: string,
  machine: Machine,
  say: Say,
): Promise<string> {
  const what = `${namesIn(missing)} must be installed`;
  if (!machine.hasProgram("apt-get")) {
    return `${what}, and only Debian and Ubuntu are set up for you; elsewhere use the system's own package tool`;
  }
  mkdirSync(unpackedFolder(root), { recursive: true });
  // A machine whose lists are empty or old does not know the names.
  using lists = new OwnLists(`${unpackedFolder(root)}/.apt`, machine);
  await lists.update(say);
  const packages = await namesOf(missing, machine, lists.options);
  return `${what}; \`${commandFor(packages, machine)}\` does it`;
}

const namesIn = (needs: readonly Need[]): string => needs.map(({ what }) => what).join(", ");

const cannot = (why: string): EnvironmentError =>
  new EnvironmentError(`Cannot set this machine up: ${why}`);

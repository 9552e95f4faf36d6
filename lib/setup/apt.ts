/** Debian's and Ubuntu's package tool: for root, which installs, and for others, who unpack. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { EnvironmentError } from "../base/errors.ts";
import type { Machine } from "./machine.ts";
import { distributionIds, type Need } from "./needs.ts";

export type Say = (line: string) => void;

export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

/** Installs packages for the machine. */
export async function installAsRoot(
  missing: readonly Need[],
  machine: Machine,
  say: Say,
): Promise<void> {
  await apt(["update"], machine, say);
  const packages = await namesOf(missing, machine);
  await withoutItsService(packages, machine, async () => {
    await apt(["install", "-y", "--no-install-recommends", ...packages], machine, say);
  });
}

/**
 * Keeps Debian's Prometheus package from running a server of its own, now or after the next boot:
 * the lab runs one. Where systemd does not run, the package starts nothing by itself.
 */
async function withoutItsService(
  packages: readonly string[],
  machine: Machine,
  install: () => Promise<void>,
): Promise<void> {
  if (!startsService(packages, machine)) {
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

const startsService = (packages: readonly string[], machine: Machine): boolean =>
  packages.includes("prometheus") && machine.hasFile("/run/systemd/system");

/**
 * The line with which a person installs the packages, and which leaves no service behind either.
 */
export function commandFor(packages: readonly string[], machine: Machine): string {
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (!startsService(packages, machine)) return `sudo sh -c '${install}'`;
  const service = "prometheus.service";
  return `sudo sh -c 'systemctl mask --runtime ${service}; ${install}; systemctl unmask --runtime ${service}; systemctl disable ${service}'`;
}

/** The package of each need that this release has. */
export function namesOf(
  needs: readonly Need[],
  machine: Machine,
  options: readonly string[] = [],
): Promise<string[]> {
  return Promise.all(needs.map((need) => available(need, machine, options)));
}

async function available(
  { packages }: Need,
  machine: Machine,
  options: readonly string[],
): Promise<string> {
  for (const name of packages) {
    const argv = ["apt-cache", ...options, "show", "--no-all-versions", name];
    const { code, stdout } = await machine.run(argv);
    if (code === 0 && stdout.trim() !== "") return name;
  }
  return packages[0] ?? "";
}

/** The tool with package lists of its own, which needs no root; they are removed afterwards. */
export class OwnLists implements Disposable {
  readonly options: readonly string[];
  readonly #folder: string;
  readonly #machine: Machine;

  /** `folder` is a folder to be made and removed again. */
  constructor(folder: string, machine: Machine) {
    this.#folder = folder;
    this.#machine = machine;
    for (const name of ["lists/partial", "cache/archives/partial", "debs"]) {
      mkdirSync(`${folder}/${name}`, { recursive: true });
    }
    const settings = [
      `Dir::State::Lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      "APT::Get::AllowUnauthenticated=false",
      "Acquire::AllowInsecureRepositories=false",
    ];
    this.options = settings.flatMap((setting) => ["-o", setting]);
  }

  update(say: Say): Promise<string> {
    return apt([...this.options, "update"], this.#machine, say);
  }

  /** Downloads packages and all that they need and the machine lacks, and unpacks them. */
  async unpack(packages: readonly string[], into: string, say: Say): Promise<void> {
    const install = ["--simulate", "install", "--no-install-recommends", ...packages];
    const wanted = readPlan(await apt([...this.options, ...install], this.#machine, say));
    const ids = distributionIds(this.#machine);
    const foreign = wanted.find(({ origin }) => !ids.some((id) => origin.startsWith(id)));
    if (foreign !== undefined) {
      throw new EnvironmentError(
        `Cannot unpack ${foreign.name}: it must come from the distribution (${ids.join(", ")}), but comes from ${JSON.stringify(foreign.origin)}`,
      );
    }
    const debs = `${this.#folder}/debs`;
    const exact = wanted.map(({ name, version }) => `${name}=${version}`);
    await apt([...this.options, "download", ...exact], this.#machine, say, debs);
    for (const file of readdirSync(debs)) {
      const { code, stderr } = await this.#machine.run(["dpkg", "-x", `${debs}/${file}`, into]);
      if (code === 0) continue;
      throw new EnvironmentError(
        `Cannot unpack ${file}: dpkg exited with ${code}: ${lastLine(stderr)}`,
      );
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Planned {
  readonly name: string;
  readonly version: string;
  /** Who publishes it, in lower case. */
  readonly origin: string;
}

/** Reads lines such as `Inst libddsc0t64 (0.10.5-1+b2 Debian:13.8/stable [amd64])`. */
function readPlan(text: string): Planned[] {
  return [...text.matchAll(/^Inst (\S+)(?: \[\S+\])? \((\S+) ([^:)\s]*)/gm)].map(
    ([, name = "", version = "", origin = ""]) => ({ name, version, origin: origin.toLowerCase() }),
  );
}

/** Runs apt-get and returns what it printed. */
async function apt(
  args: readonly string[],
  machine: Machine,
  say: Say,
  cwd?: string,
): Promise<string> {
  // Another installation may be running, as on a machine that has just booted.
  const argv = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", ...args];
  say(`running ${argv.filter((word) => word !== "-o" && !word.includes("::")).join(" ")}`);
  const { code, stderr, stdout } = await machine.run(argv, cwd);
  if (code === 0) return stdout;
  throw new EnvironmentError(
    `Cannot run \`${argv.join(" ")}\`: it exited with ${code}: ${lastLine(stderr || stdout)}`,
  );
}

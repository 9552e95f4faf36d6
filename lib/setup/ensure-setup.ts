/**
 * Installs what is missing: JavaScript packages, the Cyclone DDS C library, Prometheus, iproute2. Idempotent, and
 * quick when all is there. Uses nothing but the runtime, because it runs before packages exist.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { processEnv } from "../base/env.ts";
import { EnvironmentError } from "../base/errors.ts";
import { run } from "../base/shell.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
/** Holds the hash of the lock file that node_modules was installed from. */
const STAMP = `${ROOT}/node_modules/.lockfile-hash`;

/** Something that has to be on the machine, and the Debian or Ubuntu packages that bring it (first that exists). */
interface Need {
  readonly what: string;
  readonly packages: readonly string[];
  readonly isThere: () => boolean;
}

const LIBRARY_FOLDERS = [
  "/usr/lib",
  "/usr/local/lib",
  "/usr/lib64",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
];
const onPath =
  (program: string): (() => boolean) =>
  () =>
    Bun.which(program) !== null;

const NEEDS: readonly Need[] = [
  {
    what: "the Cyclone DDS C library",
    packages: ["libddsc0debian", "libddsc0t64", "libddsc0"],
    isThere: hasDdsLibrary,
  },
  { what: "prometheus", packages: ["prometheus"], isThere: onPath("prometheus") },
  { what: "ip", packages: ["iproute2"], isThere: onPath("ip") },
  {
    what: "unshare and setpriv",
    packages: ["util-linux"],
    isThere: () => onPath("unshare")() && onPath("setpriv")(),
  },
];

/** What only the tests need: a browser for pages, a C compiler and the IDL compiler for C peers. */
const TEST_NEEDS: readonly Need[] = [
  { what: "chromium", packages: ["chromium"], isThere: onPath("chromium") },
  { what: "idlc", packages: ["cyclonedds-tools"], isThere: onPath("idlc") },
  {
    what: "the Cyclone DDS headers",
    packages: ["cyclonedds-dev"],
    isThere: () => existsSync("/usr/include/dds/dds.h"),
  },
  { what: "gcc", packages: ["gcc", "libc6-dev"], isThere: onPath("gcc") },
];

export interface SetupOptions {
  readonly forTests?: boolean;
  readonly say?: (line: string) => void;
}

/** Installs what is missing; throws EnvironmentError with the command to run when it may not install. */
export async function ensureSetup(options: SetupOptions): Promise<void> {
  const { forTests = false, say = (line) => void process.stderr.write(`${line}\n`) } = options;
  await ensurePackages(say);
  const needs = forTests ? [...NEEDS, ...TEST_NEEDS] : NEEDS;
  const missing = needs.filter(({ isThere }) => !isThere());
  if (missing.length > 0) await installMissing(missing, say);
}

/** Installs the JavaScript packages unless they are those of the lock file. */
async function ensurePackages(say: (line: string) => void): Promise<void> {
  const hash = Bun.hash(readFileSync(`${ROOT}/bun.lock`)).toString(16);
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === hash) return;
  say("installing the JavaScript packages");
  const { code, stderr } = await run([process.execPath, "install", "--frozen-lockfile"], {
    cwd: ROOT,
  });
  if (code !== 0) {
    throw new EnvironmentError(
      `Cannot install the JavaScript packages: \`bun install --frozen-lockfile\` must succeed, but said: ${stderr.trim().split("\n").at(-1)}`,
    );
  }
  writeFileSync(STAMP, hash);
}

async function installMissing(
  missing: readonly Need[],
  say: (line: string) => void,
): Promise<void> {
  const names = missing.map(({ what }) => what).join(", ");
  const wanted = missing.flatMap(({ packages }) => packages.slice(0, 1));
  const command = `apt-get update && apt-get install -y --no-install-recommends ${wanted.join(" ")}`;
  if (Bun.which("apt-get") === null) {
    throw new EnvironmentError(
      `Cannot set this machine up: ${names} must be installed, and only Debian and Ubuntu are installed for you; on those the command is \`${command}\``,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new EnvironmentError(
      `Cannot set this machine up: ${names} must be installed, which needs root; run \`sudo sh -c '${command}'\``,
    );
  }
  say(`missing: ${names}`);
  await apt(["update"], say);
  const packages: string[] = [];
  for (const need of missing) packages.push(await available(need));
  // A package that brings a service must not start it here: the lab runs its own.
  const withoutServices = { ...processEnv(), DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await apt(["install", "-y", "--no-install-recommends", ...packages], say, withoutServices);
  const still = missing.filter(({ isThere }) => !isThere());
  if (still.length > 0) {
    throw new EnvironmentError(
      `Cannot set this machine up: ${still.map(({ what }) => what).join(", ")} must be there after \`${command}\`, but is not`,
    );
  }
}

/** The first package of a need that this release has. */
async function available({ packages }: Need): Promise<string> {
  for (const name of packages) {
    const { code, stdout } = await run(["apt-cache", "show", "--no-all-versions", name]);
    if (code === 0 && stdout.trim() !== "") return name;
  }
  return packages[0] ?? "";
}

async function apt(
  args: readonly string[],
  say: (line: string) => void,
  env: Readonly<Record<string, string | undefined>> = processEnv(),
): Promise<void> {
  const argv = ["apt-get", "-q", ...args];
  say(`running ${argv.join(" ")}`);
  const { code, stderr, stdout } = await run(argv, { env });
  if (code !== 0) {
    const said = (stderr || stdout).trim().split("\n").at(-1);
    throw new EnvironmentError(`Cannot run \`${argv.join(" ")}\`: it exited with ${code}: ${said}`);
  }
}

function hasDdsLibrary(): boolean {
  const home = processEnv()["CYCLONEDDS_HOME"];
  // Set, it is required to be right: loading says what is wrong with it.
  if (home !== undefined && home !== "") return true;
  return LIBRARY_FOLDERS.some(
    (folder) =>
      existsSync(folder) && readdirSync(folder).some((name) => /^libddsc\.so(\.|$)/.test(name)),
  );
}

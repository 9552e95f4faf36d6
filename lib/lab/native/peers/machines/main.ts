/**
 * The native lab in machines that are booted for it: Debian 12 and 13 with systemd and control
 * groups v2, as root, through sudo and as an ordinary user; and in a group that stands for a
 * container's. Opt-in, because it needs a tool that boots machines, named by LAB_MACHINE_TOOL:
 *
 *   $LAB_MACHINE_TOOL up --release bookworm|trixie    boots a machine with an untouched disk
 *   $LAB_MACHINE_TOOL ssh root|user|plain COMMAND     runs a command; `plain` has no sudo
 *   $LAB_MACHINE_TOOL copy FOLDER FOLDER USER         copies a folder into the machine
 *   $LAB_MACHINE_TOOL down                            ends it
 *
 * `LAB_MACHINE_TOOL=… bun run test:machines [bookworm|trixie]… [root|sudo|user|container]…`
 */
import { processEnv } from "../../../../base/env.ts";
import { messageOf, runMain, UsageError } from "../../../../base/errors.ts";
import { Checks, WAYS } from "./checks.ts";
import { containerChecks } from "./container.ts";
import { BootedMachine } from "./machine.ts";

const ROOT = new URL("../../../../..", import.meta.url).pathname;
const RELEASES = ["bookworm", "trixie"] as const;
const WORDS = ["root", "sudo", "user", "container"] as const;

type Steps = readonly (readonly [name: string, step: () => Promise<void>])[];

function chosen<T extends string>(all: readonly T[]): readonly T[] {
  const written = all.filter((word) => Bun.argv.slice(2).includes(word));
  return written.length > 0 ? written : all;
}

/** Takes the steps of one machine; what follows a step that failed would say nothing. */
async function take(where: string, steps: Steps): Promise<boolean> {
  for (const [name, step] of steps) {
    const startedMs = performance.now();
    const failure = await step().then(
      () => undefined,
      (error: unknown) => messageOf(error),
    );
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    console.log(`${failure === undefined ? "ok  " : "FAIL"} ${where}: ${name} (${seconds} s)`);
    if (failure !== undefined) {
      console.log(`  ${failure}`);
      return false;
    }
  }
  return true;
}

await runMain(async () => {
  const known: readonly string[] = [...RELEASES, ...WORDS];
  const unknown = Bun.argv.slice(2).find((word) => !known.includes(word));
  if (unknown !== undefined) {
    throw new UsageError(`Cannot choose ${unknown}: it must be one of ${known.join(", ")}`);
  }
  const tool = processEnv()["LAB_MACHINE_TOOL"] ?? "";
  if (tool === "") {
    throw new UsageError(
      "Cannot boot a machine: LAB_MACHINE_TOOL must name the tool for it; the head of lib/lab/native/peers/machines/main.ts says what it does",
    );
  }
  const { packageManager } = (await Bun.file(`${ROOT}/package.json`).json()) as {
    packageManager: string;
  };
  let failures = 0;
  for (const release of chosen(RELEASES)) {
    for (const word of chosen(WORDS)) {
      await using machine = await BootedMachine.boot(tool, release);
      const way = WAYS.find(
        ({ name }) => name === word || (word === "user" && name === "ordinary user"),
      );
      const account = way?.account ?? "root";
      await machine.copyProject(
        ROOT,
        account,
        account === "root" ? "/root/lab" : `/home/${account}/lab`,
      );
      const steps =
        way === undefined
          ? containerChecks(machine, packageManager)
          : new Checks(machine, way, packageManager).steps();
      if (!(await take(`${release}, ${way?.name ?? word}`, steps))) failures += 1;
    }
  }
  console.log(failures === 0 ? "every machine passed" : `${failures} machine(s) failed`);
  if (failures > 0) process.exitCode = 1;
});

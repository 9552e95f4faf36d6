/**
 * What a privileged container with a control group namespace of its own is to the lab: the root of
 * the groups that it sees is populated and is not the machine's, and a controller may be missing.
 */
import { EnvironmentError } from "../../../../base/errors.ts";
import type { BootedMachine } from "./machine.ts";

const STEP_TIMEOUT_MS = 15 * 60_000;

/** Runs a script as the only program of a group that is the root of its own namespace. */
const inOwnGroup = (controllers: string, script: string): string =>
  [
    "set -e",
    "box=/sys/fs/cgroup/box",
    'mkdir -p "$box"',
    // A controller that is passed on anywhere below cannot be taken from the root's children.
    `echo "${controllers}" >/sys/fs/cgroup/cgroup.subtree_control`,
    'echo $$ >"$box/cgroup.procs"',
    `exec unshare --cgroup --mount sh -ec 'mount -t cgroup2 none /sys/fs/cgroup; cd lab; ${script}'`,
  ].join("; ");

export function containerChecks(
  machine: BootedMachine,
  bun: string,
): readonly (readonly [name: string, step: () => Promise<void>])[] {
  const run = `npx --yes ${bun}`;
  return [
    [
      "up in a populated group, a quota, down",
      async () => {
        const script = [
          `${run} run up`,
          `${run} runner.ts inject fusion-cpu-starvation`,
          `${run} runner.ts cleanup`,
          `${run} run down`,
          "grep -c . /sys/fs/cgroup/cms-lab-leaf/cgroup.procs",
        ].join(" && ");
        await machine.mustRun("root", inOwnGroup("+cpu +memory", script), STEP_TIMEOUT_MS);
      },
    ],
    [
      "a clear error without the memory controller",
      async () => {
        // The last lab is gone, and its group with it.
        const clear = "rmdir /sys/fs/cgroup/box/cms-lab-leaf /sys/fs/cgroup/box 2>/dev/null; ";
        const without =
          'for slice in /sys/fs/cgroup/*/cgroup.subtree_control; do echo "-memory" >"$slice" 2>/dev/null || true; done; ';
        const script = `${run} run up; test $? = 2`;
        const { code, stdout, stderr } = await machine.run(
          "root",
          `${clear}${without}${inOwnGroup("-memory", script)}`,
          STEP_TIMEOUT_MS,
        );
        const said = `${stdout}${stderr}`;
        if (code === 0 && said.includes("cgroup.controllers must name memory")) return;
        throw new EnvironmentError(`it exited with ${code} and said ${said.slice(-600)}`);
      },
    ],
  ];
}

import { readFile } from "node:fs/promises";
import { EnvironmentError, messageOf } from "../../lib/base/errors.ts";
import { waitUntil } from "../../lib/base/wait.ts";
import type { ServiceName } from "../../lib/contract/topology.ts";
import { changeOrHeal, type Fault, type FaultContext } from "../define.ts";

const END_MS = 10_000;

interface Parameters {
  readonly service: ServiceName;
  readonly signal: "SIGKILL" | "SIGSTOP";
}

/** Kills or stops (SIGSTOP) the process of a service. The healer starts or continues it. */
export function signalProcess(parameters: Parameters & Fault["parameters"]): Fault {
  const { service, signal } = parameters;
  return {
    kind: "signal-process",
    parameters,
    inject: async ({ lab, log }) => {
      const pid = await pidOf(lab, service);
      return changeOrHeal(
        log,
        async () => {
          await Promise.resolve(send(pid, signal));
          log(`${signal} to ${service}`);
        },
        async (say) => {
          const isSame = (await lab.state(service)).pid === pid;
          if (isSame && signal === "SIGSTOP") send(pid, "SIGCONT");
          if (isSame && signal === "SIGKILL") await ended(lab, service);
          if ((await lab.state(service)).state === "exited") await lab.start(service);
          say(`${service} runs again`);
        },
      );
    },
    probe: async ({ lab }) => {
      const { state, pid, exitCode } = await lab.state(service);
      if (signal === "SIGKILL") {
        return { ok: state === "exited", seen: `${service} is ${state}, exit code ${exitCode}` };
      }
      const letter = pid === null ? "gone" : await schedulerState(pid);
      return { ok: letter === "T", seen: `${service} is in the scheduler's state ${letter}` };
    },
  };
}

/** Waits until the killed process of a service has ended. */
export async function ended(lab: FaultContext["lab"], service: ServiceName): Promise<void> {
  await waitUntil(
    async () => {
      const { state } = await lab.state(service);
      return { ok: state === "exited", seen: state };
    },
    { what: `the end of ${service}`, deadlineMs: END_MS },
  );
}

/** The host's id of a service's process. */
export async function pidOf(lab: FaultContext["lab"], service: ServiceName): Promise<number> {
  const { pid } = await lab.state(service);
  if (pid === null) throw new EnvironmentError(`Cannot change ${service}: its process must run`);
  return pid;
}

export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    throw new EnvironmentError(`Cannot send ${signal} to process ${pid}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** `T` for a process that is stopped. */
async function schedulerState(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
}

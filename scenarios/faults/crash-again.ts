import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../lib/base/errors.ts";
import type { ServiceName } from "../../lib/contract/topology.ts";
import { changeOrHeal, type Fault, type FaultContext } from "../define.ts";
import { ended, pidOf, send } from "./signal-process.ts";

interface Parameters {
  readonly service: ServiceName;
  /** From one start to the next kill. */
  readonly everySeconds: number;
}

/**
 * Repeatedly kills the process of a service and restarts it, as a supervisor does with a crashing
 * process. The healer stops that and leaves the service running.
 */
export function crashAgain(parameters: Parameters & Fault["parameters"]): Fault {
  const { service, everySeconds } = parameters;
  let crashes = 0;
  return {
    kind: "crash-again",
    parameters,
    inject: (context) => {
      const healed = new AbortController();
      const { signal, lab, log } = context;
      const stop = AbortSignal.any([healed.signal, ...(signal === undefined ? [] : [signal])]);
      let looping = Promise.resolve();
      return changeOrHeal(
        log,
        async () => {
          await crash(context, service);
          crashes = 1;
          log(`${service} has crashed`);
          looping = again();
        },
        async (say) => {
          healed.abort();
          await looping;
          if ((await lab.state(service)).state === "exited") await lab.start(service);
          say(`${service} crashes no more`);
        },
      );
      async function again(): Promise<void> {
        try {
          for (;;) {
            await sleep(everySeconds * 1000, undefined, { signal: stop, ref: false });
            await crash(context, service);
            crashes++;
          }
        } catch (error) {
          if (!stop.aborted) log(`${service} crashes no more: ${messageOf(error)}`);
        }
      }
    },
    probe: () => Promise.resolve({ ok: crashes > 0, seen: `${crashes} crashes` }),
  };
}

async function crash({ lab }: FaultContext, service: ServiceName): Promise<void> {
  send(await pidOf(lab, service), "SIGKILL");
  await ended(lab, service);
  await lab.start(service);
}

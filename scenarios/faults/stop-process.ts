import type { ServiceName } from "../../lib/contract/topology.ts";
import { changeOrHeal, type Fault } from "../define.ts";

/** Stops the process of a service with SIGTERM. The healer starts it again. */
export function stopProcess(parameters: { readonly service: ServiceName }): Fault {
  const { service } = parameters;
  return {
    kind: "stop-process",
    parameters,
    inject: ({ lab, log }) =>
      changeOrHeal(
        log,
        async () => {
          log(`SIGTERM to ${service}`);
          await lab.stop(service);
          log(`${service} ended with exit code ${(await lab.state(service)).exitCode}`);
        },
        async (say) => {
          if ((await lab.state(service)).state !== "exited") return;
          await lab.start(service);
          say(`${service} started again`);
        },
      ),
    probe: async ({ lab }) => {
      const { state, exitCode } = await lab.state(service);
      return { ok: state === "exited", seen: `${service} is ${state}, exit code ${exitCode}` };
    },
  };
}

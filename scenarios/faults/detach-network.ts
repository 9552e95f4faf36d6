import type { ServiceName } from "../../lib/contract/topology.ts";
import { changeOrHeal, type Fault } from "../define.ts";

/** Detaches a running service from the network. The healer attaches it again. */
export function detachNetwork(parameters: { readonly service: ServiceName }): Fault {
  const { service } = parameters;
  return {
    kind: "detach-network",
    parameters,
    inject: ({ lab, log }) =>
      changeOrHeal(
        log,
        async () => {
          await lab.detachNetwork(service);
          log(`network of ${service} detached`);
        },
        async (say) => {
          if ((await lab.state(service)).network === "detached") await lab.attachNetwork(service);
          say(`network of ${service} attached`);
        },
      ),
    probe: async ({ lab }) => {
      const { network, state, pid } = await lab.state(service);
      return {
        ok: network === "detached" && state === "running",
        seen: `${service} is ${state} (pid ${pid}), network ${network}`,
      };
    },
  };
}

import type { ServiceName } from "../../lib/contract/topology.ts";
import type { Fault } from "../define.ts";

/** Restarts a service without any change, as maintenance does. */
export function restartService({ service }: { readonly service: ServiceName }): Fault {
  return {
    kind: "restart-service",
    parameters: { service },
    inject: async ({ lab, log }) => {
      await lab.replace(service);
      log(`${service} restarted`);
      return async (say) => {
        await Promise.resolve(say("nothing to undo"));
      };
    },
    probe: async ({ lab }) => {
      const { canonical } = await lab.state(service);
      return { ok: canonical, seen: `${service} is ${canonical ? "canonical" : "changed"}` };
    },
  };
}

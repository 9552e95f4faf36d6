import type { Fault } from "../define.ts";

/** No fault: the reference. */
export function none(): Fault {
  return {
    kind: "none",
    parameters: {},
    inject: async ({ log }) => {
      log("nothing to change");
      return Promise.resolve(async (say) => {
        say("nothing to undo");
        await Promise.resolve();
      });
    },
    probe: async ({ lab }) => {
      const services = (await lab.status())?.services ?? [];
      const changed = services.filter((service) => !service.canonical);
      return {
        ok: services.length > 0 && changed.length === 0,
        seen: `${changed.length} of ${services.length} services changed`,
      };
    },
  };
}

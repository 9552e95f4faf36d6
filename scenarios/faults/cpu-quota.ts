import type { ServiceName } from "../../lib/contract/topology.ts";
import type { Fault } from "../define.ts";

/** Limits a running service to a share of one processor, without a restart. Healed by lifting it. */
export function cpuQuota(parameters: {
  readonly service: ServiceName;
  readonly cores: number;
}): Fault {
  const { service, cores } = parameters;
  const throttled = `rate(container_cpu_cfs_throttled_seconds_total{name="${service}"}[15s])`;
  return {
    kind: "cpu-quota",
    parameters,
    inject: async ({ lab, log }) => {
      await lab.limitCpu(service, cores);
      log(`${service} limited to ${cores} of a core`);
    },
    heal: async ({ lab, log }) => {
      await lab.limitCpu(service, null);
      log(`processor limit of ${service} lifted`);
    },
    probe: async ({ lab, prometheus }) => {
      const { cpuQuotaCores } = await lab.state(service);
      const share = (await prometheus.instant(throttled))[0]?.value ?? 0;
      return {
        ok: cpuQuotaCores === cores && share > 0,
        seen: `quota ${cpuQuotaCores} cores, throttled ${share.toFixed(2)} s per second`,
      };
    },
  };
}

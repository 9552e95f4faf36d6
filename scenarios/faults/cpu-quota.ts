import { EnvironmentError } from "../../lib/base/errors.ts";
import type { ServiceName } from "../../lib/contract/topology.ts";
import type { Fault } from "../define.ts";

/** The kernel gives no quota below 1 ms in each period of 100 ms. */
const LEAST_CORES = 0.01;

/**
 * Limits a running service to a share of the processor time that it uses just now, without a restart. Healed by lifting
 * the limit. A fixed quota would starve the service on one machine and not even be noticed on a faster one.
 */
export function cpuQuota(parameters: {
  readonly service: ServiceName;
  /** Of what the service used in the last half minute; below 1, its work piles up. */
  readonly shareOfUsage: number;
}): Fault {
  const { service, shareOfUsage } = parameters;
  const usage = `rate(container_cpu_usage_seconds_total{name="${service}"}[30s])`;
  const throttled = `rate(container_cpu_cfs_throttled_seconds_total{name="${service}"}[15s])`;
  return {
    kind: "cpu-quota",
    parameters,
    inject: async ({ lab, prometheus, log }) => {
      const used = (await prometheus.instant(usage))[0]?.value;
      if (used === undefined) {
        throw new EnvironmentError(
          `Cannot limit ${service}: its usage must be known, but ${usage} is empty`,
        );
      }
      const cores = Math.max(LEAST_CORES, Math.round(used * shareOfUsage * 1e4) / 1e4);
      await lab.limitCpu(service, cores);
      log(`${service} used ${used.toFixed(4)} of a core and is limited to ${cores}`);
      return async (say) => {
        await lab.limitCpu(service, null);
        say(`processor limit of ${service} lifted`);
      };
    },
    probe: async ({ lab, prometheus }) => {
      const { cpuQuotaCores } = await lab.state(service);
      const share = (await prometheus.instant(throttled))[0]?.value ?? 0;
      return {
        ok: cpuQuotaCores !== null && share > 0,
        seen: `quota ${cpuQuotaCores} cores, throttled ${share.toFixed(2)} s per second`,
      };
    },
  };
}

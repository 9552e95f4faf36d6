import { setTimeout as sleep } from "node:timers/promises";
import { EnvironmentError, messageOf } from "../../lib/base/errors.ts";
import type { ServiceName } from "../../lib/contract/topology.ts";
import { MIN_CORES } from "../../lib/lab/lab.ts";
import { changeOrHeal, type Fault, type FaultContext } from "../define.ts";

/** Twice the range of `keepsUp`, so that each step is measured separately. */
const LOOK_MS = 40_000;
const STEP = 0.95;

interface CpuQuota {
  readonly service: ServiceName;
  /** Share of the CPU usage in the last half minute; below 1, work accumulates. */
  readonly shareOfUsage: number;
  /** PromQL that has a result while the service keeps up despite the limit. */
  readonly keepsUp: string;
}

/**
 * Limits a running service to a share of its current CPU usage, without a restart. The healer lifts
 * the limit. A fixed quota would starve the service on one machine and have no effect on a faster
 * one.
 *
 * A service needs less CPU over time, because its code is compiled and accumulated work is
 * processed in larger batches. So the limit is lowered by 5 % whenever the service keeps up, until
 * the heal or the end of the run.
 */
export function cpuQuota(parameters: CpuQuota & Fault["parameters"]): Fault {
  const { service, shareOfUsage } = parameters;
  const usage = `rate(container_cpu_usage_seconds_total{name="${service}"}[30s])`;
  const throttled = `rate(container_cpu_cfs_throttled_seconds_total{name="${service}"}[15s])`;
  return {
    kind: "cpu-quota",
    parameters,
    inject: async (context) => {
      const { lab, prometheus, log, signal } = context;
      const used = (await prometheus.instant(usage))[0]?.value;
      if (used === undefined) {
        throw new EnvironmentError(
          `Cannot limit ${service}: its usage must be known, but ${usage} is empty`,
        );
      }
      const cores = rounded(used * shareOfUsage);
      const healed = new AbortController();
      const stop = AbortSignal.any([healed.signal, ...(signal === undefined ? [] : [signal])]);
      let tightening = Promise.resolve();
      return changeOrHeal(
        log,
        async () => {
          await lab.limitCpu(service, cores);
          log(`${service} used ${used.toFixed(4)} of a core and is limited to ${cores}`);
          tightening = tighten(context, parameters, cores, stop);
        },
        async (say) => {
          healed.abort();
          await tightening;
          await lab.limitCpu(service, null);
          say(`processor limit of ${service} lifted`);
        },
      );
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

/**
 * Lowers the limit while the service keeps up, until the signal aborts, another program changes the
 * limit, or the lab stops. Never throws, because only the healer awaits it.
 */
async function tighten(
  { lab, prometheus, log }: FaultContext,
  { service, keepsUp }: CpuQuota,
  initial: number,
  stop: AbortSignal,
): Promise<void> {
  let cores = initial;
  try {
    while (cores > MIN_CORES) {
      await sleep(LOOK_MS, undefined, { signal: stop, ref: false });
      if ((await lab.state(service)).cpuQuotaCores !== cores) return;
      if ((await prometheus.instant(keepsUp)).length === 0) continue;
      cores = rounded(cores * STEP);
      await lab.limitCpu(service, cores);
      log(`${service} keeps up and is limited to ${cores}`);
    }
  } catch (error) {
    if (!stop.aborted) log(`the limit of ${service} stays as it is: ${messageOf(error)}`);
  }
}

const rounded = (cores: number): number => Math.max(MIN_CORES, Math.round(cores * 1e4) / 1e4);

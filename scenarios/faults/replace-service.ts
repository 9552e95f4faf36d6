import { waitUntil } from "../../lib/base/wait.ts";
import type { ServiceName } from "../../lib/contract/topology.ts";
import type { ReplaceOptions } from "../../lib/lab/lab.ts";
import { changeOrHeal, type Fault, type FaultContext } from "../define.ts";

interface Parameters extends ReplaceOptions {
  readonly service: ServiceName;
  /**
   * PromQL that must exceed zero before the replacement starts, as the system's view of the
   * downtime. If undefined, the replacement starts at once.
   */
  readonly awayUntil?: string;
}

/** Downtime after which the replacement counts as failed. */
const AWAY_DEADLINE_MS = 60_000;

/** Replaces a service by one with other variables or another memory limit. */
export function replaceService(parameters: Parameters): Fault {
  const { service, awayUntil, env = {}, memoryLimitBytes } = parameters;
  const options: ReplaceOptions = {
    env,
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
  };
  return {
    kind: "replace-service",
    parameters: {
      service,
      ...env,
      ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
      ...(awayUntil === undefined ? {} : { awayUntil }),
    },
    inject: (context) => {
      const { lab, log } = context;
      return changeOrHeal(
        log,
        async () => {
          if (awayUntil !== undefined) await stayAway(service, awayUntil, context);
          await lab.replace(service, options);
          log(`${service} replaced by one with ${JSON.stringify(options)}`);
        },
        async (say) => {
          await lab.replace(service);
          say(`${service} replaced by the canonical one`);
        },
      );
    },
    probe: async ({ lab }) => {
      const state = await lab.state(service);
      const limited = memoryLimitBytes === undefined || state.memoryLimitBytes === memoryLimitBytes;
      // A service killed by its memory limit is also affected.
      const alive = state.state === "running" || state.oomKilled;
      return {
        ok: !state.canonical && limited && alive,
        seen: `${service} is ${state.state}, ${state.canonical ? "canonical" : "changed"}`,
      };
    },
  };
}

async function stayAway(
  service: ServiceName,
  awayUntil: string,
  { lab, prometheus, log, signal, waiting = () => {} }: FaultContext,
): Promise<void> {
  const what = `${awayUntil} above zero`;
  await lab.stop(service);
  log(`${service} stopped until ${awayUntil} is above zero`);
  await waitUntil(
    async () => {
      const value = (await prometheus.instant(awayUntil))[0]?.value ?? 0;
      return { ok: value > 0, seen: String(value) };
    },
    {
      what,
      deadlineMs: AWAY_DEADLINE_MS,
      onProgress: (seen, leftMs) => waiting(what, seen, leftMs),
      ...(signal === undefined ? {} : { signal }),
    },
  );
}

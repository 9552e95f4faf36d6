/**
 * Plans what an act changes, and how to execute and undo it. Each action changes only its own
 * aspect of a service: a restart keeps the settings, a corrected setting keeps the limits, and only
 * `restore_network` changes the network.
 */
import type { Remediation } from "../../contract/fault-classes.ts";
import { SERVICE_LIMITS, type ServiceName } from "../../contract/topology.ts";
import type { Fault } from "../../../scenarios/define.ts";
import type { Lab, ReplaceOptions, ServiceState } from "../../lab/lab.ts";
import { type Act, type Setting, SETTINGS_OF } from "./read-remedy.ts";

/** The aspects of a service that a lab can change. */
export type Aspects = Pick<
  ServiceState,
  "service" | "state" | "oomKilled" | "env" | "memoryLimitBytes" | "cpuQuotaCores" | "network"
>;

export const aspectsOf = (state: Aspects): Aspects => ({
  service: state.service,
  state: state.state,
  oomKilled: state.oomKilled,
  env: state.env,
  memoryLimitBytes: state.memoryLimitBytes,
  cpuQuotaCores: state.cpuQuotaCores,
  network: state.network,
});

export type Change =
  | { readonly kind: "start" | "restart" | "attach" }
  | {
      readonly kind: "configure";
      readonly env: Aspects["env"];
      readonly memoryLimitBytes: number | null;
    }
  | { readonly kind: "quota"; readonly cores: number | null };

/** The effect of an act on a service in this state. */
export interface Plan {
  /** Null: no change. */
  readonly change: Change | null;
  /** What is done, or why nothing is done. */
  readonly said: string;
}

type Planner = (act: Act, now: Aspects) => Plan;

/** The actions that do more than set a variable. */
const PLANNERS: Readonly<Partial<Record<Remediation, Planner>>> = {
  start_service: ({ target }, { state }) =>
    state === "exited"
      ? { change: { kind: "start" }, said: `starts ${target}` }
      : unchanged(`${target} runs already`),
  restart_service: ({ target }) => ({
    change: { kind: "restart" },
    said: `restarts ${target} as it is configured`,
  }),
  restore_network: ({ target }, { network }) =>
    network === "detached"
      ? { change: { kind: "attach" }, said: `attaches the network of ${target}` }
      : unchanged(`the network of ${target} is attached`),
  raise_cpu_quota: planQuota,
  raise_memory_limit: planMemory,
  roll_back: ({ target }, { env, memoryLimitBytes }) =>
    Object.keys(env).length === 0 && memoryLimitBytes === null
      ? unchanged(`${target} has the settings and the limit of the release before`)
      : configured({}, null, `puts ${target} back to the release before`),
};

/** Plans an act without changing anything. */
export const planAct: Planner = (act, now) => (PLANNERS[act.action] ?? planSetting)(act, now);

const unchanged = (said: string): Plan => ({ change: null, said });

const configured = (env: Aspects["env"], memoryLimitBytes: number | null, said: string): Plan => ({
  change: { kind: "configure", env, memoryLimitBytes },
  said,
});

function planQuota({ target, value }: Act, { cpuQuotaCores }: Aspects): Plan {
  if (cpuQuotaCores === null) return unchanged(`${target} has no processor quota to raise`);
  if (value === null) {
    return {
      change: { kind: "quota", cores: null },
      said: `removes the processor quota of ${target}`,
    };
  }
  const cores = Number(value);
  return cores > cpuQuotaCores
    ? {
        change: { kind: "quota", cores },
        said: `raises the quota of ${target} from ${cpuQuotaCores} to ${cores} cores`,
      }
    : unchanged(
        `${cores} cores are no more than the quota of ${target}, which is ${cpuQuotaCores}`,
      );
}

function planMemory({ target, value }: Act, now: Aspects): Plan {
  const { env, memoryLimitBytes } = now;
  // A limit takes effect with a new process: a process killed by the limit is restarted, a stopped
  // one is not.
  if (now.state === "exited" && !now.oomKilled) {
    return unchanged(`${target} does not run, and its limit is not why`);
  }
  const present = (memoryLimitBytes ?? SERVICE_LIMITS.memoryBytes) / 2 ** 20;
  const mib = value === null ? 2 * present : Number(value);
  return mib > present
    ? configured(
        env,
        Math.round(mib * 2 ** 20),
        `raises the memory limit of ${target} from ${present} to ${mib} MiB`,
      )
    : unchanged(`${mib} MiB are no more than the limit of ${target}, which is ${present} MiB`);
}

/** Sets the act's variable to its value, or resets all variables of the action. */
function planSetting({ action, target, setting, value }: Act, now: Aspects): Plan {
  const settings: readonly Setting[] =
    action !== "correct_configuration"
      ? (SETTINGS_OF[action] ?? [])
      : setting === null
        ? []
        : [{ name: setting }];
  const { env, memoryLimitBytes } = now;
  if (value !== null && setting !== null) {
    return env[setting] === String(value)
      ? unchanged(`${setting} of ${target} is ${value} already`)
      : configured(
          { ...env, [setting]: String(value) },
          memoryLimitBytes,
          `sets ${setting} of ${target} to ${value}`,
        );
  }
  const changed = settings
    .filter(({ name, only = /^/ }) => only.test(env[name] ?? "") && Object.hasOwn(env, name))
    .map(({ name }) => name);
  if (changed.length === 0) return unchanged(`${target} has nothing that ${action} puts right`);
  const kept = Object.entries(env).filter(([name]) => !changed.includes(name));
  return configured(
    Object.fromEntries(kept),
    memoryLimitBytes,
    `sets ${changed.join(" and ")} of ${target} back`,
  );
}

/** The aspects after a change. */
export function changed(now: Aspects, change: Change): Aspects {
  switch (change.kind) {
    case "start":
    case "restart":
      return { ...now, state: "running" };
    case "attach":
      return { ...now, network: "attached" };
    case "quota":
      return { ...now, cpuQuotaCores: change.cores };
    case "configure":
      return {
        ...now,
        state: "running",
        env: change.env,
        memoryLimitBytes: change.memoryLimitBytes,
      };
  }
}

/** Whether these acts would change part of the fault, or services in these states. */
export function changesAnything(
  acts: readonly Act[],
  states: readonly Aspects[],
  { remedied }: Pick<Fault, "remedied">,
): boolean {
  return acts.some((act) => {
    if (remedied?.(act.action, act.target) !== undefined) return true;
    if (act.target === "host") return false;
    const now = states.find(({ service }) => service === act.target);
    return now === undefined || planAct(act, now).change !== null;
  });
}

export async function makeChange(lab: Lab, service: ServiceName, change: Change): Promise<void> {
  switch (change.kind) {
    case "start":
      return lab.start(service);
    case "restart":
      return restart(lab, service);
    case "attach":
      return lab.attachNetwork(service);
    case "quota":
      return lab.limitCpu(service, change.cores);
    case "configure":
      return lab.reconfigure(service, optionsOf(change));
  }
}

/** Restarts a service with its current settings, limits and network. */
export async function restart(lab: Pick<Lab, "start" | "stop">, service: ServiceName) {
  await lab.stop(service);
  await lab.start(service);
}

const optionsOf = ({
  env,
  memoryLimitBytes,
}: Pick<Aspects, "env" | "memoryLimitBytes">): ReplaceOptions => ({
  env,
  ...(memoryLimitBytes === null ? {} : { memoryLimitBytes }),
});

/** Restores an earlier state of a service, aspect by aspect; unchanged aspects are not touched. */
export async function putBack(lab: Lab, before: Aspects): Promise<void> {
  const { service } = before;
  const now = await lab.state(service);
  const isConfigured =
    isEqual(now.env, before.env) && now.memoryLimitBytes === before.memoryLimitBytes;
  if (!isConfigured) await lab.reconfigure(service, optionsOf(before));
  const { state } = await lab.state(service);
  if (before.state === "exited" && state === "running") await lab.stop(service);
  if (before.state === "running" && state === "exited") await lab.start(service);
  if (now.cpuQuotaCores !== before.cpuQuotaCores) {
    await lab.limitCpu(service, before.cpuQuotaCores);
  }
  if (now.network === before.network) return;
  if (before.network === "attached") await lab.attachNetwork(service);
  else await lab.detachNetwork(service);
}

/** The aspects that differ between two states of a service, in words. */
export function differencesOf(before: Aspects, now: Aspects): string[] {
  const names = ["state", "env", "memoryLimitBytes", "cpuQuotaCores", "network"] as const;
  return names.flatMap((name) =>
    isEqual(before[name], now[name])
      ? []
      : [
          `${before.service}: ${name} was ${JSON.stringify(before[name])} and is ${JSON.stringify(now[name])}`,
        ],
  );
}

const isEqual = (a: unknown, b: unknown): boolean => Bun.deepEquals(a, b);

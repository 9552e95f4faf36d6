import { EnvironmentError } from "../../lib/base/errors.ts";
import { mustRun, run } from "../../lib/base/shell.ts";
import type { Remediation } from "../../lib/contract/fault-classes.ts";
import type { ServiceName } from "../../lib/contract/topology.ts";
import type { Lab } from "../../lib/lab/lab.ts";
import { changeOrHeal, type Fault } from "../define.ts";
import { pidOf } from "./signal-process.ts";

interface Parameters {
  readonly service: ServiceName;
  /** Commands that add, find and remove the rule, in the service's network. */
  readonly add: readonly string[];
  readonly find: readonly string[];
  readonly remove: readonly string[];
  /** The effect of the rule, for people. */
  readonly rule: string;
}

/** The actions that remove a rule; they restore all traffic, including monitoring's. */
const REMEDIES: ReadonlySet<Remediation> = new Set(["restore_network", "restore_monitoring"]);

/** Adds a rule to the network of a running service; the healer removes it. */
export function networkRule({ service, add, find, remove, rule }: Parameters): Fault {
  const isSet = async (lab: Lab): Promise<boolean> =>
    (await run([...(await inNetworkOf(lab, service)), ...find])).code === 0;
  const clear = async (lab: Lab): Promise<void> => {
    if (await isSet(lab)) await mustRun([...(await inNetworkOf(lab, service)), ...remove]);
  };
  return {
    kind: "network-rule",
    parameters: { service, rule },
    inject: ({ lab, log }) =>
      changeOrHeal(
        log,
        async () => {
          await mustRun([...(await inNetworkOf(lab, service)), ...add]);
          log(`network of ${service}: ${rule}`);
        },
        async (say) => {
          await clear(lab);
          say(`network of ${service} as before`);
        },
      ),
    probe: async ({ lab }) => {
      const ok = await isSet(lab);
      return { ok, seen: `${rule}: ${ok ? "set" : "not set"}` };
    },
    remedied: (action, target) =>
      REMEDIES.has(action) && target === service ? ({ lab }) => clear(lab) : undefined,
  };
}

async function inNetworkOf(lab: Lab, service: ServiceName): Promise<string[]> {
  if (process.getuid?.() !== 0) {
    throw new EnvironmentError(
      `Cannot change the network of ${service}: this kind needs root, but uid is ${process.getuid?.()}`,
    );
  }
  return ["nsenter", `--net=/proc/${await pidOf(lab, service)}/ns/net`];
}

/** Drops packets that match an iptables rule, such as `OUTPUT -p udp`. */
export function dropPackets(service: ServiceName, match: string): Fault {
  const [chain = "", ...rest] = match.split(" ");
  const rule = [chain, ...rest, "-j", "DROP"];
  const iptables = (verb: string): string[] => ["iptables", "--wait", "5", verb, ...rule];
  return networkRule({
    service,
    add: iptables("--append"),
    find: iptables("--check"),
    remove: iptables("--delete"),
    rule: `drop ${match}`,
  });
}

/** Delays what a service sends. A kernel without netem refuses it. */
export function delayPackets(service: ServiceName, delayMs: number, jitterMs: number): Fault {
  const tc = (...words: readonly string[]): string[] => ["tc", "qdisc", ...words];
  const netem = ["netem", "delay", `${delayMs}ms`, `${jitterMs}ms`];
  return networkRule({
    service,
    add: tc("add", "dev", "eth0", "root", ...netem),
    find: ["sh", "-c", "tc qdisc show dev eth0 | grep -q netem"],
    remove: tc("del", "dev", "eth0", "root"),
    rule: `delay by ${delayMs} ms, give or take ${jitterMs} ms`,
  });
}

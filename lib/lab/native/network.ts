/** The lab's network: a bridge in its own namespace, and a namespace with a cable per service. */
import { writeFileSync } from "node:fs";
import { mustRun } from "../../base/shell.ts";
import { SERVICES, type ServiceName } from "../../contract/topology.ts";
import { bind } from "../../sandbox/mounts.ts";
import { addressOf, GATEWAY, SUBNET_BITS } from "./layout.ts";

const BRIDGE = "cms0";
const cableOf = (service: ServiceName): string => `v${SERVICES.indexOf(service)}`;

/** Runs a batch of `ip` commands in one process. */
async function ip(commands: readonly string[]): Promise<void> {
  await mustRun(["ip", "-batch", "-"], { stdin: `${commands.join("\n")}\n` });
}

/**
 * Makes the bridge and every service's namespace and cable, and gives them names. Names of
 * namespaces are files below /run, which must be this lab's own.
 */
export async function setUpNetwork(hostsFile: string): Promise<void> {
  await ip([
    "link set lo up",
    // Without a querier, a bridge with multicast snooping drops the members of a multicast group.
    `link add ${BRIDGE} type bridge mcast_snooping 0`,
    `addr add ${GATEWAY}/${SUBNET_BITS} dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
    ...SERVICES.map((service) => `netns add ${service}`),
  ]);
  await ip(SERVICES.flatMap(cableCommands));
  await Promise.all(SERVICES.map(configureInside));
  nameAddresses(hostsFile);
  await bind(hostsFile, "/etc/hosts");
}

/** Connects a service with a fresh cable (a new interface with a new hardware address). */
export async function attach(service: ServiceName): Promise<void> {
  await ip(cableCommands(service));
  await configureInside(service);
}

/** Removes a service's cable; its interface disappears. */
export async function detach(service: ServiceName): Promise<void> {
  await ip([`link del ${cableOf(service)}`]);
}

function cableCommands(service: ServiceName): string[] {
  const cable = cableOf(service);
  return [
    `link add ${cable} type veth peer name eth0 netns ${service}`,
    `link set ${cable} master ${BRIDGE} up`,
  ];
}

async function configureInside(service: ServiceName): Promise<void> {
  const commands = [
    "link set lo up",
    `addr add ${addressOf(service)}/${SUBNET_BITS} dev eth0`,
    "link set eth0 up",
    `route add default via ${GATEWAY}`,
  ];
  await mustRun(["ip", "-n", service, "-batch", "-"], { stdin: `${commands.join("\n")}\n` });
}

function nameAddresses(file: string): void {
  const lines = [
    "127.0.0.1 localhost",
    `${GATEWAY} prometheus telemetry`,
    ...SERVICES.map((service) => `${addressOf(service)} ${service}`),
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
}

/** Bytes that a service's interface has received and sent; zero while detached. */
export function traffic(service: ServiceName, devText: string): { rx: number; tx: number } {
  const line = devText.split("\n").find((text) => text.trim().startsWith(`${cableOf(service)}:`));
  if (line === undefined) return { rx: 0, tx: 0 };
  const numbers = line
    .slice(line.indexOf(":") + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  // The bridge's end sends what the service receives.
  return { rx: numbers[8] ?? 0, tx: numbers[0] ?? 0 };
}

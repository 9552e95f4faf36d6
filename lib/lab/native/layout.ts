/** The layout of a native lab: addresses inside it, ports and files outside. */
import { processEnv } from "../../base/env.ts";
import {
  labPorts,
  type LabPorts,
  SERVICES,
  type ServiceName,
  TOPOLOGY,
} from "../../contract/topology.ts";
import type { Limits } from "./cgroup.ts";

/** The lab's end of the bridge, with Prometheus, the telemetry server and the container facts. */
export const GATEWAY = "10.200.0.1";
export const SUBNET_BITS = 24;
export const PARTS = ["prometheus", "telemetry"] as const;
export type PartName = (typeof PARTS)[number];

/**
 * Limits of the parts, so that no query can exhaust the machine's memory. In a healthy lab
 * Prometheus uses about 100 MiB and the telemetry server 130 MiB, or 200 MiB with five million rows
 * and every query. CPU shares equal a service's; the telemetry server has a lower priority by its
 * nice value.
 */
export const PART_LIMITS: Readonly<Record<PartName, Limits>> = {
  prometheus: { memoryBytes: 768 * 2 ** 20, cpuShares: 1024 },
  telemetry: { memoryBytes: 1024 * 2 ** 20, cpuShares: 1024 },
};

/** Ports on the gateway. */
export const INNER_PORTS = {
  prometheus: 9090,
  /** On the lab's loopback: Prometheus itself, behind the door at the port above. */
  prometheusItself: 9091,
  containers: 9323,
  console: 3000,
  loki: 3100,
  tempo: 3200,
  otlpGrpc: 4317,
  otlpHttp: 4318,
} as const;

/**
 * Word that the daemon writes to the supervisor before closing its input; without it, the daemon
 * was killed.
 */
export const ORDERLY_STOP = "stop";

/** A service's address on the bridge. */
export const addressOf = (service: ServiceName): string =>
  `10.200.0.${11 + SERVICES.indexOf(service)}`;

/** A port on the host's loopback and its target inside the lab. */
export interface Forward {
  readonly hostPort: number;
  readonly address: string;
  readonly port: number;
}

export function forwards(index: number): readonly Forward[] {
  const ports: LabPorts = labPorts(index);
  const gateway = (hostPort: number, port: number): Forward => ({
    hostPort,
    address: GATEWAY,
    port,
  });
  return [
    gateway(ports.console, INNER_PORTS.console),
    gateway(ports.prometheus, INNER_PORTS.prometheus),
    gateway(ports.loki, INNER_PORTS.loki),
    gateway(ports.tempo, INNER_PORTS.tempo),
    gateway(ports.otlpGrpc, INNER_PORTS.otlpGrpc),
    gateway(ports.otlpHttp, INNER_PORTS.otlpHttp),
    {
      hostPort: ports.display,
      address: addressOf("tactical-display"),
      port: TOPOLOGY["tactical-display"].httpPort ?? 0,
    },
    ...SERVICES.map((service) => ({
      hostPort: ports.metrics[service],
      address: addressOf(service),
      port: TOPOLOGY[service].metricsPort,
    })),
  ];
}

/** Files of a lab. Sockets have their own folder, because a socket path has at most 107 bytes. */
export interface Files {
  readonly state: string;
  readonly sockets: string;
  /** Does what the lab's owner asks. */
  readonly control: string;
  /** Only tells the state, to every user. */
  readonly statusSocket: string;
  /** The file with the root of the lab's control groups. */
  readonly groupRoot: string;
  readonly daemonPid: string;
  readonly daemonLog: string;
  readonly ownerToken: string;
  log(name: string): string;
  data(part: PartName): string;
  forward(hostPort: number): string;
}

/** The folder of root's sockets. */
export const ROOTS_RUNTIME = "/run";

/**
 * Where the supervisor sees the folder for sockets and the folder of the lab's state. Only its own
 * user may enter the folder above.
 */
export const APART = "/run/cms-private";

/** The lab's files by the names that the supervisor has for them. */
export const filesApart = (index: number): Files =>
  filesIn(`${APART}/state`, `${APART}/runtime/cms-lab-${index}`);

/** The folder for sockets of this user. */
export function runtimeFolder(): string {
  const uid = process.getuid?.();
  if (uid === 0) return ROOTS_RUNTIME;
  const named = processEnv()["XDG_RUNTIME_DIR"] ?? "";
  return named === "" ? `/run/user/${uid}` : named;
}

export function filesOf(projectDir: string, index: number, runtime = runtimeFolder()): Files {
  return filesIn(`${projectDir}/.lab/${index}`, `${runtime}/cms-lab-${index}`);
}

function filesIn(state: string, sockets: string): Files {
  return {
    state,
    sockets,
    control: `${sockets}/control.sock`,
    statusSocket: `${sockets}/status.sock`,
    groupRoot: `${sockets}/group-root`,
    daemonPid: `${sockets}/daemon.pid`,
    daemonLog: `${state}/logs/daemon.log`,
    ownerToken: `${state}/owner-token`,
    log: (name) => `${state}/logs/${name}.log`,
    data: (part) => `${state}/${part}`,
    forward: (hostPort) => `${sockets}/${hostPort}.sock`,
  };
}

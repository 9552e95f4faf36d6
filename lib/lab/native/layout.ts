/** The layout of a native lab: addresses inside it, ports and files outside. */
import {
  labPorts,
  type LabPorts,
  SERVICES,
  type ServiceName,
  TOPOLOGY,
} from "../../contract/topology.ts";
import type { Limits } from "./cgroup.ts";

/** The lab's own end of the bridge: Prometheus, the telemetry server and the container facts. */
export const GATEWAY = "10.200.0.1";
export const SUBNET_BITS = 24;
export const PARTS = ["prometheus", "telemetry"] as const;
export type PartName = (typeof PARTS)[number];

/**
 * What a part may use. In a healthy lab Prometheus holds about 100 MiB and the telemetry server 130 MiB, and the latter 200 MiB with
 * five million rows and every query; whatever a query makes of them, the rest of the machine does not run out of memory. Shares
 * as for a service: the telemetry server's lower priority is a nice value of its own.
 */
export const PART_LIMITS: Readonly<Record<PartName, Limits>> = {
  prometheus: { memoryBytes: 768 * 2 ** 20, cpuShares: 1024 },
  telemetry: { memoryBytes: 1024 * 2 ** 20, cpuShares: 1024 },
};

/** Ports on the gateway. */
export const INNER_PORTS = {
  prometheus: 9090,
  /** On the lab's own loopback: Prometheus itself, behind the door that is at the port above. */
  prometheusItself: 9091,
  containers: 9323,
  console: 3000,
  loki: 3100,
  tempo: 3200,
  otlpGrpc: 4317,
  otlpHttp: 4318,
} as const;

/**
 * What the daemon writes to the supervisor before it closes its input; without it the daemon was
 * killed.
 */
export const ORDERLY_STOP = "stop";

/** A service's address on the bridge. */
export const addressOf = (service: ServiceName): string =>
  `10.200.0.${11 + SERVICES.indexOf(service)}`;

/** A port on the host's loopback, and where it leads inside the lab. */
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

/**
 * Files of a lab. Sockets have a folder of their own, because the path of a socket has at most 107
 * bytes.
 */
export interface Files {
  readonly state: string;
  readonly sockets: string;
  readonly control: string;
  readonly daemonPid: string;
  readonly daemonLog: string;
  readonly ownerToken: string;
  log(name: string): string;
  data(part: PartName): string;
  forward(hostPort: number): string;
}

export function filesOf(projectDir: string, index: number): Files {
  const state = `${projectDir}/.lab/${index}`;
  const sockets = `/run/cms-lab-${index}`;
  return {
    state,
    sockets,
    control: `${sockets}/control.sock`,
    daemonPid: `${sockets}/daemon.pid`,
    daemonLog: `${state}/logs/daemon.log`,
    ownerToken: `${state}/owner-token`,
    log: (name) => `${state}/logs/${name}.log`,
    data: (part) => `${state}/${part}`,
    forward: (hostPort) => `${sockets}/${hostPort}.sock`,
  };
}

/** The layout of a container lab: project, ports and files. */
import {
  labPorts,
  type LabPorts,
  SERVICES,
  type ServiceName,
  TOPOLOGY,
} from "../../contract/topology.ts";

/** Parts of the compose file that are not CMS services and run as long as the lab. */
export const PARTS = [
  "otel-collector",
  "prometheus",
  "prometheus-door",
  "loki",
  "tempo",
  "grafana",
  "telemetry",
  "runtime-metrics",
  "engine-proxy",
] as const;
export type PartName = (typeof PARTS)[number];

/** The container that writes Prometheus' rules and exits. */
export const ONE_SHOT = "prometheus-rules";

/** The service whose build makes the image of all our containers. */
export const BUILDER = "telemetry";

/** The network of DDS, telemetry and queries; its key in the compose file. */
export const NETWORK = "cms";

/** The compose project of a lab. Lab 0 is the project of a plain `docker compose up`. */
export const projectName = (index: number): string =>
  index === 0 ? "cms-lab" : `cms-lab-${index}`;

export const networkName = (index: number): string => `${projectName(index)}_${NETWORK}`;

/** Word that a program writes to its daemon after it has taken down the lab itself. */
export const ORDERLY_END = "down";

/** Labels that Compose sets on what it creates. */
export const LABEL = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  workingDir: "com.docker.compose.project.working_dir",
  configHash: "com.docker.compose.config-hash",
  lifetime: "cms-lab.lifetime",
  /** On a replaced service: its original settings, and what was changed. */
  replaced: "cms-lab.replaced",
} as const;

/** Ports of a container lab; the telemetry server's console has a port besides Grafana's. */
export interface DockerPorts extends LabPorts {
  readonly telemetry: number;
}

export function dockerPorts(index: number): DockerPorts {
  const ports = labPorts(index);
  return { ...ports, telemetry: ports.console + 1 };
}

/**
 * A published port: the host port, the variable of the compose file that sets it, and its target.
 */
export interface Published {
  readonly variable: string;
  readonly hostPort: number;
  readonly container: ServiceName | PartName;
  readonly port: number;
}

/** Every port that the compose file publishes without a profile. */
export function published(index: number): readonly Published[] {
  const ports = dockerPorts(index);
  const part = (name: string, hostPort: number, container: PartName, port: number): Published => ({
    variable: `CMS_PORT_${name}`,
    hostPort,
    container,
    port,
  });
  return [
    part("CONSOLE", ports.console, "grafana", 3000),
    part("TELEMETRY", ports.telemetry, "telemetry", 3000),
    part("PROMETHEUS", ports.prometheus, "prometheus-door", 9090),
    part("LOKI", ports.loki, "loki", 3100),
    part("TEMPO", ports.tempo, "tempo", 3200),
    part("OTLP_GRPC", ports.otlpGrpc, "otel-collector", 4317),
    part("OTLP_HTTP", ports.otlpHttp, "otel-collector", 4318),
    {
      variable: "CMS_PORT_DISPLAY",
      hostPort: ports.display,
      container: "tactical-display",
      port: TOPOLOGY["tactical-display"].httpPort ?? 0,
    },
    ...SERVICES.map((service) => ({
      variable: `CMS_PORT_${service.toUpperCase().replaceAll("-", "_")}`,
      hostPort: ports.metrics[service],
      container: service,
      port: TOPOLOGY[service].metricsPort,
    })),
  ];
}

/** Files of a lab outside its containers. */
export interface Files {
  readonly folder: string;
  /** The token for the markers; only the telemetry server's container has it. */
  readonly ownerToken: string;
  /** What the last snapshot contains. */
  readonly snapshot: string;
}

export function filesOf(projectDir: string, index: number): Files {
  const folder = `${projectDir}/.lab/docker-${index}`;
  return { folder, ownerToken: `${folder}/owner-token`, snapshot: `${folder}/snapshot` };
}

/** Paths of the store and of its snapshot in the telemetry server's container. */
export const TELEMETRY_STORE = "/data/telemetry/telemetry.sqlite";
export const TELEMETRY_SNAPSHOT = "/data/telemetry/snapshot.sqlite";
export const PROMETHEUS_SNAPSHOTS = "/prometheus/snapshots";

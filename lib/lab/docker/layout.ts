/** Where everything of a container lab is: its project, its ports, its files. */
import {
  labPorts,
  type LabPorts,
  SERVICES,
  type ServiceName,
  TOPOLOGY,
} from "../../contract/topology.ts";

/** The parts of the compose file that are no services of the CMS and run as long as the lab. */
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

/** The one that writes Prometheus' rules, and ends. */
export const ONE_SHOT = "prometheus-rules";

/** The service whose build makes the image of all of ours. */
export const BUILDER = "telemetry";

/** The network that carries DDS, telemetry and every question; its key in the compose file. */
export const NETWORK = "cms";

/** The compose project of a lab. Lab 0 is the one that `docker compose up` starts by itself. */
export const projectName = (index: number): string =>
  index === 0 ? "cms-lab" : `cms-lab-${index}`;

export const networkName = (index: number): string => `${projectName(index)}_${NETWORK}`;

/** What a program tells the daemon of its lab when it has taken the lab down itself. */
export const ORDERLY_END = "down";

/** Labels that Compose puts on what it makes. */
export const LABEL = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  workingDir: "com.docker.compose.project.working_dir",
  configHash: "com.docker.compose.config-hash",
  lifetime: "cms-lab.lifetime",
  /** On a replaced service: what it had before, and what was changed. */
  replaced: "cms-lab.replaced",
} as const;

/** Ports of a container lab: the telemetry server's own console stands beside Grafana. */
export interface DockerPorts extends LabPorts {
  readonly telemetry: number;
}

export function dockerPorts(index: number): DockerPorts {
  const ports = labPorts(index);
  return { ...ports, telemetry: ports.console + 1 };
}

/** A port on the host, the variable of the compose file that sets it, and where it leads. */
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
  /** The secret that opens the markers; in no container but the telemetry server. */
  readonly ownerToken: string;
  /** What was stored, as the last snapshot found it. */
  readonly snapshot: string;
}

export function filesOf(projectDir: string, index: number): Files {
  const folder = `${projectDir}/.lab/docker-${index}`;
  return { folder, ownerToken: `${folder}/owner-token`, snapshot: `${folder}/snapshot` };
}

/** Where the telemetry server's container has its store, and where a snapshot of it is written. */
export const TELEMETRY_STORE = "/data/telemetry/telemetry.sqlite";
export const TELEMETRY_SNAPSHOT = "/data/telemetry/snapshot.sqlite";
export const PROMETHEUS_SNAPSHOTS = "/prometheus/snapshots";

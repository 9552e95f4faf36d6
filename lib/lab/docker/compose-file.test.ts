/**
 * Compares the compose file and its configuration files with the topology, and checks the settings
 * that every container needs.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { FLEET_VARIABLES } from "../../contract/fleet.ts";
import { SERVICE_LIMITS, SERVICES, TOPOLOGY } from "../../contract/topology.ts";
import { prometheusArgv } from "../native/programs.ts";
import { SCRAPE_INTERVAL_SECONDS } from "../native/prometheus-config.ts";
import { BUILDER, ONE_SHOT, PARTS, published } from "./layout.ts";
import { type ComposeService, readComposeFile } from "./testing/compose-file.ts";

const ROOT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const FILE = `${ROOT}/docker-compose.yml`;
const file = readComposeFile(FILE);
const all = Object.entries(file.services);
const standing = all.filter(([, { profiles }]) => profiles === undefined);
const yaml = (path: string): unknown => Bun.YAML.parse(readFileSync(`${ROOT}/${path}`, "utf8"));
const variables = (index: number): Record<string, string> =>
  Object.fromEntries(published(index).map(({ variable, hostPort }) => [variable, `${hostPort}`]));

test("has the eight services, the parts, and what a profile adds", () => {
  expect(standing.map(([name]) => name).toSorted()).toEqual(
    [...SERVICES, ...PARTS, ONE_SHOT].toSorted(),
  );
  const profiles = all.flatMap(([, service]) => service.profiles ?? []);
  expect(profiles.toSorted()).toEqual(["cadvisor", "ollama", "opensre"]);
});

describe.each(SERVICES.map((name) => [name] as const))("%s", (name) => {
  const service = file.services[name] as ComposeService;
  const { metricsPort } = TOPOLOGY[name];

  test("is started by its name from the one image, with its own telemetry name and metrics port", () => {
    expect(service.command).toEqual([name]);
    expect(service.image).toBe("cms-lab:local");
    expect(service.environment).toMatchObject({
      OTEL_SERVICE_NAME: name,
      HEALTH_PORT: String(metricsPort),
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel-collector:4317",
      CMS_DDS_DOMAIN: "0",
    });
  });

  test("is on the network of the lab alone, without privileges, and stays down when it ends", () => {
    expect(service.networks).toEqual(["cms"]);
    expect(service.cap_drop).toEqual(["ALL"]);
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
    expect(service.user).toBeUndefined();
    expect(service.restart).toBe("no");
  });
});

describe.each(all)("%s", (name, service) => {
  test("has a memory limit and a share of the processor, but no quota", () => {
    expect(service.mem_limit).toMatch(/^(\d+[mg]|\$\{CMS_OLLAMA_MEMORY:-8g\})$/);
    expect(service.cpu_shares).toBeGreaterThan(0);
    expect(service.cpus).toBeUndefined();
  });

  test("has a pinned image, or one that is built here", () => {
    expect(service.image).toMatch(/:(local|v?\d+\.\d+\.\d+)$/);
  });

  test("has a health check of its own or of the image, unless there is nothing to ask", () => {
    // The Collector's image holds a single program, which has no health command.
    const without = ["otel-collector", ONE_SHOT, "opensre"];
    const isOurs = service.image === "cms-lab:local" && service.healthcheck === undefined;
    const asks = service.healthcheck?.test !== undefined;
    const askable = isOurs ? service.environment?.["HEALTH_PORT"] !== undefined : asks;
    expect(askable).toBe(!without.includes(name));
  });
});

test("services have the same limits, so that a limit tells nothing", () => {
  for (const name of SERVICES) {
    expect(file.services[name]).toMatchObject({
      mem_limit: `${SERVICE_LIMITS.memoryBytes / 2 ** 20}m`,
      cpu_shares: SERVICE_LIMITS.cpuShares,
    });
  }
});

test("every program that reads the fleet gets the same one", () => {
  const set = Object.fromEntries(FLEET_VARIABLES.map((name) => [name, `of ${name}`]));
  const { services } = readComposeFile(FILE, set);
  for (const name of [...SERVICES, "telemetry", ONE_SHOT]) {
    expect(services[name]?.environment, name).toMatchObject(set);
  }
});

test("one service builds the image for all", () => {
  const builders = standing.filter(([, { build }]) => build !== undefined).map(([name]) => name);
  expect(builders).toEqual([BUILDER]);
});

test.each([0, 4])("lab %d publishes its own ports, on loopback only", (index) => {
  const { services } = readComposeFile(FILE, variables(index));
  const found = Object.entries(services)
    .filter(([, { profiles }]) => profiles === undefined)
    .flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
  const wanted = published(index).map(
    ({ container, hostPort, port }) => `${container} 127.0.0.1:${hostPort}:${port}`,
  );
  expect(found.toSorted()).toEqual(wanted.toSorted());
});

test("without variables it is lab 0", () => {
  expect(readComposeFile(FILE, {})).toEqual(readComposeFile(FILE, variables(0)));
});

test("only the proxy has the engine's socket, and only the exporter reaches the proxy", () => {
  const withSocket = standing.filter(([, { volumes = [] }]) =>
    volumes.some((volume) => volume.includes("docker.sock")),
  );
  expect(withSocket.map(([name]) => name)).toEqual(["engine-proxy"]);
  const onEngineNetwork = all.filter(([, { networks = [] }]) => networks.includes("engine"));
  expect(onEngineNetwork.map(([name]) => name).toSorted()).toEqual([
    "engine-proxy",
    "runtime-metrics",
  ]);
  expect(file.networks["engine"]).toEqual({ internal: true });
});

test("an agent is on no network with a service, or with Prometheus and its admin API", () => {
  for (const [name, { profiles = [], networks }] of all) {
    const isAgent = profiles.includes("opensre") || profiles.includes("ollama");
    if (isAgent) expect(networks, name).toEqual(["agents"]);
  }
  const reached = all.filter(([, { networks = [] }]) => networks.includes("agents"));
  expect(reached.map(([name]) => name).toSorted()).toEqual(["grafana", "ollama", "opensre"]);
});

test("every volume that is named is declared, and every file that is mounted exists", async () => {
  for (const [name, { volumes = [] }] of all) {
    for (const volume of volumes) {
      const source = volume.split(":")[0] ?? "";
      if (source.startsWith("./")) {
        const stat = await Bun.file(`${ROOT}/${source}`).stat();
        expect(stat.size, `${name}: ${source}`).toBeGreaterThan(0);
      } else if (!source.startsWith("/") && !source.startsWith("$")) {
        expect(Object.keys(file.volumes), name).toContain(source);
      }
    }
  }
});

test("Prometheus scrapes every service under the names and at the pace of the native lab", () => {
  const config = yaml("observability/prometheus/prometheus.yml") as {
    global: Record<string, string>;
    scrape_configs: { job_name: string; static_configs?: { targets: string[] }[] }[];
  };
  const services = config.scrape_configs.find(({ job_name }) => job_name === "cms-services");
  expect(services?.static_configs?.[0]?.targets).toEqual(
    SERVICES.map((name) => `${name}:${TOPOLOGY[name].metricsPort}`),
  );
  for (const key of ["scrape_interval", "scrape_timeout", "evaluation_interval"]) {
    expect(config.global[key]).toBe(`${SCRAPE_INTERVAL_SECONDS}s`);
  }
});

test("Prometheus runs under the native lab's limits, and differs by addresses and what is pushed to it", () => {
  const differing =
    /^--(config\.file|storage\.tsdb\.path|storage\.tsdb\.retention\.size|web\.(listen-address|enable-remote-write-receiver))\b/;
  const same = (argv: readonly string[]): string[] =>
    argv.filter((flag) => flag.startsWith("--") && !differing.test(flag)).toSorted();
  const native = prometheusArgv({ data: () => "" }, 2 ** 40);
  // Compose reads two dollar signs as one.
  const here = (file.services["prometheus"]?.command ?? []).map((flag) => flag.replace("$$", "$"));
  expect(same(here)).toEqual(same(native));
  expect(here).toContain("--storage.tsdb.retention.size=2GB");
});

test("what is kept: Prometheus and Tempo for 24 hours, Loki for 168", () => {
  expect(file.services["prometheus"]?.command).toContain("--storage.tsdb.retention.time=24h");
  expect(yaml("observability/loki/config.yaml")).toMatchObject({
    limits_config: { retention_period: "168h" },
    compactor: { retention_enabled: true },
  });
  expect(yaml("observability/tempo/config.yaml")).toMatchObject({
    backend_worker: { compaction: { block_retention: "24h" } },
    backend_scheduler: { provider: { compaction: { compaction: { block_retention: "24h" } } } },
  });
});

test("the Collector sends each signal where it is kept, and traces and logs to our server as well", () => {
  const { service } = yaml("observability/collector/config.yaml") as {
    service: { pipelines: Record<string, { exporters: string[] }> };
  };
  const exporters = Object.fromEntries(
    Object.entries(service.pipelines).map(([signal, pipeline]) => [signal, pipeline.exporters]),
  );
  expect(exporters).toEqual({
    traces: ["otlp/tempo", "otlp/lab"],
    logs: ["otlp_http/loki", "otlp/lab"],
    metrics: ["prometheusremotewrite"],
  });
});

test("the image has the Bun of package.json and the library that the binding was tested with", () => {
  const dockerfile = readFileSync(`${ROOT}/Dockerfile`, "utf8");
  const { packageManager } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8")) as {
    packageManager: string;
  };
  expect(dockerfile).toContain(`ARG BUN_VERSION=${packageManager.replace("bun@", "")}`);
  expect(dockerfile).toContain("ARG DDS_VERSION=0.10.2");
  expect(dockerfile).toMatch(/^USER cms$/m);
  expect(dockerfile).not.toContain("# syntax=");
});

/**
 * The first process of the lab's own namespaces: it builds the network, starts everything, and does what the
 * control socket asks. When it ends, however it ends, the kernel ends all that is inside.
 *
 * `bun lib/lab/native/supervisor.ts <index> <project folder>`. It ends when its standard input closes.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { processEnv } from "../../base/env.ts";
import { messageOf } from "../../base/errors.ts";
import { mustRun } from "../../base/shell.ts";
import { ALERT_RULES_FILE, parseAlertRules } from "../../contract/alert-rules.ts";
import { isServiceName, SERVICES, type ServiceName } from "../../contract/topology.ts";
import { createGroup, removeGroups } from "./cgroup.ts";
import { renderFacts } from "./container-facts.ts";
import { filesOf, forwards, GATEWAY, INNER_PORTS, type PartName, PARTS } from "./layout.ts";
import { ManagedProcess } from "./managed-process.ts";
import { ManagedService, type MakeProgram } from "./managed-service.ts";
import { setUpNetwork } from "./network.ts";
import { prometheusConfig, prometheusRules } from "./prometheus-config.ts";
import { type Operations, serve } from "./protocol.ts";
import { relayIntoLab } from "./relay.ts";

const [indexText = "0", projectDir = "."] = Bun.argv.slice(2);
const index = Number(indexText);
const files = filesOf(projectDir, index);
const BUN = process.execPath;

const CYCLONEDDS_URI =
  '<CycloneDDS><Domain Id="any"><General><Interfaces><NetworkInterface name="eth0"/></Interfaces></General></Domain></CycloneDDS>';

/** Variables that programs of the lab need from outside; nothing else gets in. */
function passedThrough(): Record<string, string> {
  const env = processEnv();
  const names = ["PATH", "HOME", "LANG", "TZ", "CYCLONEDDS_HOME", "LD_LIBRARY_PATH"];
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

/** What opens the console's markers: handed on to the telemetry server alone. */
function ownerToken(): Record<string, string> {
  return { LAB_OWNER_TOKEN: processEnv()["LAB_OWNER_TOKEN"] ?? "" };
}

const serviceProgram: MakeProgram = (service, env) => ({
  argv: [BUN, `services/${service}/main.ts`],
  cwd: projectDir,
  netns: service,
  logPath: files.log(service),
  env: {
    ...passedThrough(),
    CMS_DDS_DOMAIN: "0",
    CYCLONEDDS_URI,
    OTEL_SERVICE_NAME: service,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${GATEWAY}:${INNER_PORTS.otlpGrpc}`,
    ...env,
  },
});

function startPart(name: PartName): ManagedProcess {
  const group = createGroup(index, name);
  group.reset(null);
  return new ManagedProcess({
    argv: partArgv(name),
    cwd: projectDir,
    env: { ...passedThrough(), ...(name === "telemetry" ? ownerToken() : {}) },
    groups: group.folders,
    logPath: files.log(name),
  });
}

function partArgv(name: PartName): string[] {
  if (name === "prometheus") {
    return [
      "prometheus",
      `--config.file=${files.state}/prometheus.yml`,
      `--storage.tsdb.path=${files.data("prometheus")}`,
      "--storage.tsdb.retention.time=24h",
      `--web.listen-address=${GATEWAY}:${INNER_PORTS.prometheus}`,
      // The rules look back two minutes; a series whose target is gone is marked stale at once all the same.
      "--query.lookback-delta=2m",
      "--log.level=warn",
    ];
  }
  return [
    BUN,
    "observability/embedded/main.ts",
    `--data-dir=${files.data("telemetry")}`,
    `--host=${GATEWAY}`,
    `--console-port=${INNER_PORTS.console}`,
    `--loki-port=${INNER_PORTS.loki}`,
    `--tempo-port=${INNER_PORTS.tempo}`,
    `--otlp-grpc-port=${INNER_PORTS.otlpGrpc}`,
    `--otlp-http-port=${INNER_PORTS.otlpHttp}`,
    `--prometheus-url=http://${GATEWAY}:${INNER_PORTS.prometheus}`,
    `--rules-file=${ALERT_RULES_FILE}`,
  ];
}

class Supervisor implements Operations {
  readonly #services = new Map<ServiceName, ManagedService>();
  readonly #parts = new Map<PartName, ManagedProcess>();
  #stopping = false;

  start(name: ServiceName): Promise<void> {
    this.#service(name).start();
    return Promise.resolve();
  }

  stop(name: ServiceName): Promise<void> {
    return this.#service(name).stop();
  }

  replace(...[name, options]: Parameters<Operations["replace"]>): Promise<void> {
    return this.#service(name).replace(options);
  }

  limitCpu(name: ServiceName, cores: number | null): Promise<void> {
    this.#service(name).limitCpu(cores);
    return Promise.resolve();
  }

  detachNetwork(name: ServiceName): Promise<void> {
    return this.#service(name).detach();
  }

  attachNetwork(name: ServiceName): Promise<void> {
    return this.#service(name).attach();
  }

  stats(name: ServiceName): ReturnType<Operations["stats"]> {
    return this.#service(name).stats();
  }

  status(): ReturnType<Operations["status"]> {
    return {
      engine: "native",
      index,
      services: [...this.#services.values()].map((service) => service.state()),
      parts: [...this.#parts].map(([name, part]) => ({
        name,
        state: part.exit === undefined ? "running" : "exited",
        pid: part.exit === undefined ? part.pid : null,
      })),
    };
  }

  /** Starts all programs at once: each waits for what it needs by itself. */
  async begin(): Promise<void> {
    await mustRun(["mount", "--make-rprivate", "/"]);
    writeFileSync(`${files.state}/prometheus.yml`, prometheusConfig(`${files.state}/rules.yml`));
    const rules = parseAlertRules(readFileSync(`${projectDir}/${ALERT_RULES_FILE}`, "utf8"));
    writeFileSync(`${files.state}/rules.yml`, prometheusRules(rules));
    for (const part of PARTS) mkdirSync(files.data(part), { recursive: true });
    await setUpNetwork(`${files.state}/hosts`);
    for (const name of SERVICES) {
      const service = new ManagedService(index, name, serviceProgram);
      this.#services.set(name, service);
      service.start();
    }
    for (const part of PARTS) this.#parts.set(part, startPart(part));
    this.#serveFacts();
    await Promise.all(
      forwards(index).map(({ hostPort, address, port }) =>
        relayIntoLab(files.forward(hostPort), address, port),
      ),
    );
    serve(files.control, this);
  }

  /** Ends everything, removes what the kernel does not, and ends this process. */
  async shutdown(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await Promise.all([
      ...[...this.#services.values()].map((service) => service.kill()),
      ...[...this.#parts.values()].map((part) => part.stop()),
    ]);
    removeGroups(index);
    rmSync(files.sockets, { recursive: true, force: true });
    process.exit(0);
  }

  #serveFacts(): void {
    Bun.serve({
      hostname: GATEWAY,
      port: INNER_PORTS.containers,
      fetch: () => new Response(renderFacts(this.#services.values(), systemClock.nowMs())),
    });
  }

  #service(name: string): ManagedService {
    const service = isServiceName(name) ? this.#services.get(name) : undefined;
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  }
}

const supervisor = new Supervisor();
process.stdin.on("end", () => void supervisor.shutdown());
process.stdin.on("close", () => void supervisor.shutdown());
process.stdin.resume();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => void supervisor.shutdown());
}
try {
  await supervisor.begin();
} catch (error) {
  process.stderr.write(`supervisor: ${messageOf(error)}\n`);
  removeGroups(index);
  process.exit(1);
}

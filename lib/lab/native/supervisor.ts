/**
 * The first process in the lab's namespaces: builds the network, starts all programs, and handles
 * requests on the control socket. When it ends for any reason, the kernel kills all processes
 * inside.
 *
 * `bun lib/lab/native/supervisor.ts <index> <project folder> <runtime folder> [<stand-in>]`. It
 * ends when its standard input closes.
 */
import { chmodSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { processEnv } from "../../base/env.ts";
import { messageOf } from "../../base/errors.ts";
import { underLocalNames } from "../../base/host.ts";
import { giveBack, personBehindSudo } from "../../base/sudo.ts";
import { ALERT_RULES_FILE, parseAlertRules, rulesFor } from "../../contract/alert-rules.ts";
import { readFleet } from "../../contract/fleet.ts";
import { isServiceName, SERVICES, type ServiceName } from "../../contract/topology.ts";
import { keepMountsPrivate, mountEmptyBut } from "../../sandbox/mounts.ts";
import { createGroup } from "./cgroup.ts";
import { confine } from "./confinement.ts";
import { renderFacts } from "./container-facts.ts";
import { removeGroups } from "./group-root.ts";
import {
  APART,
  filesApart,
  filesOf,
  forwards,
  GATEWAY,
  INNER_PORTS,
  ORDERLY_STOP,
  PART_LIMITS,
  type PartName,
  PARTS,
} from "./layout.ts";
import { ManagedProcess } from "./managed-process.ts";
import { ManagedService } from "./managed-service.ts";
import { setUpNetwork } from "./network.ts";
import { partProgram, type ProgramOptions, serviceProgram } from "./programs.ts";
import { servePrometheusDoor } from "./prometheus-door.ts";
import { prometheusConfig, prometheusRules } from "./prometheus-config.ts";
import { type Identity, type Operations, PROTOCOL_VERSION, serve } from "./protocol.ts";
import { relayFromSocket } from "../../sandbox/relay.ts";

const [indexText = "0", projectDir = ".", runtime = "/run", standIn] = Bun.argv.slice(2);
const index = Number(indexText);
const outside = filesOf(projectDir, index, runtime);
const files = filesApart(index);
const groupRoot = readFileSync(outside.groupRoot, "utf8");

const PROMETHEUS_ITSELF = `http://127.0.0.1:${INNER_PORTS.prometheusItself}`;
const SNAPSHOT_TIMEOUT_MS = 20_000;

function startPart(name: PartName, programs: ProgramOptions): ManagedProcess {
  const group = createGroup(groupRoot, index, name);
  group.reset(PART_LIMITS[name]);
  return new ManagedProcess({ ...partProgram(name, programs), groups: group.folders });
}

/** Writes Prometheus' files with paths as seen by Prometheus. */
function writePrometheusFiles(): void {
  const folder = `${files.data("prometheus")}/config`;
  const text = readFileSync(`${projectDir}/${ALERT_RULES_FILE}`, "utf8");
  const rules = rulesFor(parseAlertRules(text), readFleet(processEnv()).targets);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/prometheus.yml`, prometheusConfig("rules.yml"));
  writeFileSync(`${folder}/rules.yml`, prometheusRules(rules));
}

class Supervisor implements Operations {
  readonly #services = new Map<ServiceName, ManagedService>();
  readonly #parts = new Map<PartName, ManagedProcess>();
  /** The last change of each service; changes of one service run in sequence. */
  readonly #changes = new Map<ServiceName, Promise<void>>();
  #programs: ProgramOptions | undefined;
  #stopping = false;

  identity(): Identity {
    const pidNamespace = readlinkSync("/proc/self/ns/pid");
    return { protocol: PROTOCOL_VERSION, projectDir, pidNamespace };
  }

  start(name: ServiceName): Promise<void> {
    return this.#change(name, (service) => service.start());
  }

  stop(name: ServiceName): Promise<void> {
    return this.#change(name, (service) => service.stop());
  }

  replace(...[name, options]: Parameters<Operations["replace"]>): Promise<void> {
    return this.#change(name, (service) => service.replace(options));
  }

  reconfigure(...[name, options]: Parameters<Operations["reconfigure"]>): Promise<void> {
    return this.#change(name, (service) => service.reconfigure(options));
  }

  limitCpu(name: ServiceName, cores: number | null): Promise<void> {
    return this.#change(name, (service) => service.limitCpu(cores));
  }

  detachNetwork(name: ServiceName): Promise<void> {
    return this.#change(name, (service) => service.detach());
  }

  attachNetwork(name: ServiceName): Promise<void> {
    return this.#change(name, (service) => service.attach());
  }

  restartParts(): Promise<void> {
    for (const [name, part] of this.#parts) {
      if (part.exit === undefined || this.#programs === undefined) continue;
      this.#parts.set(name, startPart(name, this.#programs));
    }
    return Promise.resolve();
  }

  stats(name: ServiceName): ReturnType<Operations["stats"]> {
    return this.#service(name).stats();
  }

  /**
   * Lets Prometheus write all its data, including the newest samples, to a new folder; returns the
   * folder's name.
   */
  async snapshotPrometheus(): Promise<string> {
    const reply = await fetch(`${PROMETHEUS_ITSELF}/api/v1/admin/tsdb/snapshot`, {
      method: "POST",
      signal: AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`Prometheus wrote no snapshot: ${reply.status}: ${text}`);
    return (JSON.parse(text) as { data: { name: string } }).data.name;
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

  /** Starts all programs at once; each waits for its own dependencies. */
  async begin(): Promise<void> {
    await keepMountsPrivate();
    // Hides the machine's own sockets as well.
    await mountEmptyBut(
      "/run",
      { state: outside.state, runtime },
      { apart: APART, staging: `${outside.state}/staging` },
    );
    for (const part of PARTS) mkdirSync(files.data(part), { recursive: true });
    writePrometheusFiles();
    await setUpNetwork(`${files.state}/hosts`);
    const confinement = await confine(projectDir, files);
    const programs = { confinement, files, standIn };
    this.#programs = programs;
    for (const name of SERVICES) {
      const service = new ManagedService(
        createGroup(groupRoot, index, name),
        name,
        (service, env) => serviceProgram(service, env, programs),
      );
      this.#services.set(name, service);
      service.start();
    }
    for (const part of PARTS) this.#parts.set(part, startPart(part, programs));
    this.#serveFacts();
    servePrometheusDoor({
      hostname: GATEWAY,
      port: INNER_PORTS.prometheus,
      origin: PROMETHEUS_ITSELF,
    });
    await Promise.all(
      forwards(index).map(({ hostPort, address, port }) =>
        relayFromSocket(files.forward(hostPort), address, port),
      ),
    );
    serve(files.statusSocket, { identity: () => this.identity(), status: () => this.status() });
    // Everybody may ask for the state, and only the owner for more.
    chmodSync(files.statusSocket, 0o666);
    const owner = personBehindSudo(projectDir);
    if (owner !== undefined) giveBack([files.state], owner);
    serve(files.control, this);
    chmodSync(files.control, 0o600);
  }

  /** Ends all processes, removes what the kernel keeps, and exits. */
  async shutdown(daemonIsGone: boolean): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    // Must be first: the next lab may already wait for the groups to empty and create its own
    // sockets. A running daemon removes the folder itself at its end.
    rmSync(daemonIsGone ? files.sockets : files.control, { recursive: true, force: true });
    await Promise.all([
      ...[...this.#services.values()].map((service) => service.kill()),
      ...[...this.#parts.values()].map((part) => part.stop()),
    ]);
    removeGroups(groupRoot, index);
    process.exit(0);
  }

  #serveFacts(): void {
    Bun.serve({
      hostname: GATEWAY,
      port: INNER_PORTS.containers,
      fetch: underLocalNames(
        () => new Response(renderFacts(this.#services.values(), systemClock.nowMs())),
      ),
    });
  }

  async #change(
    name: ServiceName,
    change: (service: ManagedService) => void | Promise<void>,
  ): Promise<void> {
    const service = this.#service(name);
    const before = this.#changes.get(name) ?? Promise.resolve();
    const now = before.then(() => change(service));
    // The caller gets the error of a failed change; the next change runs anyway.
    this.#changes.set(
      name,
      now.catch(() => {}),
    );
    await now;
  }

  #service(name: string): ManagedService {
    const service = isServiceName(name) ? this.#services.get(name) : undefined;
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  }
}

const supervisor = new Supervisor();
let isOrderly = false;
process.stdin.on("data", (chunk) => {
  isOrderly ||= String(chunk).includes(ORDERLY_STOP);
});
for (const event of ["end", "close"] as const) {
  process.stdin.on(event, () => void supervisor.shutdown(!isOrderly));
}
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => void supervisor.shutdown(false));
}
try {
  await supervisor.begin();
} catch (error) {
  process.stderr.write(`supervisor: ${messageOf(error)}\n`);
  removeGroups(groupRoot, index);
  process.exit(1);
}

/**
 * A fake lab that keeps only the states of its services, with a Prometheus that answers
 * accordingly.
 */
import { DEFAULT_FLEET } from "../../../contract/fleet.ts";
import {
  isServiceName,
  labPorts,
  SERVICES,
  type ServiceName,
  serviceOfSensor,
  TOPOLOGY,
} from "../../../contract/topology.ts";
import type { Lab, ReplaceOptions, ServiceState } from "../../../lab/lab.ts";

type Held = { -readonly [Key in keyof ServiceState]: ServiceState[Key] };

/** A fake lab; `calls` lists the calls, and `ups` counts the starts. */
export class HeldLab implements AsyncDisposable {
  readonly calls: string[] = [];
  ups = 0;
  /** If set, `up` throws it. */
  broken: Error | undefined;
  /** If set, this service can no longer be configured. */
  stubborn: ServiceName | undefined;
  readonly #services = new Map<ServiceName, Held>();
  readonly #server = Bun.serve({ port: 0, fetch: (request) => this.#answer(request) });
  #startedMs = 0;
  #isUp = false;

  constructor() {
    this.#reset();
  }

  #reset(): void {
    for (const service of SERVICES) {
      this.#services.set(service, {
        service,
        state: "running",
        pid: 1,
        exitCode: null,
        oomKilled: false,
        startedUnixMs: ++this.#startedMs,
        network: "attached",
        cpuQuotaCores: null,
        memoryLimitBytes: null,
        env: {},
        canonical: true,
      });
    }
  }

  /** The lab as everybody sees it. */
  get lab(): Lab {
    return this as unknown as Lab;
  }

  readonly engine = "native";

  get ports() {
    return { ...labPorts(0), prometheus: this.#server.port ?? 0 };
  }

  async up(): Promise<void> {
    this.ups++;
    if (this.broken !== undefined) throw this.broken;
    this.#reset();
    this.#isUp = true;
    await Promise.resolve();
  }

  async down(): Promise<void> {
    this.#isUp = false;
    await Promise.resolve();
  }

  status() {
    const services = SERVICES.map((service) => this.#shown(service));
    const status = this.#isUp ? { engine: "native", index: 0, services, parts: [] } : null;
    return Promise.resolve(status);
  }

  /** Marks the lab as up without starting it. */
  beUp(): this {
    this.#isUp = true;
    return this;
  }

  /** Changes a state without a recorded call. */
  set(service: ServiceName, changes: Partial<Held>): void {
    Object.assign(this.#held(service), changes);
  }

  state(service: ServiceName): Promise<ServiceState> {
    return Promise.resolve(this.#shown(service));
  }

  start(service: ServiceName): Promise<void> {
    return this.#change(`start ${service}`, service, (held) => {
      held.state = "running";
      held.exitCode = null;
      held.startedUnixMs = ++this.#startedMs;
    });
  }

  stop(service: ServiceName): Promise<void> {
    return this.#change(`stop ${service}`, service, (held) => {
      held.state = "exited";
      held.exitCode = 0;
    });
  }

  replace(service: ServiceName, options: ReplaceOptions = {}): Promise<void> {
    return this.#change(`replace ${service}`, service, (held) => {
      held.cpuQuotaCores = null;
      held.network = "attached";
      this.#configure(held, options);
    });
  }

  reconfigure(service: ServiceName, options: ReplaceOptions): Promise<void> {
    if (service === this.stubborn) return Promise.resolve();
    return this.#change(`reconfigure ${service}`, service, (held) =>
      this.#configure(held, options),
    );
  }

  limitCpu(service: ServiceName, cores: number | null): Promise<void> {
    return this.#change(`quota ${service} ${cores}`, service, (held) => {
      held.cpuQuotaCores = cores;
    });
  }

  detachNetwork(service: ServiceName): Promise<void> {
    return this.#change(`detach ${service}`, service, (held) => {
      held.network = "detached";
    });
  }

  attachNetwork(service: ServiceName): Promise<void> {
    return this.#change(`attach ${service}`, service, (held) => {
      held.network = "attached";
    });
  }

  ownerToken(): undefined {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  #configure(held: Held, { env = {}, memoryLimitBytes = null }: Partial<ServiceState>): void {
    Object.assign(held, { env, memoryLimitBytes, state: "running", exitCode: null });
    held.startedUnixMs = ++this.#startedMs;
  }

  #held(service: ServiceName): Held {
    const held = this.#services.get(service);
    if (held === undefined) throw new Error(`there is no ${service}`);
    return held;
  }

  #shown(service: ServiceName): ServiceState {
    const held = this.#held(service);
    const canonical =
      held.state === "running" &&
      held.network === "attached" &&
      held.cpuQuotaCores === null &&
      held.memoryLimitBytes === null &&
      Object.keys(held.env).length === 0;
    return { ...held, canonical };
  }

  async #change(call: string, service: ServiceName, change: (held: Held) => void): Promise<void> {
    this.calls.push(call);
    change(this.#held(service));
    await Promise.resolve();
  }

  #works(service: ServiceName): boolean {
    const { state, network } = this.#held(service);
    return state === "running" && network === "attached";
  }

  #answer(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname.endsWith("/alerts")) {
      return Response.json({ status: "success", data: { alerts: this.#alerts() } });
    }
    if (pathname.endsWith("/query_range")) {
      return Response.json({ status: "success", data: { resultType: "matrix", result: [] } });
    }
    const value = this.#value(searchParams.get("query") ?? "");
    const result = [{ metric: {}, value: [1, String(value)] }];
    return Response.json({ status: "success", data: { resultType: "vector", result } });
  }

  /** The alert for an absent radar fires at once. */
  #alerts(): unknown[] {
    if (this.#works("radar-sensor")) return [];
    const labels = { alertname: "Sensor down", instance: "radar-sensor:9101" };
    const activeAt = "2026-01-01T00:00:00Z";
    return [{ labels, annotations: {}, state: "firing", activeAt, value: "1" }];
  }

  #value(query: string): number {
    const working = SERVICES.filter((service) => this.#works(service)).length;
    const named = /(?:name|instance)="([a-z-]+)/.exec(query)?.[1] ?? "";
    const service = isServiceName(named) ? named : undefined;
    if (service !== undefined && query.includes('state="exited"')) {
      return Number(this.#held(service).state === "exited");
    }
    if (service !== undefined && query.includes('state="running"')) {
      return Number(this.#held(service).state === "running");
    }
    if (query.startsWith("container_exit_code")) return 0;
    if (query.startsWith("min(min_over_time(up")) return Number(working === SERVICES.length);
    if (query.startsWith("sum(up") || query.includes("min_over_time(up")) return working;
    if (query.startsWith("up{") && service !== undefined) return Number(this.#works(service));
    if (query.includes("count_over_time")) return 40;
    if (query.includes("count(sum by")) return DEFAULT_FLEET.sensors.length;
    if (query.includes("active_tracks")) return DEFAULT_FLEET.targets;
    const sensor = serviceOfSensor(/sensor_id="([\w-]+)"/.exec(query)?.[1] ?? "");
    if (sensor !== undefined) {
      return this.#works(sensor) ? (TOPOLOGY[sensor].nominalRateHz ?? 0) : 0;
    }
    return query.includes("orders") || query.includes("evaluated") ? 2 : 0;
  }
}

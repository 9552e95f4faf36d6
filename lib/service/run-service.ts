/**
 * The life cycle of a service: check the environment, log the start, run, and stop cleanly on
 * SIGTERM or SIGINT. All services share it; a service's main.ts only connects its logic to the bus.
 */
import { type MonotonicClock, systemClock } from "../base/clock.ts";
import { processEnv } from "../base/env.ts";
import {
  asError,
  EnvironmentError,
  EXIT_DEFECT,
  messageOf,
  UserFacingError,
} from "../base/errors.ts";
import { underLocalNames } from "../base/host.ts";
import { type ServiceName, TOPOLOGY } from "../contract/topology.ts";
import { createTelemetry, type Telemetry } from "../telemetry/telemetry.ts";
import { Bus, WRITE_BATCHING, type MessageBus } from "./bus.ts";
import { applyHooks } from "./hooks.ts";
import { currentInterface, type InterfaceVerdict, InterfaceWatch } from "./interface-watch.ts";
import { readSettings, type Settings } from "./settings.ts";

export type HttpHandler = (request: Request) => Response | Promise<Response>;

/** The interface for a service's own code. */
export interface Service {
  readonly name: ServiceName;
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  readonly bus: MessageBus;
  readonly clock: MonotonicClock;
  /** Registers a function for the service's stop; the last registered runs first. */
  onStop(stop: () => void | Promise<void>): void;
  /** Calls `tick` every `periodMs` until the service stops. */
  every(periodMs: number, tick: () => void): void;
  /** Calls `action` once, in `delayMs`, unless the service stops before. */
  after(delayMs: number, action: () => void): void;
  /**
   * Serves HTTP at every address of the service's network namespace until the service stops. Throws
   * EnvironmentError when the port is in use.
   */
  serve(port: number, handle: HttpHandler): void;
}

/**
 * Interval of the endpoint status report and of the check of the network interface, milliseconds.
 */
const HOUSEKEEPING_MS = 1000;

/**
 * Runs a service until it is told to stop. An invalid environment, a missing library or a port in
 * use ends the process with one line and exit code 1. A defect (an uncaught exception or an
 * unhandled rejection) ends it with the log record `service_crashed` and exit code 3.
 */
export async function runService(
  name: ServiceName,
  start: (service: Service) => void | Promise<void>,
): Promise<void> {
  const clock = systemClock;
  const startedMs = clock.monotonicMs();
  let telemetry: Telemetry | undefined;
  try {
    const env = processEnv();
    const settings = readSettings(env);
    telemetry = createTelemetry({ service: name, env, clock, logShare: settings.logShare });
    crashOnDefect(name, telemetry);
    await run(name, settings, telemetry, clock, startedMs, start);
  } catch (error) {
    const expected = error instanceof UserFacingError || (error as Error).name.startsWith("Dds");
    if (!expected && telemetry !== undefined) await crash(name, telemetry, error);
    process.stderr.write(`${name}: ${messageOf(error)}\n`);
    await telemetry?.shutdown();
    process.exit(1);
  }
}

/** Ends the process after a defect, once its log record was sent. */
async function crash(name: ServiceName, telemetry: Telemetry, thrown: unknown): Promise<never> {
  const error = asError(thrown);
  const stack = error.stack ?? error.message;
  process.stderr.write(`${name}: ${stack}\n`);
  telemetry.logger.log("service_crashed", {
    "exception.type": error.name,
    "exception.message": error.message,
    "exception.stacktrace": stack,
  });
  await telemetry.shutdown();
  process.exit(EXIT_DEFECT);
}

function crashOnDefect(name: ServiceName, telemetry: Telemetry): void {
  let crashing = false;
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (thrown: unknown) => {
      if (crashing) return;
      crashing = true;
      void crash(name, telemetry, thrown);
    });
  }
}

async function run(
  name: ServiceName,
  settings: Settings,
  telemetry: Telemetry,
  clock: MonotonicClock,
  startedMs: number,
  start: (service: Service) => void | Promise<void>,
): Promise<void> {
  const { logger } = telemetry;
  logger.log("service_starting", {
    service: name,
    pid: process.pid,
    dds_domain: settings.ddsDomain,
  });
  await clock.sleep(settings.startDelaySeconds * 1000);
  const bus = new Bus({
    domainId: settings.ddsDomain,
    forceQos: settings.forceQos,
    readerQos: settings.readerQos,
    partition: settings.ddsPartition,
    output: settings.output,
    // Fragments are merged in this order; the environment's has precedence.
    configXml: [WRITE_BATCHING, settings.cycloneDdsUri].filter((xml) => xml !== "").join(","),
    telemetry,
  });
  const stops: (() => void | Promise<void>)[] = [];
  const timers = new Set<ReturnType<typeof setTimeout>>();
  stops.push(() => timers.forEach(clearTimeout));
  const service: Service = {
    name,
    settings,
    telemetry,
    bus,
    clock,
    onStop: (stop) => void stops.push(stop),
    every: (periodMs, tick) => {
      const timer = setInterval(tick, periodMs);
      stops.push(() => clearInterval(timer));
    },
    after: (delayMs, action) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        action();
      }, delayMs);
      timers.add(timer);
    },
    serve: (port, handle) => {
      const server = listen(port, handle);
      stops.push(() => server.stop(true));
    },
  };
  const stop = async (reason: string): Promise<never> => {
    logger.log("service_stopping", {
      reason,
      uptime_seconds: Math.round((clock.monotonicMs() - startedMs) / 1000),
    });
    for (const each of stops.toReversed()) await each();
    bus.close();
    await telemetry.shutdown();
    process.exit(0);
  };
  stopOnSignal(telemetry, stop);
  const port = settings.metricsPort ?? TOPOLOGY[name].metricsPort;
  service.serve(port, metricsHandler(telemetry));
  keepHouse(service, bus);
  applyHooks(service);
  await start(service);
}

function stopOnSignal(telemetry: Telemetry, stop: (reason: string) => Promise<never>): void {
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      telemetry.logger.log("signal_received", { signal });
      void stop(signal);
    });
  }
}

function keepHouse(service: Service, bus: Bus): void {
  const { telemetry } = service;
  const watch = new InterfaceWatch(currentInterface());
  const recreations = telemetry.meters.counter("cms_dds_participant_recreations_total");
  let pending: Extract<InterfaceVerdict, { kind: "changed" }> | undefined;
  service.every(HOUSEKEEPING_MS, () => {
    const verdict = watch.look(currentInterface());
    if (verdict.kind === "changed") pending = verdict;
    if (pending !== undefined && bus.recreate()) {
      recreations.add(1);
      telemetry.logger.log("dds_participant_recreated", {
        reason: pending.reason,
        interface: pending.now.name,
        address: pending.now.address,
      });
      pending = undefined;
    }
    bus.report();
  });
}

function listen(port: number, handle: HttpHandler): Bun.Server<undefined> {
  try {
    return Bun.serve({ port, hostname: "0.0.0.0", fetch: underLocalNames(handle) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new EnvironmentError(
      `Cannot listen on port ${port}: it must be free, but another program listens on it`,
      { cause: error },
    );
  }
}

const metricsHandler =
  (telemetry: Telemetry): HttpHandler =>
  async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") return new Response("ok\n");
    if (pathname !== "/metrics") return new Response("not found\n", { status: 404 });
    return new Response(await telemetry.scrape(), {
      headers: { "content-type": telemetry.meters.registry.contentType },
    });
  };

/**
 * Restores a bundle: a new Prometheus on its blocks, the telemetry server on its store, and four
 * doors that pin the time. Needs no root, DDS or namespaces; any number can run at once. It ends
 * with this program.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { UsageError } from "../base/errors.ts";
import { type Alert, AlertSchema } from "../contract/alert.ts";
import type { Bundle } from "./bundle.ts";
import {
  ALERT_ENTRY,
  type BundleManifest,
  RECORDED_ANSWERS,
  RULES_ENTRY,
  STORE_ENTRY,
} from "./bundle-format.ts";
import { openDoor } from "./doors.ts";
import { type PinnedApi, PinnedTime } from "./pinned-time.ts";
import { PROMETHEUS_READY, startServed } from "./programs.ts";
import { MalformedColumnsError, unpackTelemetry } from "./telemetry-columns.ts";
import { makeTemporaryFolder } from "./temporary.ts";

const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

export interface RestoredIncident extends AsyncDisposable {
  readonly manifest: BundleManifest;
  readonly alert: Alert;
  readonly urls: Readonly<Record<PinnedApi, string>>;
  /** Telemetry's clock: fixed at the time of the freeze; sleep() still takes real time. */
  readonly clock: Clock;
}

/**
 * Unpacks the bundle below `root` and starts its engines. Throws UsageError for an incomplete
 * bundle, and EnvironmentError when an engine does not start; then no file or process stays.
 */
export async function restoreIncident(
  bundle: Bundle,
  clock: Clock = systemClock,
  root = tmpdir(),
): Promise<RestoredIncident> {
  const temporary = makeTemporaryFolder(root);
  const stack = new AsyncDisposableStack();
  stack.defer(() => temporary.remove());
  try {
    const folder = join(temporary.path, "incident");
    await bundle.unpack(folder);
    const alert = readAlert(bundle.path, folder);
    const recorded = readRecorded(bundle.path, folder);
    restoreStore(bundle.path, folder);
    const { manifest } = bundle;
    const time = new PinnedTime(manifest.frozen_unix_ms, clock);
    const engine = await startPrometheus(folder, manifest, stack);
    const door = (api: PinnedApi, origin: string): string => {
      const server = openDoor({ api, origin, time, recorded });
      stack.defer(() => server.stop(true));
      return server.url.origin;
    };
    const prometheus = door("prometheus", engine);
    const server = await startTelemetryServer(folder, manifest, prometheus, stack);
    const urls = {
      prometheus,
      loki: door("loki", server.loki),
      tempo: door("tempo", server.tempo),
      grafana: door("grafana", server.console),
    };
    return {
      manifest,
      alert,
      urls,
      clock: { nowMs: () => manifest.frozen_unix_ms, sleep: (...args) => clock.sleep(...args) },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function readAlert(path: string, folder: string): Alert {
  const parsed = AlertSchema.safeParse(readJson(path, folder, ALERT_ENTRY));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `Cannot use the bundle ${path}: ${ALERT_ENTRY}: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}

/** Writes the store where the telemetry server looks for it. */
function restoreStore(path: string, folder: string): void {
  mkdirSync(join(folder, "telemetry"));
  const content = readFileSync(join(folder, STORE_ENTRY));
  try {
    unpackTelemetry(content, join(folder, "telemetry", "telemetry.sqlite"));
  } catch (error) {
    if (!(error instanceof MalformedColumnsError)) throw error;
    throw new UsageError(`Cannot use the bundle ${path}: ${STORE_ENTRY}: ${error.message}`, {
      cause: error,
    });
  }
}

function readRecorded(path: string, folder: string): Record<string, unknown> {
  const names = Object.keys(RECORDED_ANSWERS);
  return Object.fromEntries(names.map((name) => [name, readJson(path, folder, `api/${name}`)]));
}

function readJson(path: string, folder: string, entry: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, entry), "utf8"));
  } catch (error) {
    throw new UsageError(`Cannot use the bundle ${path}: ${entry} is no JSON`, { cause: error });
  }
}

/** Starts Prometheus on the blocks with an empty configuration; returns its address. */
async function startPrometheus(
  folder: string,
  { lookback_delta }: BundleManifest,
  stack: AsyncDisposableStack,
): Promise<string> {
  writeFileSync(join(folder, "prometheus.yml"), "{}\n");
  const served = await startServed({
    name: "prometheus",
    argv: [
      "prometheus",
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=prometheus",
      // Keeps blocks of any age.
      "--storage.tsdb.retention.time=100y",
      "--web.listen-address=127.0.0.1:0",
      `--query.lookback-delta=${lookback_delta}`,
      "--log.level=info",
    ],
    cwd: folder,
    ready: PROMETHEUS_READY,
  });
  stack.use(served);
  return `http://127.0.0.1:${served.match[1]}`;
}

async function startTelemetryServer(
  folder: string,
  { frozen_unix_ms }: BundleManifest,
  prometheusUrl: string,
  stack: AsyncDisposableStack,
): Promise<{ loki: string; tempo: string; console: string }> {
  const free = ["console", "loki", "tempo"].map((name) => `--${name}-port=0`);
  const served = await startServed({
    name: "the telemetry server",
    argv: [
      process.execPath,
      `${PROJECT}/observability/server/main.ts`,
      `--data-dir=${join(folder, "telemetry")}`,
      `--frozen-at=${frozen_unix_ms}`,
      `--rules-file=${join(folder, RULES_ENTRY)}`,
      `--prometheus-url=${prometheusUrl}`,
      ...free,
    ],
    cwd: folder,
    ready: /\{"event":"telemetry_server_ready".*\}/,
  });
  stack.use(served);
  const ports = JSON.parse(served.match[0]) as Record<"loki" | "tempo" | "console", number>;
  return {
    loki: `http://127.0.0.1:${ports.loki}`,
    tempo: `http://127.0.0.1:${ports.tempo}`,
    console: `http://127.0.0.1:${ports.console}`,
  };
}

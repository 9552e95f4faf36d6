/** Real services as processes, each in a network of its own: their ports are fixed. */
import { afterEach, describe, expect, test } from "bun:test";
import { loopbackConfig } from "../../ffi/testing/domain.ts";
import { waitUntil } from "../base/wait.ts";
import { SERVICES, type ServiceName } from "../contract/topology.ts";

const isRoot = process.getuid?.() === 0;
const running = new Set<Bun.Subprocess>();

/** Starts a service; `exec` twice, so that the process started here is the service itself. */
function start(name: ServiceName): { child: Bun.Subprocess; output: { text: string } } {
  const program = new URL(`../../services/${name}/main.ts`, import.meta.url).pathname;
  const script = 'ip link set lo up && exec "$@"';
  const argv = ["unshare", "--net", "sh", "-c", script, "sh", process.execPath, program];
  const child = Bun.spawn(argv, {
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      CYCLONEDDS_URI: loopbackConfig(`stop-${name}`),
      // Nobody listens there: a service stops just as fast without a receiver.
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
    },
    stdout: "pipe",
    stderr: "inherit",
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  running.add(child);
  const output = { text: "" };
  void collect(child.stdout, output);
  return { child, output };
}

async function collect(stream: ReadableStream<Uint8Array>, output: { text: string }) {
  const decoder = new TextDecoder();
  for await (const chunk of stream) output.text += decoder.decode(chunk, { stream: true });
}

const events = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => (JSON.parse(line) as { event: string }).event);

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

describe.skipIf(!isRoot)("a service (as root, for a network of its own)", () => {
  test.each(SERVICES.map((name) => [name] as const))(
    "%s stops on SIGTERM with exit code 0, and says so",
    async (name) => {
      const { child, output } = start(name);
      await waitUntil(
        () => ({ ok: /"dds_(writer|subscriber)_ready"/.test(output.text), seen: output.text }),
        { what: `${name} to be ready`, deadlineMs: 30_000, intervalMs: 20 },
      );
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      await waitUntil(() => ({ ok: output.text.includes("service_stopping"), seen: output.text }), {
        what: "the last lines",
        deadlineMs: 5000,
        intervalMs: 20,
      });
      // Without a receiver, the last export fails and says so among these lines.
      const seen = events(output.text).filter((event) => !event.startsWith("telemetry_"));
      expect(seen[0]).toBe("service_starting");
      expect(seen.slice(-2)).toEqual(["signal_received", "service_stopping"]);
    },
    60_000,
  );

  test("SIGINT stops it too, and a second signal changes nothing", async () => {
    const { child, output } = start("eo-sensor");
    await waitUntil(() => ({ ok: output.text.includes("sensor_started"), seen: output.text }), {
      what: "the sensor to start",
      deadlineMs: 30_000,
      intervalMs: 20,
    });
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await waitUntil(() => ({ ok: output.text.includes("service_stopping"), seen: output.text }), {
      what: "the last lines",
      deadlineMs: 5000,
      intervalMs: 20,
    });
    expect(events(output.text).filter((event) => event === "service_stopping").length).toBe(1);
  }, 60_000);
});

/**
 * Tests how services end: real processes, each in its own network namespace because their ports are
 * fixed.
 */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { loopbackConfig } from "../../ffi/testing/domain.ts";
import { run } from "../base/shell.ts";
import { waitUntil } from "../base/wait.ts";
import { SERVICES, type ServiceName, TOPOLOGY } from "../contract/topology.ts";

const MAX_LIFE_MS = 150_000;
const isRoot = process.getuid?.() === 0;
const running = new Set<Bun.Subprocess>();

const programOf = (name: ServiceName): string =>
  new URL(`../../services/${name}/main.ts`, import.meta.url).pathname;
/**
 * Runs a program in its own network namespace; `exec` twice, so that the process is the program
 * itself.
 */
const inOwnNetwork = (...argv: string[]): string[] => [
  "unshare",
  "--net",
  "sh",
  "-c",
  'ip link set lo up && exec "$@"',
  "sh",
  process.execPath,
  ...argv,
];
const environment = (name: string): Record<string, string> => ({
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  CYCLONEDDS_URI: loopbackConfig(`end-${name}`),
  // No receiver listens there: a service must stop equally fast.
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
});

function start(name: ServiceName): { child: Bun.Subprocess; output: { text: string } } {
  const child = Bun.spawn(inOwnNetwork(programOf(name)), {
    env: environment(name),
    stdout: "pipe",
    stderr: "inherit",
    timeout: MAX_LIFE_MS,
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

describe.skipIf(!isRoot)("a service that is stopped (as root, for a network of its own)", () => {
  test.each(SERVICES.map((name) => [name] as const))(
    "%s stops on SIGTERM with exit code 0, and says so",
    async (name) => {
      const { child, output } = start(name);
      await waitUntil(
        () => ({ ok: /"dds_(writer|subscriber)_ready"/.test(output.text), seen: output.text }),
        { what: `${name} to be ready`, deadlineMs: 60_000, intervalMs: 20 },
      );
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      await waitUntil(() => ({ ok: output.text.includes("service_stopping"), seen: output.text }), {
        what: "the last lines",
        deadlineMs: 60_000,
        intervalMs: 20,
      });
      // Without a receiver, the last export fails and logs that.
      const seen = events(output.text).filter((event) => !event.startsWith("telemetry_"));
      expect(seen[0]).toBe("service_starting");
      expect(seen.slice(-2)).toEqual(["signal_received", "service_stopping"]);
    },
  );

  test("SIGINT stops it too, and a second signal changes nothing", async () => {
    const { child, output } = start("eo-sensor");
    await waitUntil(() => ({ ok: output.text.includes("sensor_started"), seen: output.text }), {
      what: "the sensor to start",
      deadlineMs: 60_000,
      intervalMs: 20,
    });
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await waitUntil(() => ({ ok: output.text.includes("service_stopping"), seen: output.text }), {
      what: "the last lines",
      deadlineMs: 60_000,
      intervalMs: 20,
    });
    expect(events(output.text).filter((event) => event === "service_stopping").length).toBe(1);
  });
});

describe.skipIf(!isRoot)("a service that cannot go on (as root, for a network of its own)", () => {
  const folder = mkdtempSync(`${tmpdir()}/ending-`);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ["eo-sensor", TOPOLOGY["eo-sensor"].metricsPort],
    ["tactical-display", TOPOLOGY["tactical-display"].httpPort ?? 0],
  ] as const)("%s ends with one line when its port %p is in use", async (name, port) => {
    const script = `
        Bun.serve({ port: ${port}, hostname: "0.0.0.0", fetch: () => new Response() });
        const child = Bun.spawn([process.execPath, ${JSON.stringify(programOf(name))}],
          { stdout: "ignore", stderr: "inherit" });
        process.exit(await child.exited);`;
    const { code, stderr } = await run(inOwnNetwork("-e", script), {
      env: environment(name),
      timeoutMs: 60_000,
    });
    expect(stderr).toBe(
      `${name}: Cannot listen on port ${port}: it must be free, but another program listens on it\n`,
    );
    expect(code).toBe(1);
  });

  test.each(["throw", "reject", "start"])(
    "a defect (%s) is an ERROR in the store, with the exception, and exit code 3",
    async (how) => {
      const program = `${import.meta.dir}/testing/crash-store.ts`;
      const { stdout } = await run(inOwnNetwork(program, how, `${folder}/${how}`), {
        env: environment(how),
        timeoutMs: 120_000,
      });
      const { code, stderr, lines } = JSON.parse(stdout) as {
        code: number;
        stderr: string;
        lines: string[];
      };
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        {
          event: "service_crashed",
          level: "ERROR",
          "exception.type": "TypeError",
          "exception.message": "the defect of this test",
          "exception.stacktrace": expect.stringContaining("defective.ts"),
        },
      ]);
      expect(stderr).toStartWith("eo-sensor: TypeError: the defect of this test");
      expect(code).toBe(3);
    },
  );
});

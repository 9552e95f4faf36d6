/**
 * Sends the same telemetry through a real Collector into a real Loki and into this server, sends
 * the same queries to both, and compares the answers. Then logcli reads from this server, and
 * telemetrygen writes to it.
 *
 * Run: bun observability/server/peers/main.ts [--verbose]. Needs otelcol, loki, logcli and
 * telemetrygen on PATH, or in OTELCOL, LOKI, LOGCLI and TELEMETRYGEN. DIFFERENCES lists the known
 * differences with reasons.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../lib/base/clock.ts";
import { runMain } from "../../../lib/base/errors.ts";
import { run } from "../../../lib/base/shell.ts";
import { waitUntil } from "../../../lib/base/wait.ts";
import { parseFlags } from "../flags.ts";
import { startServer, type TelemetryServer } from "../server.ts";
import { ask, difference } from "./compare.ts";
import { CORPUS } from "./corpus.ts";
import { DIFFERENCES } from "./differences.ts";
import { type Fixture, makeFixture } from "./fixture.ts";
import { findPart, type Part, startCollector, startLoki } from "./parts.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function countLines(url: string, { startNs, endNs }: Fixture): Promise<number> {
  const params = new URLSearchParams({
    query: 'sum(count_over_time({service_name=~".+"}[15m]))',
    time: String(endNs + 60_000_000_000n),
    start: String(startNs),
  });
  const reply = await fetch(`${url}/loki/api/v1/query?${params.toString()}`);
  const { data } = (await reply.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

/** Runs all queries; returns the number of answers that differ without a known reason. */
async function compareAll(ours: string, real: string, fixture: Fixture): Promise<number> {
  let same = 0;
  let known = 0;
  let wrong = 0;
  for (const one of CORPUS) {
    const [mine, theirs] = await Promise.all([ask(ours, one, fixture), ask(real, one, fixture)]);
    const found = difference(mine, theirs);
    const reason = DIFFERENCES.find(
      ({ query, path }) => query === one.query && (path ?? one.path) === one.path,
    )?.reason;
    if (found === undefined) {
      same += 1;
      if (reason !== undefined) say(`  no longer differs: ${one.query}`);
    } else if (reason !== undefined) {
      known += 1;
      say(`  known  ${one.query}: ${reason}`);
    } else {
      wrong += 1;
      say(`  DIFFER ${one.path} ${one.query} ${JSON.stringify(one.params ?? {})}\n      ${found}`);
    }
  }
  say(
    `LogQL: ${CORPUS.length} queries, ${same} same, ${known} differ for a known reason, ${wrong} differ`,
  );
  return wrong;
}

async function logcliReads(url: string, fixture: Fixture): Promise<boolean> {
  const from = new Date(Number(fixture.startNs / 1_000_000n)).toISOString();
  const to = new Date(Number(fixture.endNs / 1_000_000n)).toISOString();
  const common = ["--quiet", `--addr=${url}`];
  const query = await run(
    [
      findPart("logcli"),
      ...common,
      "query",
      `--from=${from}`,
      `--to=${to}`,
      "--limit=7",
      "--output=raw",
      '{service_name="radar-sensor"} |= "heartbeat"',
    ],
    { timeoutMs: 30_000 },
  );
  const lines = query.stdout
    .trim()
    .split("\n")
    .filter((line) => line.includes("sensor_heartbeat"));
  const labels = await run(
    [findPart("logcli"), ...common, "labels", `--from=${from}`, `--to=${to}`, "service_name"],
    { timeoutMs: 30_000 },
  );
  const series = await run(
    [
      findPart("logcli"),
      ...common,
      "series",
      `--from=${from}`,
      `--to=${to}`,
      '{service_namespace="cms"}',
    ],
    { timeoutMs: 30_000 },
  );
  const ok =
    lines.length === 7 && labels.stdout.includes("radar-sensor") && series.stdout.includes("cms");
  say(
    `logcli: ${lines.length} of 7 lines, labels ${labels.code === 0}, series ${series.code === 0}`,
  );
  if (!ok) say(`${query.stderr}\n${labels.stderr}\n${series.stderr}\n${series.stdout}`);
  return ok;
}

/** telemetrygen writes to this server, directly and through the Collector. */
async function telemetrygenWrites(server: TelemetryServer, collector: string): Promise<boolean> {
  const count = 200;
  const argv = (signal: string, endpoint: string): string[] => [
    findPart("telemetrygen"),
    signal,
    "--otlp-insecure",
    `--otlp-endpoint=${endpoint}`,
    "--rate=0",
    `--${signal}=${count}`,
    `--service=gen-${endpoint === collector ? "collector" : "direct"}`,
  ];
  const direct = `127.0.0.1:${server.ports.otlpGrpc}`;
  const before = { ...server.store.stats };
  const codes: number[] = [];
  for (const endpoint of [direct, collector]) {
    for (const signal of ["traces", "logs", "metrics"]) {
      const done = await run(argv(signal, endpoint), { timeoutMs: 60_000 });
      codes.push(done.code);
      if (done.code !== 0)
        say(`${signal} to ${endpoint}: exit ${done.code}: ${done.stderr.slice(0, 1500)}`);
    }
  }
  const got = () => ({
    spans: server.store.stats.spans - before.spans,
    logs: server.store.stats.logs - before.logs,
  });
  await waitUntil(
    () => ({
      ok: got().spans >= 4 * count && got().logs >= 2 * count,
      seen: JSON.stringify(got()),
    }),
    { what: "telemetrygen's spans and logs", deadlineMs: 20_000 },
  );
  const search = new URLSearchParams({
    q: '{ resource.service.name = "gen-collector" }',
    limit: "5",
  });
  const found = (await (
    await fetch(`http://127.0.0.1:${server.ports.tempo}/api/search?${search.toString()}`)
  ).json()) as { traces: unknown[] };
  say(
    `telemetrygen: ${JSON.stringify(got())} of {"spans":${4 * count},"logs":${2 * count}}, search finds ${found.traces.length} of 5`,
  );
  return (
    codes.every((code) => code === 0) &&
    got().spans === 4 * count &&
    got().logs === 2 * count &&
    found.traces.length === 5
  );
}

async function main(): Promise<boolean> {
  for (const part of ["otelcol", "loki", "logcli", "telemetrygen"] satisfies Part[]) findPart(part);
  const folder = await mkdtemp(join(tmpdir(), "peers-"));
  const flags = parseFlags([
    `--data-dir=${folder}/ours`,
    "--console-port=0",
    "--loki-port=0",
    "--tempo-port=0",
    "--otlp-grpc-port=0",
    "--otlp-http-port=0",
  ]);
  const server = await startServer(flags, { clock: systemClock, ownerToken: undefined });
  try {
    const loki = await startLoki(folder);
    await using _loki = loki.program;
    const collector = await startCollector(folder, loki.url, server.ports.otlpGrpc);
    await using _collector = collector.program;
    const fixture = makeFixture(systemClock.nowMs());
    const sent = await fetch(`${collector.http}/v1/logs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fixture.request),
    });
    say(`sent ${fixture.lines} lines to the Collector: HTTP ${sent.status}`);
    const ours = `http://127.0.0.1:${server.ports.loki}`;
    for (const [what, url] of [
      ["ours", ours],
      ["Loki", loki.url],
    ] as const) {
      await waitUntil(
        async () => {
          const lines = await countLines(url, fixture);
          return { ok: lines === fixture.lines, seen: `${lines} of ${fixture.lines} lines` };
        },
        { what: `all lines in ${what}`, deadlineMs: 60_000 },
      );
    }
    const wrong = await compareAll(ours, loki.url, fixture);
    const read = await logcliReads(ours, fixture);
    const written = await telemetrygenWrites(server, collector.grpc);
    return wrong === 0 && read && written;
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

await runMain(async () => {
  process.exitCode = (await main()) ? 0 : 1;
});

/**
 * Tests freezing and restoring with a real Prometheus and the real telemetry server, without a lab
 * or root.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { processEnv } from "../base/env.ts";
import { waitUntil } from "../base/wait.ts";
import { type Bundle, openBundle, packBundle, readBundle, writeDurably } from "./bundle.ts";
import { freezeIncident, type FrozenIncident } from "./freeze.ts";
import { type RestoredIncident, restoreIncident } from "./restore.ts";
import { makeTemporaryFolder, removeAbandoned } from "./temporary.ts";
import { RULES_TEXT, SMALL_ALERT, SmallSystem } from "./testing/small-system.ts";
import { unpackedTexts } from "./unpacked-texts.ts";

const folder = mkdtempSync(join(tmpdir(), "incident-test-"));
const hasPrometheus = Bun.which("prometheus") !== null;
let frozen: FrozenIncident;
let bundle: Bundle;
let incident: RestoredIncident;

interface Vector {
  readonly data: {
    readonly result: readonly { metric: Record<string, string>; value: [number, string] }[];
  };
}

const json = async <T>(url: string, init?: RequestInit): Promise<T> =>
  (await (await fetch(url, init)).json()) as T;
const ask = async (query: string, rest = ""): Promise<Vector["data"]["result"]> =>
  (
    await json<Vector>(
      `${incident.urls.prometheus}/api/v1/query?query=${encodeURIComponent(query)}${rest}`,
    )
  ).data.result;

const TRACE = "0af7651916cd43dd8448eb211c80319c";

describe.skipIf(!hasPrometheus)("an incident (needs prometheus)", () => {
  beforeAll(async () => {
    await using system = await SmallSystem.start();
    await system.log("before the freeze", -1);
    await system.log("after the freeze", 60);
    await system.span(TRACE, -1);
    await system.span("f".repeat(32), 60);
    system.mark("stop-process injected");
    await system.break();
    // Exporters send a batch every second, so a line from before the freeze arrives after it.
    system.onStoreAsked = async () => {
      await system.log("under way", -60);
      await system.stores("under way");
    };
    frozen = await freezeIncident({
      lab: system.lab(),
      alert: SMALL_ALERT,
      rulesText: RULES_TEXT,
      versions: { project: "0.1.0", bun: Bun.version },
    });
    writeDurably(join(folder, "a.incident"), await frozen.pack());
    bundle = openBundle(join(folder, "a.incident"));
    incident = await restoreIncident(bundle);
  });
  afterAll(async () => {
    await incident?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test("has the newest samples, the firing alert's series among them, and nothing later", async () => {
    const atMs = bundle.manifest.frozen_unix_ms;
    const firing = await ask('ALERTS{alertname="Broken",alertstate="firing"}');
    expect(firing.map(({ value }) => value)).toEqual([[atMs / 1000, "1"]]);
    const [newest] = await ask(
      'max(timestamp(up) or timestamp(broken) or timestamp({__name__=~"ALERTS.*"}))',
    );
    expect(Number(newest?.value[1]) * 1000).toBeCloseTo(atMs, 0);
    const [moved] = await ask("vector(time())", `&time=${atMs / 1000 + 3600}`);
    expect(moved?.value[1]).toBe(String(atMs / 1000));
    expect(await ask(`broken @ ${atMs / 1000 + 3600}`)).toEqual([]);
    expect(await ask("broken offset -1h")).toEqual([]);
  });

  test("has log lines up to the freeze, and no marker", async () => {
    const lines = await json<{ data: { result: { values: [string, string][] }[] } }>(
      `${incident.urls.loki}/loki/api/v1/query_range?query={service_name=~".%2B"}&start=${systemClock.nowMs() - 600_000}000000&end=${systemClock.nowMs() + 600_000}000000`,
    );
    const texts = lines.data?.result.flatMap(({ values }) => values.map(([, line]) => line)) ?? [];
    expect(texts.toSorted()).toEqual(["before the freeze", "under way"]);
    for (const { where, text } of unpackedTexts(frozen.entries)) {
      expect(text, where).not.toMatch(/injected|markers|after the freeze/);
    }
    const symbols = [...unpackedTexts(frozen.entries)].filter(({ where }) =>
      where.endsWith("/index"),
    );
    expect(symbols.map(({ text }) => text)).toContain("container_state");
  });

  test("answers from the record what a restored engine has forgotten, and refuses by name what it cannot know", async () => {
    const { prometheus, grafana } = incident.urls;
    const { data } = await json<{ data: { alerts: { state: string }[] } }>(
      `${prometheus}/api/v1/alerts`,
    );
    expect(data.alerts.map(({ state }) => state)).toEqual(["firing"]);
    expect(await json(`${prometheus}/api/v1/metadata?metric=broken`)).toMatchObject({
      data: { broken: [{ type: "gauge" }] },
    });
    expect(await json(`${prometheus}/api/v1/targets?state=active`)).toMatchObject({
      data: { activeTargets: [{ health: "up" }] },
    });
    expect(await json(`${prometheus}/api/v1/rules?type=record`)).toMatchObject({
      data: { groups: [] },
    });
    for (const path of ["/federate?match[]=up", "/metrics", "/api/v1/targets?scrapePool=x"]) {
      const refused = await fetch(prometheus + path);
      expect([path, refused.status]).toEqual([path, 501]);
      expect(await refused.text()).toContain("of a recorded incident");
    }
    for (const path of ["/api/v1/admin/tsdb/delete_series?match[]=up", "/-/quit"]) {
      expect((await fetch(prometheus + path, { method: "POST" })).status).toBe(403);
    }
    const rules = await json<{ data: { groups: unknown[] } }>(
      `${grafana}/api/prometheus/grafana/api/v1/rules`,
    );
    expect(rules.data.groups.length).toBeGreaterThan(0);
  });

  test("can be read through its doors, and not be written", async () => {
    const { prometheus, loki, tempo, grafana } = incident.urls;
    const proxy = `${grafana}/api/datasources/proxy/uid`;
    for (const url of [
      `${loki}/otlp/v1/logs`,
      `${loki}/loki/api/v1/push`,
      `${tempo}/v1/traces`,
      `${grafana}/owner/markers`,
      `${grafana}/api/annotations`,
      `${proxy}/loki/otlp/v1/logs`,
      `${proxy}/prometheus/api/v1/write`,
    ]) {
      const headers = { "content-type": "application/json" };
      const reply = await fetch(url, { method: "POST", headers, body: "{}" });
      expect([url, reply.status]).toEqual([url, 403]);
    }
    for (const url of [prometheus, loki, tempo, grafana]) {
      const reply = await fetch(`${url}/ready`, { headers: { origin: "https://evil.example" } });
      expect([url, reply.status]).toEqual([url, 403]);
    }
  });

  test("gives the last minutes before the freeze to who asks by today's clock, by GET, form and proxy", async () => {
    const { prometheus, grafana } = incident.urls;
    const nowS = systemClock.nowMs() / 1000 + 86_400;
    const params = new URLSearchParams({
      query: "count_over_time(broken[1m])",
      start: String(nowS - 30),
      end: String(nowS),
      step: "30",
    });
    const asked = [
      await json(`${prometheus}/api/v1/query_range?${params.toString()}`),
      await json(`${prometheus}/api/v1/query_range`, { method: "POST", body: params }),
      await json(
        `${grafana}/api/datasources/proxy/uid/prometheus/api/v1/query_range?${params.toString()}`,
      ),
    ];
    const [first] = asked as { data: { result: { values: [number, string][] }[] } }[];
    expect(first?.data.result[0]?.values.at(-1)?.[0]).toBe(bundle.manifest.frozen_unix_ms / 1000);
    for (const one of asked) expect(one).toEqual(first);
  });

  test("tells OpenSRE, which asks Grafana by its own clock, what it would have told at the freeze", async () => {
    // Requests of real agents, a day after the recording.
    const nowMs = systemClock.nowMs() + 86_400_000;
    const { grafana } = incident.urls;
    const sources = await json<{ uid: string }[]>(`${grafana}/api/datasources`);
    expect(sources.map(({ uid }) => uid)).toEqual(["prometheus", "loki", "tempo"]);
    const proxy = `${grafana}/api/datasources/proxy/uid`;
    const lines = new URLSearchParams({
      query: '{service_name="radar-sensor"}',
      limit: "100",
      start: `${nowMs - 3_600_000}000000`,
      end: `${nowMs}000000`,
    });
    const logs = await json<{ data: { result: { values: unknown[] }[] } }>(
      `${proxy}/loki/loki/api/v1/query_range?${lines.toString()}`,
    );
    expect(logs.data.result.flatMap(({ values }) => values)).toHaveLength(2);
    expect(await json(`${proxy}/loki/loki/api/v1/label/service_name/values`)).toMatchObject({
      data: ["radar-sensor"],
    });
    const query = `${proxy}/prometheus/api/v1/query?query=broken&time=${nowMs / 1000}`;
    expect((await json<Vector>(query)).data.result[0]?.value).toEqual([
      bundle.manifest.frozen_unix_ms / 1000,
      "1",
    ]);
    const q = encodeURIComponent('{.service.name="radar-sensor"}');
    const found = await json<{ traces: { traceID: string }[] }>(
      `${proxy}/tempo/api/search?q=${q}&limit=20`,
    );
    expect(found.traces.map(({ traceID }) => traceID)).toEqual([TRACE]);
    const trace = await fetch(`${proxy}/tempo/api/traces/${TRACE}`);
    expect(await trace.text()).toContain("sensor.scan.RADAR-1");
    const rules = await fetch(`${grafana}/api/ruler/grafana/api/v1/rules`);
    expect(rules.status).toBe(200);
  });

  test("is the same for the first and the last who examines it, side by side", async () => {
    await using other = await restoreIncident(bundle);
    expect(other.urls.prometheus).not.toBe(incident.urls.prometheus);
    const paths = ['/api/v1/query?query={__name__=~".%2B"}', "/api/v1/alerts", "/api/v1/labels"];
    for (const path of paths) {
      expect(await json(other.urls.prometheus + path)).toEqual(
        await json(incident.urls.prometheus + path),
      );
    }
    const { nowMs } = other.clock;
    expect(nowMs()).toBe(bundle.manifest.frozen_unix_ms);
  });

  test("leaves nothing when it ends, and nothing when a bundle cannot be restored", async () => {
    const root = join(folder, "restored");
    mkdirSync(root);
    const restored = await restoreIncident(bundle, systemClock, root);
    expect(readdirSync(root)).toHaveLength(1);
    await restored[Symbol.asyncDispose]();
    const entries = frozen.entries.map((entry) =>
      entry.path.endsWith("/index") ? { ...entry, content: Buffer.from("no index") } : entry,
    );
    const bytes = await packBundle(frozen.facts, entries);
    const broken = readBundle("b.incident", bytes);
    await expect(restoreIncident(broken, systemClock, root)).rejects.toThrow(
      /Cannot serve the incident: prometheus: it exited with 1/,
    );
    expect(readdirSync(root)).toEqual([]);
  });

  test("killed by SIGKILL, its programs end, and its folder goes at the next start", async () => {
    const root = join(folder, "tmp");
    mkdirSync(root);
    const script = `import { openBundle } from ${JSON.stringify(`${import.meta.dir}/bundle.ts`)};
      import { restoreIncident } from ${JSON.stringify(`${import.meta.dir}/restore.ts`)};
      const incident = await restoreIncident(openBundle(${JSON.stringify(join(folder, "a.incident"))}));
      console.log(incident.urls.prometheus);
      setTimeout(() => incident, 60_000);`;
    const child = Bun.spawn([process.execPath, "-e", script], {
      env: { ...processEnv(), TMPDIR: root },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const { value } = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toStartWith("http://127.0.0.1:");
    const [name = ""] = readdirSync(root);
    removeAbandoned(root, systemClock);
    expect(readdirSync(root)).toEqual([name]);
    const users = (): number =>
      readdirSync("/proc").filter((pid) => {
        try {
          return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(name);
        } catch {
          // The process has ended just now.
          return false;
        }
      }).length;
    expect(users()).toBeGreaterThanOrEqual(2);
    child.kill("SIGKILL");
    await child.exited;
    await waitUntil(() => ({ ok: users() === 0, seen: String(users()) }), {
      what: "the end of what served the incident",
      deadlineMs: 10_000,
      intervalMs: 50,
    });
    removeAbandoned(root, systemClock);
    expect(readdirSync(root)).toEqual([]);
  });
});

test("a folder that lacks its lock is left alone while it is young", () => {
  const root = mkdtempSync(join(tmpdir(), "abandoned-"));
  const young = join(root, "cms-incident-young");
  const old = join(root, "cms-incident-old");
  for (const path of [young, old]) mkdirSync(path);
  utimesSync(old, 1, 1);
  const own = makeTemporaryFolder(root);
  expect(existsSync(old)).toBe(false);
  expect(statSync(young).isDirectory()).toBe(true);
  own.remove();
  expect(existsSync(own.path)).toBe(false);
  rmSync(root, { recursive: true });
});

describe("a wrong Prometheus is refused in one line", () => {
  const bin = mkdtempSync(join(tmpdir(), "wrong-prometheus-"));
  afterAll(() => rmSync(bin, { recursive: true }));
  const check = async (text: string | null): Promise<string> => {
    rmSync(join(bin, "prometheus"), { force: true });
    if (text !== null) {
      await Bun.write(join(bin, "prometheus"), `#!/bin/sh\necho '${text}'\n`);
      Bun.spawnSync(["chmod", "+x", join(bin, "prometheus")]);
    }
    const script = `import { mustHavePrometheus } from ${JSON.stringify(`${import.meta.dir}/programs.ts`)};
      try { console.log("ok", await mustHavePrometheus()); } catch (error) { console.log(error.name, error.message); }`;
    const child = Bun.spawnSync([process.execPath, "-e", script], {
      env: { PATH: `${bin}:/nonexistent` },
    });
    return child.stdout.toString().trim();
  };
  test.each([
    [null, "EnvironmentError Cannot examine incidents: prometheus must be on PATH"],
    ["prometheus, version 1.8.2 (branch: x)", "must be of version 2 or 3, but is 1.8.2"],
    ["I am something else", 'must be of version 2 or 3, but is "I am something else"'],
    ["prometheus, version 3.16.0 (branch: x)", "ok 3.16.0"],
  ])("%p", async (text, said) => {
    const seen = await check(text);
    expect(seen).toContain(said);
    expect(seen).not.toContain("\n");
  });
});

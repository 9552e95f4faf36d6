/**
 * An incident recorded on containers has the format of a native one and can be examined in the same
 * way. Records the same scenario and seed on both engines in turn. Needs root on Linux for the
 * native lab.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../../../base/env.ts";
import { run } from "../../../base/shell.ts";
import { openBundle } from "../../../incident/bundle.ts";
import { INVENTORY_ENTRY, RULES_ENTRY, STORE_ENTRY } from "../../../incident/bundle-format.ts";
import { type RestoredIncident, restoreIncident } from "../../../incident/restore.ts";
import { unpackTelemetry } from "../../../incident/telemetry-columns.ts";
import { readManifests } from "../../../run/artefacts.ts";
import { bundlesIn, readRecording, type Recording } from "../../../run/recorded-incident.ts";
import { runsFolder } from "../../../run/runs-folder.ts";
import { LAB_INDEX } from "./lab-index.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");
const SCENARIO = "sensor-down";
const TIMEOUT_MS = 1_200_000;
const ENGINES = ["docker", "native"] as const;

interface Recorded {
  readonly recording: Recording;
  /** The unpacked entries of the bundle. */
  readonly folder: string;
  readonly restored: RestoredIncident;
}

const folder = mkdtempSync(join(tmpdir(), "recording-"));
const stack = new AsyncDisposableStack();
stack.defer(() => rmSync(folder, { recursive: true, force: true }));
const found: Record<string, Recorded> = {};

async function runner(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run([process.execPath, "runner.ts", ...args], {
    cwd: ROOT,
    env: processEnv(),
    timeoutMs: TIMEOUT_MS / 2,
  });
  expect({ code, said: code === 0 ? "" : stderr.slice(-2000) }).toEqual({ code: 0, said: "" });
}

beforeAll(async () => {
  for (const engine of ENGINES) {
    const into = join(folder, engine);
    const lab = ["--engine", engine, "--lab", String(LAB_INDEX)];
    await runner("record", SCENARIO, ...lab, "--seed", "11", "--into", into);
    const [path = ""] = bundlesIn([into]);
    const bundle = openBundle(path);
    const unpacked = join(folder, `${engine}-unpacked`);
    await bundle.unpack(unpacked);
    const restored = stack.use(await restoreIncident(bundle));
    found[engine] = { recording: readRecording(path).recording, folder: unpacked, restored };
  }
}, TIMEOUT_MS);
afterAll(() => stack.disposeAsync());

/** Examines both recordings and shows the differences. */
async function expectSame(look: (recorded: Recorded) => Promise<readonly string[]>): Promise<void> {
  const [docker = new Set(), native = new Set()] = await Promise.all(
    ENGINES.map(async (engine) => new Set(await look(found[engine] as Recorded))),
  );
  expect(docker.size).toBeGreaterThan(0);
  expect({
    onlyDocker: [...docker.difference(native)],
    onlyNative: [...native.difference(docker)],
  }).toEqual({ onlyDocker: [], onlyNative: [] });
}

const text = ({ folder: from }: Recorded, entry: string): string =>
  readFileSync(join(from, entry), "utf8");

async function ask<T>({ restored }: Recorded, path: string): Promise<T> {
  const reply = await fetch(restored.urls.prometheus + path);
  expect([path, reply.status]).toEqual([path, 200]);
  return ((await reply.json()) as { data: T }).data;
}

test("the bundle has the same kinds of entries, the same rules and the same inventory", async () => {
  await expectSame((recorded) =>
    Promise.resolve(
      recorded.restored.manifest.entries.map(({ path }) =>
        path.replace(/^prometheus\/\w+\//, "prometheus/BLOCK/"),
      ),
    ),
  );
  await expectSame((recorded) =>
    Promise.resolve([text(recorded, RULES_ENTRY), text(recorded, INVENTORY_ENTRY)]),
  );
});

test("the truth says which engine it was, and the versions that its containers have", () => {
  const { docker, native } = found as Record<(typeof ENGINES)[number], Recorded>;
  expect(docker.recording).toMatchObject({ engine: "docker", outcome: { kind: "valid" } });
  expect(native.recording).toMatchObject({ engine: "native", outcome: { kind: "valid" } });
  const steps = ({ recording }: Recorded): string[] => recording.timeline.map(({ name }) => name);
  expect(steps(docker).toSorted()).toEqual(steps(native).toSorted());
  expect(docker.recording.versions["prometheus"]).toMatch(/^\d+\.\d+/);
});

test("the store has the same tables, senders and spans with their attributes, lines with their labels", () =>
  expectSame(({ folder: from }) => {
    const path = join(from, "telemetry.sqlite");
    if (!existsSync(path)) unpackTelemetry(readFileSync(join(from, STORE_ENTRY)), path);
    using store = new Database(path, { readonly: true });
    const column = (sql: string): string[] =>
      store
        .query(sql)
        .values()
        .map((values) => values.join(" "));
    const keys = (table: string, json: string): string =>
      `(SELECT group_concat(key) FROM (SELECT key FROM json_each(${table}.${json}) ORDER BY key))`;
    return Promise.resolve([
      ...column("SELECT sql FROM sqlite_master WHERE type = 'table'"),
      ...column("SELECT DISTINCT service FROM origins"),
      ...column("SELECT DISTINCT spans.name FROM spans"),
      ...column(`SELECT DISTINCT ${keys("origins", "resource")} FROM origins`),
      ...column(`SELECT DISTINCT ${keys("streams", "labels")} FROM streams`),
    ]);
  }));

test.each(["cms-services", "containers", "otlp"])(
  "Prometheus' block has the same metrics and labels of job %s",
  (job) =>
    expectSame(async (recorded) => {
      // A later test compares alerts. The Collector writes `up` for pushed metrics, although
      // nothing scrapes them.
      const others = `scrape_.+|ALERTS.*${job === "otlp" ? "|up" : ""}`;
      const match = encodeURIComponent(`{job="${job}",__name__!~"${others}"}`);
      const series = await ask<Record<string, string>[]>(
        recorded,
        `/api/v1/series?match[]=${match}`,
      );
      return series.map(
        ({ __name__ = "", ...labels }) => `${__name__} ${Object.keys(labels).toSorted().join()}`,
      );
    }),
);

test("the recorded answers show the same alert firing, by the same rules, at the same targets", () =>
  expectSame(async (recorded) => {
    const { alerts } = await ask<{ alerts: { state: string; labels: Record<string, string> }[] }>(
      recorded,
      "/api/v1/alerts",
    );
    const { groups } = await ask<{ groups: { rules: { name: string; query: string }[] }[] }>(
      recorded,
      "/api/v1/rules",
    );
    const { activeTargets } = await ask<{
      activeTargets: { health: string; labels: { job: string; instance: string } }[];
    }>(recorded, "/api/v1/targets");
    return [
      // A busy machine may have others that are pending.
      ...alerts
        .filter(({ state }) => state === "firing")
        .map(({ labels }) => `firing: ${labels["alertname"]}`),
      ...groups.flatMap(({ rules }) => rules.map(({ name, query }) => `${name}: ${query}`)),
      ...activeTargets
        .filter(({ labels }) => labels.job === "cms-services")
        .map(({ health, labels }) => `${labels.instance} ${health}`),
    ];
  }));

test(
  "the baseline makes the same, right diagnosis of both",
  async () => {
    const results = join(folder, "results");
    const bundles = ENGINES.map((engine) => join(folder, engine));
    await runner("examine", ...bundles, "--investigator", "baseline", "--results", results);
    const runs = await readManifests(runsFolder(results));
    expect(
      runs.map(({ manifest }) => `${manifest.engine} ${manifest.score?.correct}`).toSorted(),
    ).toEqual(["docker true", "native true"]);
  },
  TIMEOUT_MS,
);

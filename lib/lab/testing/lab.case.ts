/**
 * The suite that every engine must pass. Uses the lab as scenarios do, through the `Lab` interface
 * and the host ports, and restores it after each test.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createPrometheusClient, type PrometheusClient } from "../../base/prometheus.ts";
import { waitUntil } from "../../base/wait.ts";
import { ALERT_RULES_FILE, parseAlertRules } from "../../contract/alert-rules.ts";
import { SERVICE_LIMITS, SERVICES, type ServiceName } from "../../contract/topology.ts";
import type { Lab } from "../lab.ts";

/** Allows for a loaded machine. */
const DEADLINE_MS = 90_000;
/** How many services have the canonical limits. */
const CANONICAL_LIMITS =
  `count(container_spec_memory_limit_bytes == ${SERVICE_LIMITS.memoryBytes} ` +
  `and container_spec_cpu_shares == ${SERVICE_LIMITS.cpuShares})`;

export interface Skip {
  /** Name of a test in the suite. */
  readonly test: string;
  readonly reason: string;
}

export interface LabSuite {
  readonly makeLab: () => Promise<Lab>;
  readonly skip?: readonly Skip[];
}

interface Ctx {
  readonly lab: Lab;
  readonly prometheus: PrometheusClient;
}

const get = async (port: number, path: string): Promise<string> => {
  const url = `http://127.0.0.1:${port}${path}`;
  return (await fetch(url, { signal: AbortSignal.timeout(5000), keepalive: false })).text();
};

/** Waits until `expr` returns exactly one sample with the value. */
async function untilValue({ prometheus }: Ctx, expr: string, wanted: number): Promise<void> {
  await waitUntil(
    async () => {
      const samples = await prometheus.instant(expr);
      const seen = samples.map(({ value }) => value).join(", ");
      return { ok: samples.length === 1 && samples[0]?.value === wanted, seen: seen || "nothing" };
    },
    { what: `${expr} = ${wanted}`, deadlineMs: DEADLINE_MS },
  );
}

async function untilMetrics({ lab }: Ctx, service: ServiceName, wanted: boolean): Promise<void> {
  await waitUntil(
    async () => {
      const seen = await get(lab.ports.metrics[service], "/metrics").catch(() => undefined);
      return { ok: (seen !== undefined && seen !== "") === wanted, seen: seen ?? "no answer" };
    },
    { what: `metrics of ${service}: ${wanted}`, deadlineMs: DEADLINE_MS },
  );
}

const upOf = (service: ServiceName): string => `up{job="cms-services", instance=~"${service}:.+"}`;

type Case = readonly [name: string, run: (ctx: Ctx) => Promise<void>];

const LIFE: readonly Case[] = [
  [
    "runs every service, canonical, and its parts",
    async ({ lab }) => {
      const status = await lab.status();
      expect(status?.services.map(({ service }) => service)).toEqual([...SERVICES]);
      for (const state of status?.services ?? []) {
        expect(state).toMatchObject({ state: "running", canonical: true, exitCode: null });
        expect(state).toMatchObject({ network: "attached", cpuQuotaCores: null, oomKilled: false });
        expect(state.pid).toBeGreaterThan(0);
      }
      expect(status?.parts.length).toBeGreaterThanOrEqual(2);
      expect(status?.parts.filter(({ state }) => state !== "running")).toEqual([]);
    },
  ],
  [
    "is not started twice",
    async ({ lab }) => {
      const before = await lab.status();
      await lab.up();
      expect(await lab.status()).toEqual(before);
    },
  ],
  [
    "shows every service's metrics on the host, and Prometheus scrapes them",
    async (ctx) => {
      for (const service of SERVICES) {
        await untilMetrics(ctx, service, true);
        await untilValue(ctx, upOf(service), 1);
      }
    },
  ],
  [
    "evaluates every alert rule of the file without an error",
    async ({ lab }) => {
      const text = await get(lab.ports.prometheus, "/api/v1/rules");
      const rules = (
        JSON.parse(text) as {
          data: { groups: { rules: { name: string; lastError?: string }[] }[] };
        }
      ).data.groups.flatMap((group) => group.rules);
      const file = new URL(`../../../${ALERT_RULES_FILE}`, import.meta.url).pathname;
      const titles = parseAlertRules(await Bun.file(file).text()).map(({ title }) => title);
      expect(rules.map(({ name }) => name).toSorted()).toEqual(titles.toSorted());
      expect(rules.filter(({ lastError }) => (lastError ?? "") !== "")).toEqual([]);
    },
  ],
  [
    "keeps what a service prints",
    async ({ lab }) => {
      const text = await lab.logs("eo-sensor", 5);
      expect(text.split("\n").length).toBeLessThanOrEqual(5);
      expect(await lab.logs("eo-sensor", 10_000)).toContain("service_starting");
    },
  ],
  [
    "stops a service on request and starts it again",
    async (ctx) => {
      await ctx.lab.stop("radar-sensor");
      const stopped = await ctx.lab.state("radar-sensor");
      expect(stopped).toMatchObject({ state: "exited", exitCode: 0, pid: null, canonical: false });
      await untilValue(ctx, upOf("radar-sensor"), 0);
      await untilValue(ctx, `container_state{name="radar-sensor",state="exited"}`, 1);
      await untilValue(ctx, `container_exit_code{name="radar-sensor"}`, 0);
      await ctx.lab.start("radar-sensor");
      expect(await ctx.lab.state("radar-sensor")).toMatchObject({ canonical: true });
      await untilValue(ctx, upOf("radar-sensor"), 1);
    },
  ],
];

const FAULTS: readonly Case[] = [
  [
    "replaces a service, and puts the canonical one back",
    async ({ lab }) => {
      const before = await lab.state("esm-sensor");
      await lab.replace("esm-sensor", { env: { PUBLISH_RATE_HZ: "7" } });
      const other = await lab.state("esm-sensor");
      expect(other).toMatchObject({ state: "running", canonical: false });
      expect(other.pid).not.toBe(before.pid);
      await lab.replace("esm-sensor");
      expect(await lab.state("esm-sensor")).toMatchObject({ state: "running", canonical: true });
    },
  ],
  [
    "changes a service's variables, and leaves its processor limit and its network alone",
    async ({ lab }) => {
      await lab.replace("eo-sensor", { env: { PUBLISH_RATE_HZ: "3" } });
      await lab.limitCpu("eo-sensor", 0.5);
      await lab.detachNetwork("eo-sensor");
      const before = await lab.state("eo-sensor");
      expect(before).toMatchObject({ env: { PUBLISH_RATE_HZ: "3" } });
      await lab.reconfigure("eo-sensor", { memoryLimitBytes: 2 ** 28 });
      const after = await lab.state("eo-sensor");
      expect(after).toMatchObject({ env: {}, memoryLimitBytes: 2 ** 28 });
      expect(after).toMatchObject({ cpuQuotaCores: 0.5, network: "detached", canonical: false });
      expect(after.startedUnixMs).toBeGreaterThan(before.startedUnixMs);
      await lab.replace("eo-sensor");
      expect(await lab.state("eo-sensor")).toMatchObject({ env: {}, canonical: true });
    },
  ],
  [
    "limits the processor of a running service, and lifts the limit",
    async (ctx) => {
      const { lab } = ctx;
      // Exceeds the limit while starting.
      await lab.replace("track-fusion");
      const { pid } = await lab.state("track-fusion");
      await lab.limitCpu("track-fusion", 0.05);
      expect(await lab.state("track-fusion")).toMatchObject({ pid, cpuQuotaCores: 0.05 });
      await waitUntil(
        async () => {
          const { throttledSeconds } = await lab.stats("track-fusion");
          return { ok: throttledSeconds > 1, seen: `${throttledSeconds} s` };
        },
        { what: "the kernel to hold it back for a second", deadlineMs: DEADLINE_MS },
      );
      await untilValue(ctx, `container_spec_cpu_quota{name="track-fusion"}`, 5000);
      // The kernel's minimum is 1 ms per period, so a smaller share needs a longer period.
      await lab.limitCpu("track-fusion", 0.004);
      await untilValue(ctx, `container_spec_cpu_quota{name="track-fusion"}`, 1000);
      await untilValue(ctx, `container_spec_cpu_period{name="track-fusion"}`, 250_000);
      await lab.limitCpu("track-fusion", null);
      await untilValue(ctx, `container_spec_cpu_quota{name="track-fusion"}`, 0);
      expect(await lab.state("track-fusion")).toMatchObject({ pid, cpuQuotaCores: null });
    },
  ],
  [
    "limits memory, and tells a kill by the kernel from an exit",
    async (ctx) => {
      const { lab } = ctx;
      const env = { CMS_LEAK_RATE_BYTES: String(2 ** 20) };
      await lab.replace("track-fusion", { env, memoryLimitBytes: 96 * 2 ** 20 });
      await waitUntil(
        async () => {
          const { state } = await lab.state("track-fusion");
          return { ok: state === "exited", seen: state };
        },
        { what: "the kernel to kill it", deadlineMs: DEADLINE_MS },
      );
      expect(await lab.state("track-fusion")).toMatchObject({ oomKilled: true, exitCode: 137 });
      expect((await lab.stats("track-fusion")).oomKills).toBeGreaterThan(0);
      await untilValue(ctx, `container_spec_memory_limit_bytes{name="track-fusion"}`, 96 * 2 ** 20);
      await untilValue(ctx, `container_oom_events_total{name="track-fusion"} > bool 0`, 1);
      await lab.replace("track-fusion");
      await untilValue(ctx, CANONICAL_LIMITS, SERVICES.length);
      const healed = await lab.state("track-fusion");
      expect(healed).toMatchObject({ canonical: true, oomKilled: false, memoryLimitBytes: null });
    },
  ],
  [
    "cuts a running service off the network, and connects it again",
    async (ctx) => {
      const { lab } = ctx;
      await untilMetrics(ctx, "esm-sensor", true);
      const { pid } = await lab.state("esm-sensor");
      await lab.detachNetwork("esm-sensor");
      await lab.detachNetwork("esm-sensor");
      expect(await lab.state("esm-sensor")).toMatchObject({
        state: "running",
        pid,
        network: "detached",
        canonical: false,
      });
      await untilMetrics(ctx, "esm-sensor", false);
      await untilValue(ctx, upOf("esm-sensor"), 0);
      await untilValue(ctx, `container_state{name="esm-sensor",state="running"}`, 1);
      await lab.attachNetwork("esm-sensor");
      await untilMetrics(ctx, "esm-sensor", true);
      expect(await lab.state("esm-sensor")).toMatchObject({ pid, canonical: true });
      await untilValue(ctx, upOf("esm-sensor"), 1);
    },
  ],
  [
    "notices a service that was killed",
    async ({ lab }) => {
      const { pid } = await lab.state("eo-sensor");
      process.kill(pid ?? 0, "SIGKILL");
      await waitUntil(
        async () => {
          const { state } = await lab.state("eo-sensor");
          return { ok: state === "exited", seen: state };
        },
        { what: "the lab to notice", deadlineMs: DEADLINE_MS },
      );
      expect(await lab.state("eo-sensor")).toMatchObject({ exitCode: 137, oomKilled: false });
    },
  ],
  [
    "has the whole picture again after a network partition",
    async (ctx) => {
      const { lab } = ctx;
      const bySensor = `sum(rate(cms_fusion_ingested_total{sensor_id="ESM-2"}[6s])) > bool 10`;
      await untilValue(ctx, bySensor, 1);
      await lab.detachNetwork("esm-sensor");
      // Longer than the DDS lease of ten seconds, so that the peers remove it.
      await untilValue(ctx, `max_over_time(${upOf("esm-sensor")}[14s])`, 0);
      await lab.attachNetwork("esm-sensor");
      await untilValue(ctx, bySensor, 1);
    },
  ],
  [
    "makes everything canonical on up",
    async ({ lab }) => {
      await Promise.all([
        lab.stop("radar-sensor"),
        lab.replace("esm-sensor", { env: { PUBLISH_RATE_HZ: "7" } }),
        lab.limitCpu("command-center", 0.5),
        lab.detachNetwork("threat-evaluator"),
      ]);
      const progress: string[] = [];
      await lab.up({ onProgress: (line) => progress.push(line) });
      const status = await lab.status();
      expect(status?.services.filter(({ canonical }) => !canonical)).toEqual([]);
      expect(progress.filter((line) => line.includes("canonical"))).toHaveLength(4);
    },
  ],
];

const REFUSALS: readonly Case[] = [
  [
    "refuses a quota that is none, and says the rule and the value",
    async ({ lab }) => {
      for (const cores of [0, -1, 0.0009, 65, Number.NaN]) {
        await expect(lab.limitCpu("track-fusion", cores)).rejects.toThrow(/quota must be/);
      }
      expect(await lab.state("track-fusion")).toMatchObject({ cpuQuotaCores: null });
    },
  ],
  [
    "refuses a memory limit that is none",
    async ({ lab }) => {
      for (const memoryLimitBytes of [0, -1, 1.5]) {
        const refused = lab.replace("track-fusion", { memoryLimitBytes });
        await expect(refused).rejects.toThrow(/memory limit must be/);
      }
      expect(await lab.state("track-fusion")).toMatchObject({ canonical: true });
    },
  ],
  [
    "refuses a service that does not exist",
    async ({ lab }) => {
      await expect(lab.stop("no-such" as ServiceName)).rejects.toThrow(/no service .*no-such/);
    },
  ],
];

/**
 * Runs the suite. Test names contain the engine's name; skipped tests are shown with their reasons.
 */
export function runLabSuite(suite: LabSuite): void {
  const { makeLab, skip = [] } = suite;
  const cases = [...LIFE, ...FAULTS, ...REFUSALS];
  const unknown = skip.find((entry) => !cases.some(([name]) => name === entry.test));
  if (unknown !== undefined) throw new Error(`there is no test ${unknown.test} to skip`);
  let ctx: Ctx;
  beforeAll(async () => {
    const lab = await makeLab();
    await lab.up();
    const prometheus = createPrometheusClient(`http://127.0.0.1:${lab.ports.prometheus}`);
    ctx = { lab, prometheus };
  });
  beforeEach(async () => {
    await ctx.lab.up();
  });
  afterAll(async () => {
    await ctx.lab.down();
    expect(await ctx.lab.status()).toBeNull();
  });
  for (const [name, run] of cases) {
    const reason = skip.find((entry) => entry.test === name)?.reason;
    if (reason === undefined) test(name, () => run(ctx));
    else test.skip(`${name} (${reason})`, () => {});
  }
}

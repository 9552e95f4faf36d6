import { describe, expect, test } from "bun:test";
import type { Container } from "./engine.ts";
import { LABEL } from "./layout.ts";
import { cpuLimits, replacement, stateOf, statsOf } from "./service-container.ts";
import { containerOf } from "./testing/fake-engine.ts";

interface Created {
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: Container["HostConfig"] & { readonly MemorySwap: number };
  readonly NetworkingConfig: { readonly EndpointsConfig: Readonly<Record<string, unknown>> };
}

const NETWORK = "cms-lab_cms";
const replaced = (container: Container, options: Parameters<typeof replacement>[2] = {}): Created =>
  replacement("esm-sensor", container, options, NETWORK) as Created;

/** The container that the engine makes from a create request. */
const made = ({ Env, Labels, HostConfig }: Created): Container => {
  const container = containerOf("esm-sensor");
  return { ...container, Config: { ...container.Config, Env, Labels }, HostConfig };
};

describe("stateOf()", () => {
  test("a running container as Compose started it is canonical", () => {
    expect(stateOf("esm-sensor", containerOf("esm-sensor"))).toEqual({
      service: "esm-sensor",
      state: "running",
      pid: 42,
      exitCode: null,
      oomKilled: false,
      startedUnixMs: Date.UTC(2026, 0, 1) + 500,
      network: "attached",
      cpuQuotaCores: null,
      memoryLimitBytes: null,
      env: {},
      canonical: true,
    });
  });

  test.each([
    ["exited", { state: { Running: false, ExitCode: 143 } }, { exitCode: 143, pid: null }],
    ["killed for memory", { state: { Running: false, OOMKilled: true } }, { oomKilled: true }],
    ["off the network", { networks: [] }, { network: "detached" }],
    ["held back", { host: { CpuQuota: 5000, CpuPeriod: 100_000 } }, { cpuQuotaCores: 0.05 }],
    ["held back by default periods", { host: { CpuQuota: 50_000 } }, { cpuQuotaCores: 0.5 }],
  ] as const)("%s is not canonical", (_, changes, wanted) => {
    const state = stateOf("esm-sensor", containerOf("esm-sensor", changes));
    expect(state).toMatchObject({ ...wanted, canonical: false });
  });

  test("a lifted quota is none", () => {
    const lifted = containerOf("esm-sensor", { host: { CpuQuota: -1, CpuPeriod: 100_000 } });
    expect(stateOf("esm-sensor", lifted)).toMatchObject({ cpuQuotaCores: null, canonical: true });
  });
});

describe("replacement()", () => {
  test("puts variables on top of the canonical ones, and says so on the container", () => {
    const body = replaced(containerOf("esm-sensor"), { env: { CMS_DDS_DOMAIN: "7", NEW: "1" } });
    expect(body.Env).toEqual(["PATH=/bin", "CMS_DDS_DOMAIN=7", "NEW=1"]);
    expect(body.Labels[LABEL.configHash]).not.toBe("hash");
    const env = { CMS_DDS_DOMAIN: "7", NEW: "1" };
    expect(stateOf("esm-sensor", made(body))).toMatchObject({ env, canonical: false });
  });

  test("limits memory without swap, and shows the limit as the service's own", () => {
    const body = replaced(containerOf("esm-sensor"), { memoryLimitBytes: 2 ** 25 });
    expect(body.HostConfig).toMatchObject({ Memory: 2 ** 25, MemorySwap: 2 ** 25 });
    const state = stateOf("esm-sensor", made(body));
    expect(state).toMatchObject({ memoryLimitBytes: 2 ** 25, canonical: false });
  });

  test("with no options gives back exactly what Compose started, after any number of changes", () => {
    const canonical = containerOf("esm-sensor");
    const once = made(replaced(canonical, { env: { PATH: "/x" }, memoryLimitBytes: 2 ** 25 }));
    const twice = made(replaced(once, { env: { OTHER: "2" } }));
    const healed = replaced(twice);
    expect(healed.Env).toEqual(canonical.Config.Env ?? []);
    expect(healed.Labels).toEqual(canonical.Config.Labels);
    expect(healed.HostConfig.Memory).toBe(canonical.HostConfig.Memory);
    expect(stateOf("esm-sensor", made(healed))).toMatchObject({ canonical: true });
  });

  test("lifts a quota and attaches the network again", () => {
    const broken = containerOf("esm-sensor", { networks: [], host: { CpuQuota: 5000 } });
    const body = replaced(broken);
    expect(body.HostConfig).toMatchObject({ CpuQuota: 0, CpuPeriod: 0 });
    expect(body.NetworkingConfig.EndpointsConfig).toEqual({
      [NETWORK]: { Aliases: ["esm-sensor"] },
    });
  });
});

test("cpuLimits() lifts with -1, because the engine takes 0 for no change", () => {
  expect(cpuLimits(null).CpuQuota).toBe(-1);
  expect(cpuLimits(0.05)).toEqual({ CpuPeriod: 100_000, CpuQuota: 5000 });
  // The kernel's minimum quota is 1 ms per period.
  expect(cpuLimits(0.004)).toEqual({ CpuPeriod: 250_000, CpuQuota: 1000 });
});

test("statsOf() reads what the engine counts, and zeros of what has ended", () => {
  const stats = {
    cpu_stats: {
      cpu_usage: { total_usage: 2_500_000_000 },
      throttling_data: { throttled_time: 1_500_000_000 },
    },
    memory_stats: { usage: 1000 },
  };
  expect(statsOf(containerOf("x"), stats)).toEqual({
    cpuSeconds: 2.5,
    memoryBytes: 1000,
    throttledSeconds: 1.5,
    oomKills: 0,
  });
  expect(statsOf(containerOf("x", { state: { OOMKilled: true } }), {})).toEqual({
    cpuSeconds: 0,
    memoryBytes: 0,
    throttledSeconds: 0,
    oomKills: 1,
  });
});

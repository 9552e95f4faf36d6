/** Tests the faults on a fake lab that keeps the state of one service. */
import { describe, expect, test } from "bun:test";
import type { PrometheusClient } from "../../lib/base/prometheus.ts";
import type { Lab, ReplaceOptions } from "../../lib/lab/lab.ts";
import type { Fault } from "../define.ts";
import { cpuQuota } from "./cpu-quota.ts";
import { detachNetwork } from "./detach-network.ts";
import { none } from "./none.ts";
import { replaceService } from "./replace-service.ts";
import { stopProcess } from "./stop-process.ts";

const CANONICAL = {
  state: "running",
  network: "attached",
  cpuQuotaCores: null as number | null,
  replaced: false,
};

/** A fake lab with one service; throws on a log line that contains `failAt`. */
function heldLab(failAt?: string) {
  const service = { ...CANONICAL };
  const change = (fields: Partial<typeof service>) => () =>
    Promise.resolve(void Object.assign(service, fields));
  const lab = {
    start: change({ state: "running" }),
    stop: change({ state: "exited" }),
    detachNetwork: change({ network: "detached" }),
    attachNetwork: change({ network: "attached" }),
    limitCpu: (_: string, cores: number | null) => change({ cpuQuotaCores: cores })(),
    replace: (_: string, options?: ReplaceOptions) =>
      change({ state: "running", replaced: options !== undefined })(),
    state: () => Promise.resolve({ ...service, exitCode: 0 }),
  } as unknown as Lab;
  const prometheus = {
    instant: () => Promise.resolve([{ metric: {}, value: 0.02 }]),
  } as unknown as PrometheusClient;
  const said: string[] = [];
  const log = (line: string): void => {
    said.push(line);
    if (failAt !== undefined && line.includes(failAt)) throw new Error("cannot write the log");
  };
  return { service, said, context: { lab, prometheus, log } };
}

const SERVICE = "track-fusion";
/** Each fault, and a part of the line that it logs after its change. */
const FAULTS: readonly (readonly [string, Fault, string])[] = [
  ["stop-process", stopProcess({ service: SERVICE }), "ended with"],
  ["detach-network", detachNetwork({ service: SERVICE }), "detached"],
  ["replace-service", replaceService({ service: SERVICE, env: { A: "1" } }), "replaced by one"],
  [
    "replace-service after a while",
    replaceService({ service: SERVICE, env: { A: "1" }, awayUntil: "gone" }),
    "replaced by one",
  ],
  ["cpu-quota", cpuQuota({ service: SERVICE, shareOfUsage: 0.5, keepsUp: "1" }), "is limited to"],
];

describe.each(FAULTS)("%s", (_, fault, changed) => {
  test("changes the service, and its healer may be called twice", async () => {
    const { service, context } = heldLab();
    const heal = await fault.inject(context);
    expect(service).not.toEqual(CANONICAL);
    await heal(context.log);
    await heal(context.log);
    expect(service).toEqual(CANONICAL);
  });

  test("undoes its change when it fails halfway, and throws what failed", async () => {
    const { service, said, context } = heldLab(changed);
    await expect(fault.inject(context)).rejects.toThrow("cannot write the log");
    expect(said.some((line) => line.includes(changed))).toBe(true);
    expect(service).toEqual(CANONICAL);
  });
});

test("none changes nothing", async () => {
  const { service, said, context } = heldLab();
  await (
    await none().inject(context)
  )(context.log);
  expect(service).toEqual(CANONICAL);
  expect(said).toEqual(["nothing to change", "nothing to undo"]);
});

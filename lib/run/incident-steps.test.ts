/** The steps of an incident and their deadlines, against a simulated system. */
import { afterEach, describe, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ManualClock, type MonotonicClock, systemClock } from "../base/clock.ts";
import { CancelledError } from "../base/errors.ts";
import { labPorts } from "../contract/topology.ts";
import { random } from "../investigate/floors/random.ts";
import type { Lab } from "../lab/lab.ts";
import type { Fault, Healer } from "../../scenarios/define.ts";
import { loadScenario, type Scenario } from "../../scenarios/load.ts";
import { type Incident, type IncidentOptions, runIncident } from "./incident.ts";
import { BUDGET } from "./investigators.ts";
import { readRules } from "./rules.ts";
import { silent } from "./testing/silent.ts";

const template = await loadScenario("sensor-down");

/** The step that fails; none when absent. */
type Trouble =
  | "already up"
  | "up"
  | "baseline"
  | "inject"
  | "inject hangs"
  | "inject ends late"
  | "no healer"
  | "heal fails"
  | "probe"
  | "signature"
  | "alert"
  | "signature-after"
  | "heal"
  | "resolve"
  | "recover"
  // The alert expires by itself, and everything looks healthy, but the fault was never removed.
  | "signature stays";

/** A clock that advances by 20 s between two looks, so that waits take no real time. */
let hastyMs = 0;
const hasty: MonotonicClock = {
  ...systemClock,
  nowMs: () => 1_700_000_000_000 + hastyMs,
  monotonicMs: () => (hastyMs += 20_000),
};

const servers: { stop(force: boolean): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

/** Simulates Prometheus and a lab: healthy, broken or healed as the run demands. */
class PlayedSystem {
  readonly calls: string[] = [];
  broken = false;
  readonly #trouble: Trouble | undefined;
  readonly #server = Bun.serve({ port: 0, fetch: (request) => this.#answer(request) });

  constructor(trouble?: Trouble) {
    this.#trouble = trouble;
    servers.push(this.#server);
  }

  has(trouble: Trouble): boolean {
    return this.#trouble === trouble;
  }

  #answer(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname.endsWith("/alerts")) {
      return Response.json({ status: "success", data: { alerts: this.#alerts() } });
    }
    const query = searchParams.get("query") ?? "";
    const metric = {};
    if (pathname.endsWith("/query_range")) {
      const values = [
        [1, "NaN"],
        [3, "1"],
      ];
      const result = [{ metric, values }];
      return Response.json({ status: "success", data: { resultType: "matrix", result } });
    }
    const result = [{ metric, value: [1, String(this.#value(query))] }];
    return Response.json({ status: "success", data: { resultType: "vector", result } });
  }

  #value(query: string): number {
    if (query.includes("count_over_time")) return 40;
    if (query.startsWith("min(min_over_time(up{")) return 1;
    if (query.includes("up{")) return 8;
    const healed = this.calls.includes("heal");
    const sick = this.has("baseline") || (healed && this.has("recover"));
    return sick ? 2 : 3;
  }

  #alerts(): unknown[] {
    const stuck = this.calls.includes("heal") && this.has("resolve");
    if ((!this.broken || this.has("alert")) && !stuck) return [];
    const labels = { alertname: "Sensor down", instance: "radar-sensor:9101" };
    const activeAt = "2026-01-01T00:00:00Z";
    return [{ labels, annotations: {}, state: "firing", activeAt, value: "1" }];
  }

  lab(): Lab {
    const lab = {
      engine: "native",
      ports: { ...labPorts(0), prometheus: this.#server.port },
      ownerToken: () => undefined,
      status: () => Promise.resolve(this.has("already up") ? { index: 0 } : null),
      up: () => {
        this.calls.push("up");
        return this.has("up") ? Promise.reject(new Error("a defect")) : Promise.resolve();
      },
      down: () => Promise.resolve(void this.calls.push("down")),
      stop: (name: string) => Promise.resolve(void this.calls.push(`stop ${name}`)),
      start: (name: string) => Promise.resolve(void this.calls.push(`start ${name}`)),
    };
    return lab as unknown as Lab;
  }

  scenario(): Scenario {
    let looks = 0;
    const short = 40;
    const deadlines = { ...template.deadlines };
    for (const name of Object.keys(deadlines) as (keyof typeof deadlines)[]) {
      deadlines[name] = this.#trouble === undefined ? 10_000 : short;
    }
    return {
      ...template,
      deadlines,
      fault: {
        kind: "played",
        parameters: {},
        inject: ({ signal }) => {
          this.calls.push("inject");
          if (this.has("inject")) return Promise.reject(new TypeError("a defect of the fault"));
          if (this.has("inject hangs")) return new Promise(() => {});
          if (this.has("no healer")) return Promise.resolve(undefined as unknown as Healer);
          this.broken = true;
          const healer: Healer = (log) => {
            this.calls.push("heal");
            if (this.has("heal fails")) return Promise.reject(new Error("no way back"));
            log("healed");
            if (this.has("heal")) return new Promise(() => {});
            this.broken = false;
            return Promise.resolve();
          };
          if (!this.has("inject ends late")) return Promise.resolve(healer);
          // The fault stops on its signal, after its change was made.
          return new Promise((resolve) => {
            signal?.addEventListener("abort", () => resolve(healer));
          });
        },
        probe: () => Promise.resolve({ ok: !this.has("probe"), seen: "probed" }),
      },
      signature: {
        describe: "it is played",
        holds: () => {
          looks++;
          const lost = this.has("signature-after") && looks > 1;
          const isHealed = this.calls.includes("heal") && !this.has("signature stays");
          const ok = !this.has("signature") && !lost && !isHealed;
          return Promise.resolve({ ok, seen: `look ${looks}` });
        },
      },
    };
  }

  run(
    scenario: Scenario = this.scenario(),
    options: Partial<IncidentOptions> = {},
  ): Promise<Incident> {
    return runIncident(scenario, {
      lab: this.lab(),
      rules: readRules(),
      investigators: [random],
      budget: BUDGET,
      seed: 1,
      keepTelemetry: false,
      signal: new AbortController().signal,
      progress: silent,
      clock: hasty,
      ...options,
    });
  }
}

describe("an incident", () => {
  test("proves every step in order, and leaves nothing running", async () => {
    const system = new PlayedSystem();
    const incident = await system.run();
    expect(incident.outcome).toEqual({ kind: "valid" });
    expect(incident.timeline.map(({ name }) => name).toSorted()).toEqual([
      "alert-firing",
      "alert-pending",
      "alert-resolved",
      "baseline",
      "heal",
      "inject",
      "investigation-end",
      "investigation-start",
      "recovered",
      "signature",
      "signature-after",
      "signature-gone",
      "up",
    ]);
    expect(system.calls).toEqual(["up", "inject", "heal", "down"]);
    expect(incident.cleanupLog.join()).toContain("healed");
    expect(incident.looks).toHaveLength(1);
    expect(incident.metricPoints).toEqual([[3000, 1]]);
  });

  test.each([
    ["already up", "up", "somebody has started this one meanwhile", 0],
    ["baseline", "baseline", "a healthy baseline after 0.0 s: last seen sensors publishing 2", 0],
    ["inject hangs", "inject", "Gave up on injecting played after 0.0 s", 0],
    ["probe", "inject", "the fault in force after 0.0 s: last seen probed", 0],
    ["signature", "signature and alert", "it is played after 0.0 s: last seen look", 0],
    ["alert", "signature and alert", "alert Sensor down firing after 0.0 s: last seen inactive", 0],
    ["signature-after", "signature-after", "it is played after 0.0 s: last seen look", 1],
    ["heal", "heal", "Gave up on healing played after 0.0 s", 1],
    ["resolve", "recovery", "alert Sensor down resolved after 0.0 s: last seen firing", 1],
    ["recover", "recovery", "recovery after 0.0 s: last seen repaired", 1],
    ["signature stays", "recovery", "the signature to be false again: it is played after 0.0 s", 1],
  ] as const)("%s: its own deadline makes the run invalid in phase %s", async (trouble, ...row) => {
    const [phase, reason, looks] = row;
    const system = new PlayedSystem(trouble);
    const incident = await system.run();
    expect(incident.outcome).toMatchObject({ kind: "environment-invalid", phase });
    expect(incident.outcome).toMatchObject({ reason: expect.stringContaining(reason) });
    expect(incident.looks).toHaveLength(looks);
    expect(system.calls.includes("down")).toBe(trouble !== "already up");
    expect(incident.runLog.join("\n")).toContain(`failed in phase ${phase}`);
  });

  test.each(["up", "inject"] as const)(
    "%s: an error of no known class is ours",
    async (trouble) => {
      const incident = await new PlayedSystem(trouble).run();
      expect(incident.outcome).toMatchObject({
        kind: "harness-defect",
        reason: expect.stringContaining("a defect"),
      });
    },
  );

  test("a harmless change comes between two proofs of the baseline, before the fault", async () => {
    const system = new PlayedSystem();
    const benign = { kind: "restart", services: ["eo-sensor"] } as const;
    const incident = await system.run(system.scenario(), { benign });
    expect(incident.outcome).toEqual({ kind: "valid" });
    const calls = ["up", "stop eo-sensor", "start eo-sensor", "inject", "heal", "down"];
    expect(system.calls).toEqual(calls);
    const log = incident.runLog.join("\n");
    expect(log.match(/proven: a healthy baseline/g)).toHaveLength(2);
    expect(log).toContain("a harmless restart of eo-sensor");
  });

  test("the second of two accepted alerts is enough", async () => {
    const system = new PlayedSystem();
    const [usual] = template.alerts;
    if (usual === undefined) throw new Error("the scenario has no alert");
    const alerts = [{ uid: "picture-stale", labels: {} }, usual];
    const incident = await system.run({ ...system.scenario(), alerts });
    expect(incident.outcome).toEqual({ kind: "valid" });
    expect(incident.alert?.alert_name).toBe("Sensor down");
    expect(incident.runLog.join("\n")).toContain("alert Picture stale or Sensor down firing");
  });

  test("an investigation after the alert has resolved sees a healed system", async () => {
    const system = new PlayedSystem();
    const incident = await system.run({ ...system.scenario(), investigate: "after-resolved" });
    const names = incident.timeline.map(({ name }) => name);
    expect(incident.outcome).toEqual({ kind: "valid" });
    expect(names.indexOf("heal")).toBeLessThan(names.indexOf("investigation-start"));
    expect(names.indexOf("alert-resolved")).toBeLessThan(names.indexOf("investigation-start"));
    expect(names).not.toContain("signature-after");
  });

  test("an alert that gives the scenario away is a defect of ours", async () => {
    const system = new PlayedSystem();
    const commonLabels = { ...template.alertTemplate.commonLabels, cause: "played" };
    const alertTemplate = { ...template.alertTemplate, commonLabels };
    const incident = await system.run({ ...system.scenario(), alertTemplate });
    expect(incident.outcome).toMatchObject({
      kind: "harness-defect",
      reason: expect.stringContaining('The alert gives the scenario away: it has "played"'),
    });
  });
});

describe("a clock that is set, or a machine that is suspended", () => {
  test.each([
    [-60_000, "back by 60.0 s"],
    [31_536_000_000, "forward by 31536000.0 s"],
  ])("a step of %d ms makes the run invalid, whatever was answered", async (ms, said) => {
    const clock = new ManualClock(1_700_000_000_000);
    const system = new PlayedSystem();
    const onFiring = (): Promise<void> => {
      clock.setWall(ms);
      return Promise.resolve();
    };
    // Time must pass between the repair and the check.
    const passing = {
      ...systemClock,
      nowMs: () => clock.nowMs(),
      monotonicMs: () => {
        clock.advance(20_000);
        return clock.monotonicMs() - 20_000;
      },
    };
    const incident = await system.run(undefined, { clock: passing, onFiring });
    expect(incident.outcome).toMatchObject({
      kind: "environment-invalid",
      reason: expect.stringContaining(said),
    });
    expect(system.calls).toEqual(["up", "inject", "heal", "down"]);
  });

  test("ends the step that goes on, long before its deadline", async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const system = new PlayedSystem("alert");
    const scenario = system.scenario();
    const deadlines = { ...scenario.deadlines, alertMs: 60_000 };
    const onHealthy = (): Promise<void> => {
      setTimeout(() => clock.setWall(5000), 50);
      return Promise.resolve();
    };
    const incident = await system.run({ ...scenario, deadlines }, { clock, onHealthy });
    expect(incident.outcome).toMatchObject({
      phase: "signature and alert",
      reason: expect.stringContaining("forward by 5.0 s"),
    });
    expect(system.calls).toEqual(["up", "inject", "heal", "down"]);
  }, 10_000);
});

describe("however a run ends, its fault is healed before the lab goes down", () => {
  test.each([
    ["probe", ["up", "inject", "heal", "down"]],
    ["signature", ["up", "inject", "heal", "down"]],
    ["alert", ["up", "inject", "heal", "down"]],
    ["signature-after", ["up", "inject", "heal", "down"]],
    ["resolve", ["up", "inject", "heal", "down"]],
    ["inject ends late", ["up", "inject", "heal", "down"]],
    // A fault whose injection fails undoes its own part; one whose injection hangs has no healer
    // yet.
    ["inject", ["up", "inject", "down"]],
    ["inject hangs", ["up", "inject", "down"]],
    ["no healer", ["up", "inject", "down"]],
    // A healer that failed or hangs is not called again, and does not keep the lab up.
    ["heal fails", ["up", "inject", "heal", "down"]],
    ["heal", ["up", "inject", "heal", "down"]],
  ] as const)("%s: %j", async (trouble, calls) => {
    const system = new PlayedSystem(trouble);
    const incident = await system.run();
    expect(incident.outcome.kind).not.toBe("valid");
    expect(system.calls).toEqual([...calls]);
  });

  test("a healer that fails at the end is in the log, and the first failure is the outcome", async () => {
    const system = new PlayedSystem("alert");
    const scenario = system.scenario();
    const { fault } = scenario;
    const inject: Fault["inject"] = async (context) => {
      await fault.inject(context);
      return () => Promise.reject(new Error("no way back"));
    };
    const incident = await system.run({ ...scenario, fault: { ...fault, inject } });
    expect(incident.outcome).toMatchObject({ phase: "signature and alert" });
    expect(incident.cleanupLog.join()).toContain("not healed: no way back");
    expect(system.calls).toEqual(["up", "inject", "down"]);
  });

  test("a run without a healer is a defect that names the fault", async () => {
    const { outcome } = await new PlayedSystem("no healer").run();
    expect(outcome).toMatchObject({
      kind: "harness-defect",
      reason: expect.stringContaining("Fault played must return its healer"),
    });
  });

  test("Ctrl-C while the fault is in force heals it", async () => {
    const system = new PlayedSystem();
    const stop = new AbortController();
    const onFiring = (): Promise<void> => {
      stop.abort(new CancelledError("Stopped by SIGINT"));
      return Promise.resolve();
    };
    const running = system.run(undefined, { signal: stop.signal, onFiring });
    await expect(running).rejects.toThrow(CancelledError);
    expect(system.calls).toEqual(["up", "inject", "heal", "down"]);
  });

  test("Ctrl-C does not wait for an injection that hangs until its deadline", async () => {
    const system = new PlayedSystem("inject hangs");
    const scenario = system.scenario();
    const deadlines = { ...scenario.deadlines, injectMs: 60_000 };
    const stop = new AbortController();
    const running = system.run({ ...scenario, deadlines }, { signal: stop.signal });
    setTimeout(() => stop.abort(new CancelledError("Stopped by SIGINT")), 50);
    await expect(running).rejects.toThrow(CancelledError);
    expect(system.calls).toEqual(["up", "inject", "down"]);
  }, 5000);

  test("a loop of the fault that nothing stops cannot reach the next lab", async () => {
    const system = new PlayedSystem("alert");
    const scenario = system.scenario();
    const lab = { ...system.lab(), stop: () => Promise.resolve(void system.calls.push("stop")) };
    let failed = false;
    let rounds = 0;
    const inject: Fault["inject"] = (context) => {
      void (async () => {
        try {
          for (; rounds < 1000; rounds++) {
            await context.lab.stop("radar-sensor");
            await sleep(1);
          }
        } catch {
          failed = true;
        }
      })();
      return scenario.fault.inject(context);
    };
    await system.run({ ...scenario, fault: { ...scenario.fault, inject } }, { lab });
    const stops = system.calls.filter((call) => call === "stop").length;
    expect(stops).toBeGreaterThan(0);
    await sleep(50);
    expect(system.calls.filter((call) => call === "stop")).toHaveLength(stops);
    expect([system.calls.at(-1), failed]).toEqual(["down", true]);
  });

  test("what goes on in a fault hears of the end of the run", async () => {
    const system = new PlayedSystem();
    const scenario = system.scenario();
    let signal: AbortSignal | undefined;
    const inject: Fault["inject"] = (context) => {
      ({ signal } = context);
      return scenario.fault.inject(context);
    };
    await system.run({ ...scenario, fault: { ...scenario.fault, inject } });
    expect(signal?.aborted).toBe(true);
  });
});

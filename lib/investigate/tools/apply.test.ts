import { describe, expect, test } from "bun:test";
import type { Actuator } from "../investigator.ts";
import { MAX_STEPS } from "./apply.ts";
import { Toolset } from "./toolset.ts";

const URLS = { grafana: "", prometheus: "", loki: "", tempo: "" };

/** Tools with an actuator that only counts. */
function acting() {
  const applied: string[] = [];
  const actuator: Actuator = {
    preview: ({ action, target }) => {
      if (target === "host") throw new RangeError("it needs a service");
      return `${action} ${target}`;
    },
    apply: async ({ action, target }) => {
      applied.push(`${action} ${target}`);
      return Promise.resolve("carried out");
    },
  };
  const tools = new Toolset({ urls: URLS, actuator });
  const apply = async (action: string, target: string, dry_run: boolean) => {
    const { ok, answer } = await tools.call("apply", { action, target, dry_run });
    return { ok, answer };
  };
  return { tools, apply, applied };
}

describe("apply", () => {
  test("is there only for an investigator that may act", () => {
    expect(new Toolset({ urls: URLS }).names).not.toContain("apply");
    expect(acting().tools.names).toContain("apply");
    expect(
      acting()
        .tools.describe()
        .map(({ name }) => name),
    ).toContain("apply");
  });

  test("needs a dry run of the same remedy before each step", async () => {
    const { apply, applied } = acting();
    const early = await apply("restart_service", "eo-sensor", false);
    expect(early).toEqual({
      ok: false,
      answer: "each step needs a dry run of the same remedy first",
    });
    expect(await apply("restart_service", "eo-sensor", true)).toMatchObject({ ok: true });
    expect(await apply("restart_service", "esm-sensor", false)).toMatchObject({ ok: false });
    expect(applied).toEqual([]);
    expect(await apply("restart_service", "eo-sensor", false)).toMatchObject({ ok: true });
    // The dry run has been used.
    expect(await apply("restart_service", "eo-sensor", false)).toMatchObject({ ok: false });
    expect(applied).toEqual(["restart_service eo-sensor"]);
  });

  test("makes at most three steps, and the same one again if asked", async () => {
    const { apply, applied } = acting();
    for (let i = 0; i < MAX_STEPS; i++) {
      await apply("restart_service", "eo-sensor", true);
      expect(await apply("restart_service", "eo-sensor", false)).toMatchObject({ ok: true });
    }
    await apply("restart_service", "eo-sensor", true);
    const fourth = await apply("restart_service", "eo-sensor", false);
    expect(fourth).toEqual({ ok: false, answer: "at most 3 steps are allowed" });
    expect(applied).toHaveLength(MAX_STEPS);
  });

  test("is recorded, also what was refused", async () => {
    const { tools, apply } = acting();
    await apply("restart_service", "host", true);
    await apply("reboot", "eo-sensor", true);
    await apply("start_service", "eo-sensor", true);
    expect(tools.records.map(({ tool, ok }) => [tool, ok])).toEqual([
      ["apply", false],
      ["apply", false],
      ["apply", true],
    ]);
    expect(tools.records[0]?.answer).toBe("it needs a service");
    expect(tools.records[2]?.answer).toContain("would start_service eo-sensor");
  });
});

import { describe, expect, test } from "bun:test";
import { baseline } from "../baseline/baseline.ts";
import { createInvestigator, withoutPillars } from "../registry.ts";
import { type Withheld, withheldFrom, withholding } from "./withhold.ts";

const urls = {
  grafana: "http://g",
  prometheus: "http://p",
  loki: "http://l",
  tempo: "http://t",
};
const NAMES = ["up", "container_state", "cms_dds_matched_endpoints", "otlp_cms_dds_x", "cms_a"];

/** The names that come through, or the error. */
async function seen(withheld: readonly Withheld[], url: string): Promise<unknown> {
  const answer = {
    status: "success",
    data: { resultType: "vector", result: NAMES.map((name) => ({ metric: { __name__: name } })) },
  };
  const get = withholding(withheld, urls, () => Promise.resolve(answer));
  try {
    const body = (await get(url, undefined)) as typeof answer;
    return body.data.result.map(({ metric }) => metric.__name__);
  } catch (error) {
    return (error as Error).message;
  }
}
const query = (promql: string): string =>
  `http://p/api/v1/query?query=${encodeURIComponent(promql)}`;

describe("withholding()", () => {
  test("logs and traces are refused by name, the rest goes through", async () => {
    expect(await seen(["logs"], "http://l/loki/api/v1/query")).toContain("logs are withheld");
    expect(await seen(["traces"], "http://t/api/search")).toContain("traces are withheld");
    expect(await seen(["logs"], "http://t/api/search")).toEqual(NAMES);
    expect(await seen(["logs"], query("container_state"))).toEqual(NAMES);
  });

  test("a metric that is withheld has no data, wherever it stands in a query", async () => {
    expect(await seen(["runtime"], query("container_state"))).toEqual([]);
    expect(await seen(["dds"], query("sum(rate(otlp_cms_dds_x[1m])) or up"))).toEqual([]);
    expect(await seen(["dds"], query("cms_a"))).toEqual(NAMES);
  });

  test("a pattern of names finds nothing of it, and nothing without a name", async () => {
    expect(await seen(["runtime", "dds"], query('{__name__=~".+"}'))).toEqual(["up", "cms_a"]);
  });
});

test("a list names pillars, each once", () => {
  expect(withheldFrom("dds,logs")).toEqual(["logs", "dds"]);
  for (const bad of ["", "metrics", "logs,logs", "logs,"]) {
    expect(() => withheldFrom(bad)).toThrow("it must be some of logs,traces,runtime,dds");
  }
});

test("an investigator without pillars says so, and a program with its own access is refused", () => {
  expect(withoutPillars(baseline, ["logs", "dds"]).name).toBe("baseline+without-logs-dds");
  const program = createInvestigator("exec:true");
  expect(() => withoutPillars(program, ["logs"])).toThrow("Cannot withhold logs from exec:");
});

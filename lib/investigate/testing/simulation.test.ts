import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ENTAILMENTS } from "../faults/registry.ts";
import { entailmentQuery } from "../hypotheses/entailment.ts";
import { SIMULATED_INCIDENTS } from "./incidents.ts";
import { Simulation } from "./simulation.ts";

const simulation = await Simulation.start(SIMULATED_INCIDENTS.map(({ system }) => system));
afterAll(() => simulation[Symbol.asyncDispose]());
// The tests run hundreds of queries, which takes long on a busy machine.
setDefaultTimeout(60_000);

/** The same query in another form: matchers as patterns, spaces, a factor of one. */
const reworded = (query: string): string =>
  `1 *\n (${query.replaceAll('="', '=~"').replaceAll(",", " , ").replaceAll("(", "( ")})`;

describe("a reworded query gets the same answer", () => {
  test.each(SIMULATED_INCIDENTS.map((incident) => [incident.name, incident] as const))(
    "%s",
    async (_, { system, service, faultClass }) => {
      const tools = simulation.of(system).toolbox();
      const ask = async (query: string) => {
        const { ok, facts } = await tools.call("promql", { query });
        return { ok, values: facts.map(({ value }) => Number(value).toPrecision(9)) };
      };
      const answers = [];
      for (const claim of ENTAILMENTS[faultClass]) {
        const query = entailmentQuery(claim, service);
        expect(reworded(query)).not.toBe(query);
        const answer = await ask(query);
        expect(await ask(reworded(query))).toEqual(answer);
        answers.push(...answer.values);
      }
      expect(answers.length).toBeGreaterThan(2);
    },
  );
});

describe("a simulation", () => {
  const [gone, reachable] = SIMULATED_INCIDENTS;
  if (gone === undefined || reachable === undefined) throw new Error("there are no incidents");

  test("keeps systems apart that its servers hold together", async () => {
    const query = 'container_state{name="eo-sensor",state="exited"}';
    const states = [gone, reachable].map(async ({ system }) => {
      const { facts } = await simulation.of(system).toolbox().call("promql", { query });
      return facts.map(({ value }) => value);
    });
    expect(await Promise.all(states)).toEqual([[1], [0]]);
  });

  test("answers what no query of ours asks", async () => {
    const tools = simulation.of(gone.system).toolbox();
    const query = "count by (state) (container_state == 1)";
    const { facts } = await tools.call("promql", { query });
    const counts = Object.fromEntries(facts.map(({ labels, value }) => [labels["state"], value]));
    expect(counts).toEqual({ exited: 1, running: 7 });
    const wrong = await tools.call("promql", { query: "sum(" });
    expect(wrong).toMatchObject({ ok: false, error: expect.stringContaining("parse error") });
  });

  test("has the logs of its services, and no alert where nothing is wrong", async () => {
    const { toolbox } = simulation.of(gone.system);
    const logged = await toolbox().call("logql", {
      query: '{service_name="eo-sensor"} | json | event="service_stopping"',
    });
    expect(logged.facts.map(({ signal }) => signal)).toContain("service_stopping");
    const firing = await toolbox().call("alerts", {});
    expect(firing.facts.map(({ signal, value }) => [signal, value])).toEqual([
      ["ALERTS", "firing"],
    ]);
    const quiet = SIMULATED_INCIDENTS.find(({ faultClass }) => faultClass === "none");
    if (quiet === undefined) throw new Error("every incident has a fault");
    const none = await simulation.of(quiet.system).toolbox().call("alerts", {});
    expect(none.facts.map(({ value }) => value)).toEqual([0]);
  });

  test("knows only the systems that it was started with", () => {
    expect(() => simulation.of({ ...gone.system })).toThrow("a system that was not given");
  });
});

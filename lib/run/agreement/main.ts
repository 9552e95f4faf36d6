/**
 * Measures the agreement of recordings with the lab, scenario by scenario: `bun
 * lib/run/agreement/main.ts [scenario…]`, by default all. About four minutes each; needs the native
 * lab.
 */
import { createInvestigator } from "../../investigate/registry.ts";
import { listScenarios, loadScenario } from "../../../scenarios/load.ts";
import { createRunContext } from "../context.ts";
import { measureAgreement } from "./agreement.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Stopped")));
const context = createRunContext({
  signal: stop.signal,
  progress: (prefix = "") => ({
    line: (text) => process.stderr.write(`${prefix}${text}\n`),
    waiting: () => {},
    settle: () => {},
  }),
});
const named = process.argv.slice(2);
let different = 0;
for (const name of named.length === 0 ? await listScenarios() : named) {
  const scenario = await loadScenario(name);
  const found = await measureAgreement(context, scenario, createInvestigator("baseline"), 0);
  const count = (verdict: string): number =>
    found.calls.filter((call) => call.verdict === verdict).length;
  say(
    `${name}: ${found.calls.length} calls, ${count("equal")} equal, ${count("late arrival")} late arrival, ${count("different")} different; live ${found.live}; recorded ${found.recorded}`,
  );
  for (const { id, tool, verdict, example } of found.calls) {
    if (verdict !== "equal") say(`  ${id} ${tool}: ${verdict}: ${example.slice(0, 300)}`);
  }
  different += count("different");
}
process.exitCode = different === 0 ? 0 : 1;

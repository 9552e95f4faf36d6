/** Says whether a model on Ollama is there and fit to investigate. */
import { checkOllama } from "../investigate/ollama/check.ts";
import type { CommandContext } from "../run/context.ts";
import { table } from "./table.ts";

const EXIT_UNFIT = 2;

export async function doctor(
  context: CommandContext,
  { json }: { readonly json: boolean },
): Promise<number> {
  const findings = await checkOllama();
  if (json) context.print(JSON.stringify(findings, null, 2));
  else {
    const rows = findings.map(({ what, ok, detail }) => [ok ? "ok" : "not ok", what, detail]);
    context.print(table(["", "what", "found"], rows));
  }
  return findings.every(({ ok }) => ok) ? 0 : EXIT_UNFIT;
}

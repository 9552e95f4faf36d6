/**
 * Checks whether a model on Ollama is there and fit to investigate, and what a container engine can
 * do.
 */
import { checkContainers } from "../../run/labs.ts";
import { checkModel } from "../../run/investigators.ts";
import type { CommandDefinition } from "../command.ts";
import { EXIT_INVALID } from "../exit-codes.ts";
import { withJson } from "../options.ts";
import { table } from "../table.ts";

export const doctor: CommandDefinition<{ readonly json: boolean }, []> = {
  word: "doctor",
  help: "whether a model on Ollama is fit to investigate, and what a container engine can do",
  declare: withJson,
  action: async (context, { json }) => {
    const findings = [...(await checkContainers()), ...(await checkModel())];
    if (json) context.print(JSON.stringify(findings, null, 2));
    else {
      const rows = findings.map(({ what, ok, detail }) => [ok ? "ok" : "not ok", what, detail]);
      context.print(table(["", "what", "found"], rows));
    }
    return findings.every(({ ok }) => ok) ? 0 : EXIT_INVALID;
  },
};

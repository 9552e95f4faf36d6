/**
 * Checks what of the lab runs on this machine, what a container engine can do, and whether a model
 * is there and fit to investigate.
 */
import { describeHost } from "../../setup/host-report.ts";
import { checkContainers } from "../../run/labs.ts";
import { checkModel } from "../../run/investigators.ts";
import type { CommandDefinition } from "../command.ts";
import { EXIT_INVALID } from "../exit-codes.ts";
import { MODEL_URL_HELP, withJson } from "../options.ts";
import { table } from "../table.ts";

interface DoctorOptions {
  readonly json: boolean;
  readonly modelUrl?: string;
}

export const doctor: CommandDefinition<DoctorOptions, []> = {
  word: "doctor",
  help: "what runs on this machine, and whether a model is fit to investigate",
  declare: (command) => withJson(command).option("--model-url <url>", MODEL_URL_HELP),
  action: async (context, { json, modelUrl }) => {
    const findings = [
      ...(await describeHost()),
      ...(await checkContainers()),
      ...(await checkModel(modelUrl)),
    ];
    if (json) context.print(JSON.stringify(findings, null, 2));
    else {
      const rows = findings.map(({ what, ok, detail }) => [ok ? "ok" : "not ok", what, detail]);
      context.print(table(["", "what", "found"], rows));
    }
    return findings.every(({ ok }) => ok) ? 0 : EXIT_INVALID;
  },
};

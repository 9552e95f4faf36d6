/** Prints the state of the lab's services and parts. */
import type { LabStatus } from "../../run/labs.ts";
import type { CommandDefinition } from "../command.ts";
import { labOf, type LabOptions, withLab } from "../options.ts";
import { table } from "../table.ts";

export const ps: CommandDefinition<LabOptions, []> = {
  word: "ps",
  help: "what runs, and in which state",
  declare: withLab,
  action: async (context, options) => {
    const status = await labOf(context, options).status();
    if (options.json) context.print(JSON.stringify(status, null, 2));
    else context.print(status === null ? "the lab is not up" : statusTable(status));
    return 0;
  },
};

function statusTable({ services, parts }: LabStatus): string {
  const rows = services.map((service) => [
    service.service,
    service.state,
    String(service.pid ?? ""),
    String(service.exitCode ?? ""),
    service.network,
    service.cpuQuotaCores === null ? "" : `${service.cpuQuotaCores} cores`,
    service.memoryLimitBytes === null
      ? ""
      : `${Math.round(service.memoryLimitBytes / 2 ** 20)} MiB`,
    service.canonical ? "yes" : "no",
  ]);
  const others = parts.map(({ name, state, pid }) => [name, state, String(pid ?? "")]);
  return table(
    ["name", "state", "pid", "exit", "network", "cpu quota", "memory limit", "canonical"],
    [...rows, ...others],
  );
}

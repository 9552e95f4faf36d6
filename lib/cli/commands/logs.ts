/** Prints the log of a service. */
import { InvalidArgumentError } from "commander";
import { isServiceName, type ServiceName, SERVICES } from "../../contract/topology.ts";
import type { CommandDefinition } from "../command.ts";
import { labOf, type LabOptions, whole, withLab } from "../options.ts";

function service(text: string): ServiceName {
  if (isServiceName(text)) return text;
  throw new InvalidArgumentError(`it must be one of ${SERVICES.join(", ")}.`);
}

export const logs: CommandDefinition<LabOptions & { readonly lines: number }, [ServiceName]> = {
  word: "logs",
  help: "what a service wrote",
  declare: (command) =>
    withLab(command.argument("<service>", "which service", service)).option(
      "--lines <n>",
      "how many lines",
      whole(1, 100_000, "lines"),
      100,
    ),
  action: async (context, options, name) => {
    context.print(await labOf(context, options).logs(name, options.lines));
    return 0;
  },
};

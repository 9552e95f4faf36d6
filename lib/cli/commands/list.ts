/** All commands, in the order of the help. */
import type { CommandDefinition } from "../command.ts";
import { breakdown } from "./breakdown.ts";
import { cleanup } from "./cleanup.ts";
import { doctor } from "./doctor.ts";
import { down } from "./down.ts";
import { examine } from "./examine.ts";
import { generate } from "./generate.ts";
import { inject } from "./inject.ts";
import { logs } from "./logs.ts";
import { mcp } from "./mcp.ts";
import { ps } from "./ps.ts";
import { record } from "./record.ts";
import { remedy } from "./remedy.ts";
import { report } from "./report.ts";
import { run } from "./run.ts";
import { up } from "./up.ts";
import { verify } from "./verify.ts";

export const COMMANDS: readonly CommandDefinition[] = [
  run,
  up,
  down,
  ps,
  logs,
  mcp,
  record,
  generate,
  examine,
  remedy,
  verify,
  inject,
  cleanup,
  report,
  breakdown,
  doctor,
];

/**
 * Entry point of the native lab's telemetry server: parses flags, prints one line on standard
 * output when it is ready.
 */
import { constants, getPriority, setPriority } from "node:os";
import { systemClock } from "../../lib/base/clock.ts";
import { processEnv } from "../../lib/base/env.ts";
import { runMain } from "../../lib/base/errors.ts";
import { HELP, parseFlags } from "./flags.ts";
import { startServer } from "./server.ts";

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes("--help")) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const flags = parseFlags(argv);
  // With few cores the observed services have precedence: their telemetry can wait in buffers. A
  // process with a lower priority cannot raise it.
  const { PRIORITY_BELOW_NORMAL } = constants.priority;
  if (getPriority() < PRIORITY_BELOW_NORMAL) setPriority(PRIORITY_BELOW_NORMAL);
  const server = await startServer(flags, {
    clock: systemClock,
    ownerToken: processEnv()["LAB_OWNER_TOKEN"],
  });
  process.stdout.write(
    `${JSON.stringify({ event: "telemetry_server_ready", host: flags.host, ...server.ports })}\n`,
  );
  const stop = (): void => {
    void server.close().then(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

await runMain(() => main(process.argv.slice(2)));

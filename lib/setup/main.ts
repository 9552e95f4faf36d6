/**
 * `bun lib/setup/main.ts [--for-tests] [--quiet]`: installs missing requirements of this machine.
 */
import { messageOf, UsageError, UserFacingError } from "../base/errors.ts";
import { ensureSetup } from "./ensure-setup.ts";

const args = Bun.argv.slice(2);

try {
  const unknown = args.find((arg) => arg !== "--for-tests" && arg !== "--quiet");
  if (unknown !== undefined) {
    throw new UsageError(`Cannot set up: ${unknown} must be --for-tests or --quiet`);
  }
  await ensureSetup({ forTests: args.includes("--for-tests") });
  if (!args.includes("--quiet")) process.stderr.write("this machine has all that is needed\n");
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UserFacingError ? error.exitCode : 3);
}

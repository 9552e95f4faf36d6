#!/usr/bin/env bun
/**
 * The command line. Wiring only: set the machine up, parse, call, exit. What needs a package is
 * imported after the set-up, which on a fresh machine installs the packages first.
 */
import { lstatSync } from "node:fs";
import { CancelledError, EXIT_DEFECT, messageOf, UserFacingError } from "./lib/base/errors.ts";
import { giveBack, personBehindSudo } from "./lib/base/sudo.ts";
import { chooseEngine } from "./lib/setup/choose-engine.ts";
import { ensureSetup, taskOf } from "./lib/setup/ensure-setup.ts";
import { useUnpacked } from "./lib/setup/unpacked.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interrupted.abort(new CancelledError(`Stopped by ${signal}`)));
}

async function main(argv: readonly string[]): Promise<number> {
  useUnpacked(import.meta.dir);
  const engine = await chooseEngine(argv);
  await ensureSetup({ ...engine, task: taskOf(argv) });
  const { execute } = await import("./lib/cli/execute.ts");
  return execute(argv, {
    engine,
    signal: interrupted.signal,
    print: (text) => process.stdout.write(`${text}\n`),
  });
}

/** Under sudo, gives back what root has written into the checkout of the person who called it. */
function giveCheckoutBack(): void {
  const root = import.meta.dir;
  const person = personBehindSudo(root);
  if (person === undefined) return;
  const { uid } = lstatSync(`${root}/node_modules`, { throwIfNoEntry: false }) ?? {};
  const folders = uid === 0 ? [".lab", "results", "node_modules"] : [".lab", "results"];
  giveBack(
    folders.map((name) => `${root}/${name}`),
    person,
  );
}
process.on("exit", giveCheckoutBack);

try {
  process.exit(await main(Bun.argv.slice(2)));
} catch (error) {
  const expected = error instanceof UserFacingError;
  process.stderr.write(
    `${expected ? messageOf(error) : ((error as Error).stack ?? messageOf(error))}\n`,
  );
  process.exit(expected ? error.exitCode : EXIT_DEFECT);
}

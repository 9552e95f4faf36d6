/**
 * Ends a container lab with the program that started it: when this program's standard input closes without a word, that
 * program has ended, however it did, and every container, network and volume of the project is removed.
 *
 * `bun lib/lab/docker/daemon.ts <project> <DOCKER_HOST>`, in a session of its own.
 */
import { systemClock } from "../../base/clock.ts";
import { endpointOf } from "../../base/container-engine.ts";
import { messageOf } from "../../base/errors.ts";
import { Engine } from "./engine.ts";
import { ORDERLY_END } from "./layout.ts";
import { removeProject } from "./remove-project.ts";

/** Compose outlives the caller until its next line of output, and may make another container meanwhile. */
const SECOND_LOOK_MS = 3000;

const [project = "", host = ""] = Bun.argv.slice(2);

// A terminal's Ctrl-C is for the caller, whose end is what counts here.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.on(signal, () => {});

try {
  const engine = new Engine(endpointOf(host));
  if ((await Bun.stdin.text()) !== ORDERLY_END) {
    await removeProject(engine, project);
    await systemClock.sleep(SECOND_LOOK_MS);
    await removeProject(engine, project);
  }
} catch (error) {
  process.stderr.write(`daemon of ${project}: ${messageOf(error)}\n`);
  process.exitCode = 2;
}

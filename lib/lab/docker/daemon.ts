/**
 * Ends a container lab with the program that started it. When standard input closes without the
 * word ORDERLY_END, the caller has ended, and the daemon removes all containers, networks and
 * volumes of the project.
 *
 * Usage: `bun lib/lab/docker/daemon.ts <project> <DOCKER_HOST>`, in its own session.
 */
import { systemClock } from "../../base/clock.ts";
import { endpointOf } from "../../base/container-engine.ts";
import { messageOf } from "../../base/errors.ts";
import { Engine } from "./engine.ts";
import { ORDERLY_END } from "./layout.ts";
import { removeProject } from "./remove-project.ts";

/**
 * Compose keeps running until it writes its next line of output, and may create another container
 * meanwhile.
 */
const SECOND_LOOK_MS = 3000;

const [project = "", host = ""] = Bun.argv.slice(2);

// A terminal's Ctrl-C is handled by the caller; the daemon acts on the caller's end.
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

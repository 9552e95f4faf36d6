/**
 * Runs on the host for a native lab: holds the host ports and the lab's namespaces. When either the
 * daemon or the lab's supervisor ends, the other cleans up and exits.
 *
 * Usage: `bun lib/lab/native/daemon.ts <index> <project folder> <until-down|with-caller>
 * [<stand-in>]`. With `with-caller` it also ends when its standard input closes.
 */
import { rmSync, writeFileSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { giveBack, personBehindSudo } from "../../base/sudo.ts";
import { inNewNamespaces } from "../../sandbox/namespaces.ts";
import { emptyGroups, openGroups } from "./group-root.ts";
import { filesOf, forwards, ORDERLY_STOP, runtimeFolder } from "./layout.ts";
import { NOBODY } from "../../sandbox/privileges.ts";
import { relayFromPort } from "../../sandbox/relay.ts";

const [indexText = "0", projectDir = ".", lifetime = "until-down", standIn] = Bun.argv.slice(2);
const index = Number(indexText);
const files = filesOf(projectDir, index);

/** Time for the supervisor to end the lab's processes before they are killed. */
const STOP_GRACE_MS = 12_000;

function startSupervisor() {
  const argv = [process.execPath, `${import.meta.dir}/supervisor.ts`, indexText, projectDir];
  return Bun.spawn(
    inNewNamespaces([...argv, runtimeFolder(), ...(standIn === undefined ? [] : [standIn])], {
      user: process.getuid?.() !== 0,
    }),
    { cwd: projectDir, stdin: "pipe", stdout: "inherit", stderr: "inherit" },
  );
}

/** Calls `act` when the signal is aborted, or at once if it already is. */
function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, stop);
  if (lifetime === "with-caller") {
    process.stdin.on("end", stop);
    process.stdin.on("close", stop);
    process.stdin.resume();
  }
  const relays = await Promise.all(
    forwards(index).map(({ hostPort }) => relayFromPort(hostPort, files.forward(hostPort))),
  );
  const root = openGroups(index);
  writeFileSync(files.groupRoot, root);
  const supervisor = startSupervisor();
  whenAborted(stopping.signal, () => {
    void supervisor.stdin.write(ORDERLY_STOP);
    void supervisor.stdin.end();
    void systemClock.sleep(STOP_GRACE_MS).then(() => supervisor.kill("SIGKILL"));
  });
  const code = await supervisor.exited;
  if (code !== 0 && !stopping.signal.aborted) {
    // Its own last line may be one of `unshare`, which names no cause.
    process.stderr.write(`daemon: the supervisor ended with exit code ${code}\n`);
  }
  for (const relay of relays) relay.close();
  // Processes of a supervisor that was killed end a moment later, and only then do their groups go.
  await emptyGroups(root, index);
  // What the lab left belongs to whoever called sudo.
  const owner = personBehindSudo(projectDir);
  if (owner !== undefined) giveBack([files.state], owner, [0, NOBODY]);
  // Last: while the file with the daemon's id exists, no program starts this lab again.
  rmSync(files.sockets, { recursive: true, force: true });
  process.exit(code === 0 ? 0 : 1);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`daemon: ${messageOf(error)}\n`);
  rmSync(files.sockets, { recursive: true, force: true });
  process.exit(1);
}

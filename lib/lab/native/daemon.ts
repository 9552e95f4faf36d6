/**
 * The host's side of a native lab: it holds the host's ports and the lab's namespaces. Whichever of this
 * process and the lab's supervisor ends first, the other one cleans up and ends too.
 *
 * `bun lib/lab/native/daemon.ts <index> <project folder> <until-down|with-caller>`. With
 * `with-caller` it also ends when its standard input closes.
 */
import { rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../../base/errors.ts";
import { removeGroups } from "./cgroup.ts";
import { filesOf, forwards } from "./layout.ts";
import { relayFromHost } from "./relay.ts";

const [indexText = "0", projectDir = ".", lifetime = "until-down"] = Bun.argv.slice(2);
const index = Number(indexText);
const files = filesOf(projectDir, index);

function startSupervisor() {
  return Bun.spawn(
    [
      "unshare",
      "--net",
      "--pid",
      "--fork",
      "--mount",
      "--mount-proc",
      "--kill-child=SIGKILL",
      process.execPath,
      `${import.meta.dir}/supervisor.ts`,
      indexText,
      projectDir,
    ],
    { cwd: projectDir, stdin: "pipe", stdout: "inherit", stderr: "inherit" },
  );
}

async function main(): Promise<void> {
  writeFileSync(files.daemonPid, String(process.pid));
  await Promise.all(
    forwards(index).map(({ hostPort }) => relayFromHost(hostPort, files.forward(hostPort))),
  );
  const supervisor = startSupervisor();
  const stop = (): void => void supervisor.stdin.end();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, stop);
  if (lifetime === "with-caller") {
    process.stdin.on("end", stop);
    process.stdin.on("close", stop);
    process.stdin.resume();
  }
  const code = await supervisor.exited;
  removeGroups(index);
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

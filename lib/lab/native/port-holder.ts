/**
 * Finds the program that listens on a port of the host, for the message that the port is in use.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const LISTEN = "0A";

/** The program that listens on TCP `port`, as `name (pid)`; undefined when it cannot be found. */
export function portHolder(port: number): string | undefined {
  const sockets = new Set(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeners(table, port)),
  );
  if (sockets.size === 0) return undefined;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || !holdsAny(pid, sockets)) continue;
    return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (process ${pid})`;
  }
  return undefined;
}

/** Inodes of the sockets that listen on `port`, as links in /proc/<pid>/fd name them. */
function listeners(table: string, port: number): string[] {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return textOf(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(hex) === true && state === LISTEN)
    .map((columns) => `socket:[${columns[9]}]`);
}

function holdsAny(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        // The file was closed after the folder was listed.
        return false;
      }
    });
  } catch {
    // The process has ended, or this user may not read its files.
    return false;
  }
}

/** A table of sockets; a kernel without IPv6 has no second one. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

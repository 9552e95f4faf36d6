/**
 * Runs an untrusted program in a room: with its own user, network, processes, mounts and host name,
 * without capabilities. The program sees the system's programs, the given files (read-only), and an
 * empty writable folder in memory. Connections are only possible through doors. All its processes
 * end with the room.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../../base/env.ts";
import { EnvironmentError, messageOf } from "../../base/errors.ts";
import { listenOnSocket, relayFromSocket } from "../relay.ts";
import { type KeeperDoor, type KeeperOrder, readLine, type RoomReport } from "./protocol.ts";

/** The user of programs in rooms opened by root; owns nothing and is used for nothing else. */
const ROOM_UID = 65_533;
/** Maximum size of the program's writable folder, and of /tmp. */
const SCRATCH_SIZE = "256m";
const SCRIPT = `${import.meta.dir}/enter.sh`;
const KEEPER = `${import.meta.dir}/main.ts`;

const IN_NEW_NAMESPACES = [
  "unshare",
  "--mount",
  "--pid",
  "--ipc",
  "--uts",
  "--cgroup",
  "--fork",
  "--kill-child=SIGKILL",
] as const;

/** A door of a room: `to` answers connections to `host`:`port` inside. */
export interface Door {
  readonly host: string;
  readonly port: number;
  /** An address of this machine, or a server that is not listening yet. */
  readonly to: { readonly host: string; readonly port: number } | Server;
}

export interface RoomOptions {
  readonly argv: readonly string[];
  /** All variables of the program. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
  /**
   * Absolute paths of files and folders that the program can read; apart from them, only the
   * system's programs are present.
   */
  readonly shown?: readonly string[];
  /** Hidden paths, even below a shown one. */
  readonly hidden?: readonly string[];
  readonly doors?: readonly Door[];
}

export interface RoomEnd {
  readonly code: number;
  /** Number of remaining processes, which were killed. */
  readonly left: number;
}

export interface Room {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  /** Rejects with EnvironmentError if the program could not be started. */
  readonly ended: Promise<RoomEnd>;
  /** Ends all processes in the room. */
  end(): void;
}

/** The writable folder and home of programs in rooms. */
export const ROOM_HOME = "/home/agent";

/** Opens a room and starts the program in it. */
export async function openRoom(options: RoomOptions): Promise<Room> {
  const folder = mkdtempSync(join(tmpdir(), "room-"));
  const servers: Server[] = [];
  const tidy = (): void => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const doors = await openDoors(folder, options.doors ?? [], servers);
    const order = orderOf(folder, options, doors);
    const control = join(folder, "control");
    const keeper = Promise.withResolvers<Socket>();
    const server = createServer((socket) => keeper.resolve(socket));
    servers.push(server);
    await listenOnSocket(server, control);
    const { PATH = "" } = processEnv();
    const child = Bun.spawn(inNewNetwork([process.execPath, KEEPER, control]), {
      cwd: "/",
      env: { PATH },
      detached: true,
      stdin: options.stdin,
      stdout: "pipe",
      stderr: "pipe",
    });
    let isEnded = false;
    return {
      stdout: child.stdout,
      stderr: child.stderr,
      ended: conclude(talk(keeper.promise, order), child.exited, () => isEnded).finally(tidy),
      end: () => {
        isEnded = true;
        child.kill("SIGKILL");
      },
    };
  } catch (error) {
    tidy();
    throw error;
  }
}

const inNewNetwork = (argv: readonly string[]): string[] => [
  "unshare",
  ...(canChangeUser() ? [] : ["--user", "--map-root-user"]),
  "--net",
  "--pid",
  "--fork",
  "--kill-child=SIGKILL",
  ...argv,
];

/** Root of a user namespace that has one user, as in some containers, can become no other. */
function canChangeUser(): boolean {
  if (process.getuid?.() !== 0) return false;
  return readFileSync("/proc/self/uid_map", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([first = 0, , count = 0]) => first <= ROOM_UID && ROOM_UID < first + count);
}

async function openDoors(
  folder: string,
  doors: readonly Door[],
  servers: Server[],
): Promise<KeeperDoor[]> {
  return Promise.all(
    doors.map(async ({ host, port, to }, i) => {
      const socket = join(folder, `door-${i}`);
      const server =
        "listen" in to
          ? await listenOnSocket(to, socket)
          : await relayFromSocket(socket, to.host, to.port);
      servers.push(server);
      return { host, port, socket };
    }),
  );
}

function orderOf(
  folder: string,
  { argv, env, shown = [], hidden = [] }: RoomOptions,
  doors: readonly KeeperDoor[],
): KeeperOrder {
  const uid = canChangeUser() ? String(ROOM_UID) : "";
  const enter = [
    ...IN_NEW_NAMESPACES,
    "sh",
    SCRIPT,
    folder,
    uid,
    SCRATCH_SIZE,
    "--",
    ...shown.flatMap((path) => [realOf(path), path]),
    "--",
    ...new Set(hidden.flatMap((path) => [path, realOf(path)])),
    "--",
    ...argv,
  ];
  const exports = Object.entries({ HOME: ROOM_HOME, ...env })
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`)
    .join("\n");
  return { doors, enter, exports };
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A missing path cannot be shown and need not be hidden.
    return path;
  }
}

async function talk(keeper: Promise<Socket>, order: KeeperOrder): Promise<RoomReport> {
  const socket = await keeper;
  socket.write(`${JSON.stringify(order)}\n`);
  return JSON.parse(await readLine(socket)) as RoomReport;
}

async function conclude(
  report: Promise<RoomReport>,
  gone: Promise<number>,
  isEnded: () => boolean,
): Promise<RoomEnd> {
  // A supervisor that failed to start never connects.
  const silent = gone.then((code): RoomReport => ({ code, entered: isEnded(), left: 0 }));
  const { code, entered, left } = await Promise.race([report.catch(() => silent), silent]);
  await gone;
  if (!entered) throw new EnvironmentError("Cannot start a program in a room: it was not built");
  return { code, left };
}

let reason: Promise<string | undefined> | undefined;

/** Why no room can be opened on this machine; undefined if it can. Tested once. */
export function whyNoRoom(): Promise<string | undefined> {
  reason ??= tryRoom();
  return reason;
}

async function tryRoom(): Promise<string | undefined> {
  if (process.platform !== "linux") return `${process.platform} has no Linux namespaces`;
  try {
    const room = await openRoom({ argv: ["true"], env: {}, stdin: new Uint8Array() });
    const [said, end] = await Promise.allSettled([new Response(room.stderr).text(), room.ended]);
    if (end.status === "fulfilled" && end.value.code === 0) return undefined;
    const lines = said.status === "fulfilled" ? said.value.trim().split("\n") : [];
    return lines.findLast((line) => /^\S/.test(line)) ?? "the room could not be built";
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Supervises a room: the first process of a fresh network and pid namespace, outside the room's
 * mounts. Opens the doors in that network, runs the program in the room, and exits when the program
 * or the opener ends.
 *
 * Usage: `bun lib/sandbox/room/main.ts <control socket>`.
 */
import { createConnection, type Socket } from "node:net";
import { messageOf } from "../../base/errors.ts";
import { processEnv } from "../../base/env.ts";
import { mustRun } from "../../base/shell.ts";
import { relayFromPort } from "../relay.ts";
import { type KeeperOrder, readLine, type RoomReport } from "./protocol.ts";

/** Maximum concurrent connections per door. */
const MAX_CONNECTIONS = 64;
const MAX_REPORT_BYTES = 64;

async function connected(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** The room's messages on its third descriptor. */
async function said(fd: number | null | undefined): Promise<string> {
  if (typeof fd !== "number") return "";
  let text = "";
  const decoder = new TextDecoder();
  for await (const part of Bun.file(fd).stream()) {
    text = (text + decoder.decode(part, { stream: true })).slice(0, MAX_REPORT_BYTES);
  }
  return text;
}

async function keep(control: Socket): Promise<RoomReport> {
  const order = JSON.parse(await readLine(control)) as KeeperOrder;
  const { PATH = "" } = processEnv();
  await mustRun(["ip", "link", "set", "lo", "up"], { env: { PATH } });
  for (const { host, port, socket } of order.doors) {
    const server = await relayFromPort(port, socket, host);
    server.maxConnections = MAX_CONNECTIONS;
  }
  const child = Bun.spawn([...order.enter], {
    env: { PATH, ROOM_ENV: order.exports },
    stdio: ["inherit", "inherit", "inherit", "pipe"],
  });
  const [text, code] = await Promise.all([said(child.stdio[3]), child.exited]);
  return {
    code,
    entered: text.startsWith("in\n"),
    left: Number(/^left (\d+)$/m.exec(text)?.[1] ?? 0),
  };
}

const [path = ""] = Bun.argv.slice(2);
try {
  const control = await connected(path);
  // The opener has ended: exiting ends all processes of the room.
  control.once("close", () => process.exit(1));
  const report = await keep(control);
  control.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}

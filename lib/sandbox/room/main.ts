/**
 * The room's keeper: the first process of a fresh network and pid namespace, outside the room's mounts. It opens the doors in
 * that network, runs the program in the room, and ends when the program ends or who opened the room is gone.
 *
 *     bun lib/sandbox/room/main.ts <control socket>
 */
import { createConnection, type Socket } from "node:net";
import { messageOf } from "../../base/errors.ts";
import { processEnv } from "../../base/env.ts";
import { mustRun } from "../../base/shell.ts";
import { relayFromPort } from "../relay.ts";
import { type KeeperOrder, readLine, type RoomReport } from "./protocol.ts";

/** Connections at one door at a time. */
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

/** What the room says at its third descriptor. */
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
  // Closed by the end of who opened the room: everything here ends with this process.
  control.once("close", () => process.exit(1));
  const report = await keep(control);
  control.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}

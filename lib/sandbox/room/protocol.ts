/** What passes between who opens a room and its keeper: one line of JSON each way. */
import type { Socket } from "node:net";

/** A door: what is asked at `host`:`port` in the room's network goes to a unix socket. */
export interface KeeperDoor {
  readonly host: string;
  readonly port: number;
  readonly socket: string;
}

export interface KeeperOrder {
  readonly doors: readonly KeeperDoor[];
  /** The command that builds the room and runs the program in it. */
  readonly enter: readonly string[];
  /** A shell script that sets the program's variables: argument lists can be read by everybody. */
  readonly exports: string;
}

export interface RoomReport {
  readonly code: number;
  /** Whether the program was started. */
  readonly entered: boolean;
  /** How many processes were still there when the program had ended. */
  readonly left: number;
}

/** The first line that comes; throws when the connection ends before. */
export function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once("error", reject);
  });
}

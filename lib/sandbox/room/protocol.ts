/** The protocol between the opener of a room and its supervisor: one line of JSON each way. */
import type { Socket } from "node:net";

/** A door: forwards connections to `host`:`port` in the room's network to a unix socket. */
export interface KeeperDoor {
  readonly host: string;
  readonly port: number;
  readonly socket: string;
}

export interface KeeperOrder {
  readonly doors: readonly KeeperDoor[];
  /** The command that creates the room and runs the program in it. */
  readonly enter: readonly string[];
  /**
   * A shell script that sets the program's variables, because every user can read argument lists.
   */
  readonly exports: string;
}

export interface RoomReport {
  readonly code: number;
  /** Whether the program was started. */
  readonly entered: boolean;
  /** Number of processes that remained after the program's end. */
  readonly left: number;
}

/** The first line received; throws if the connection ends before it. */
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

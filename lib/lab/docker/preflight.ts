/** What a container lab needs of the machine, checked before anything is started. */
import { createServer } from "node:net";
import { EnvironmentError } from "../../base/errors.ts";
import { portHolder } from "../native/port-holder.ts";
import { published } from "./layout.ts";

/** Throws EnvironmentError with the first of the lab's ports that is taken, and by whom. */
export async function checkPorts(index: number): Promise<void> {
  for (const { hostPort } of published(index)) await mustBeFree(hostPort);
}

async function mustBeFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const holder = process.platform === "linux" ? portHolder(port) : undefined;
      const reason =
        error.code === "EADDRINUSE"
          ? `${holder ?? "another program"} listens on it`
          : error.message;
      reject(
        new EnvironmentError(
          `Cannot start the lab in containers: port ${port} must be free, but ${reason}; end it, or choose another lab with --lab`,
          { cause: error },
        ),
      );
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

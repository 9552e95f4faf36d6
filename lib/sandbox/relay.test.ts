import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { relayFromPort, relayFromSocket } from "./relay.ts";

const folder = mkdtempSync(`${tmpdir()}/relay-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const portOf = (server: Server): number => (server.address() as { port: number }).port;

describe("relay", () => {
  test("carries bytes both ways, across the socket", async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const path = `${folder}/relay.sock`;
    const inner = await relayFromSocket(path, "127.0.0.1", portOf(echo));
    const outer = await relayFromPort(0, path);
    const sent = crypto.getRandomValues(new Uint8Array(60_000));
    const got: Uint8Array[] = [];
    const done = Promise.withResolvers<undefined>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: portOf(outer),
      socket: {
        data: (_, chunk) => {
          got.push(new Uint8Array(chunk));
          if (Buffer.concat(got).length >= sent.length) done.resolve(undefined);
        },
      },
    });
    for (let at = 0; at < sent.length;) at += socket.write(sent.subarray(at)) || (await tick());
    await done.promise;
    expect(Buffer.concat(got).equals(Buffer.from(sent))).toBe(true);
    socket.end();
    for (const server of [outer, inner, echo]) server.close();
  });

  test("closes a connection that leads nowhere, instead of letting it hang", async () => {
    const outer = await relayFromPort(0, `${folder}/nobody.sock`);
    const failed = fetch(`http://127.0.0.1:${portOf(outer)}/`);
    await expect(failed).rejects.toThrow();
    outer.close();
  });

  test("says that a port is in use", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const port = portOf(holder);
    await expect(relayFromPort(port, "/nowhere")).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: it must be free, but is in use`,
    );
    holder.close();
  });
});

const tick = (): Promise<number> => new Promise((resolve) => setImmediate(() => resolve(0)));

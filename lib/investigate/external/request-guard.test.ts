import { describe, expect, test } from "bun:test";
import { createConnection } from "node:net";
import { type GuardOptions, guard } from "./request-guard.ts";

/** Doors that answer with the path and the body's size. */
function opened(options: Partial<GuardOptions> = {}) {
  const notes: string[] = [];
  const doors = guard(
    async (request, path) =>
      new Response(`${request.method} ${path} ${(await request.arrayBuffer()).byteLength}`),
    { note: (line) => notes.push(line), ...options },
  );
  return { doors, notes };
}

/** Sends a text over a connection of its own; resolves with the first line that comes back. */
const send = (port: number, text: string): Promise<string> =>
  new Promise((resolve) => {
    let said = "";
    const socket = createConnection(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (part) => {
      said += part.toString();
      if (said.includes("\r\n")) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(said.split("\r\n")[0] ?? ""));
  });

describe("the guard of doors", () => {
  test("passes on what has the token, without it", async () => {
    const { doors, notes } = opened();
    const reply = await fetch(`${doors.url}/tools/promql?a=1`, { method: "POST", body: "12345" });
    expect(await reply.text()).toBe("POST /tools/promql 5");
    expect(await (await fetch(doors.url)).text()).toBe("GET / 0");
    expect([doors.refused(), notes]).toEqual([0, []]);
    await doors[Symbol.asyncDispose]();
  });

  test("refuses other tokens, names and pages, and notes each", async () => {
    const { doors, notes } = opened();
    const { origin } = new URL(doors.url);
    const { url } = doors;
    const asked: readonly (readonly [string, Record<string, string>])[] = [
      [`${origin}/alert`, {}],
      [`${origin}/${"0".repeat(32)}/alert`, {}],
      [`${url}x/alert`, {}],
      [`${url}/alert`, { host: "evil.example" }],
      [`${url}/alert`, { origin: "https://evil.example" }],
      [`${url}/alert`, { origin: "null" }],
    ];
    for (const [address, headers] of asked) {
      expect((await fetch(address, { headers })).status).toBe(403);
    }
    expect(doors.refused()).toBe(asked.length);
    expect(notes).toHaveLength(asked.length);
    expect(notes.at(-1)).toBe("refused at the door: GET /alert (403)");
    await doors[Symbol.asyncDispose]();
  });

  test("refuses a body that is too large, whether its length is said or not", async () => {
    const { doors } = opened();
    const body = "x".repeat(600 * 1024);
    const { port } = doors;
    const { pathname } = new URL(doors.url);
    const head = `POST ${pathname}/alert HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
    expect(await send(port, `${head}Content-Length: ${body.length}\r\n\r\n${body}`)).toContain(
      "413",
    );
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    expect(await send(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`)).toContain("413");
    await doors[Symbol.asyncDispose]();
  });

  test("refuses a body that does not come in time", async () => {
    const { doors, notes } = opened({ bodyPatienceMs: 200 });
    const { pathname } = new URL(doors.url);
    const head = `POST ${pathname}/alert HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
    expect(await send(doors.port, `${head}Content-Length: 10\r\n\r\nabc`)).toContain("408");
    expect(notes).toEqual(["refused at the door: POST /alert (408)"]);
    await doors[Symbol.asyncDispose]();
  });

  test("closes while clients stall: in a head, in a body, in an answer", async () => {
    const never = Promise.withResolvers<Response>();
    const { doors } = opened();
    const slow = guard(() => never.promise, { note: () => {} });
    const { pathname } = new URL(doors.url);
    const stalled = [
      send(doors.port, "GET /"),
      send(doors.port, `POST ${pathname}/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc`),
      send(slow.port, `GET ${new URL(slow.url).pathname}/a HTTP/1.1\r\nHost: a\r\n\r\n`),
    ];
    // They are connected and have sent what they send.
    await fetch(doors.url);
    await fetch(`${new URL(slow.url).origin}/wrong`);
    const startedMs = performance.now();
    await Promise.all([doors[Symbol.asyncDispose](), slow[Symbol.asyncDispose]()]);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    never.resolve(new Response("late"));
    await Promise.all(stalled);
  });

  test("takes a limited number of requests at a time", async () => {
    const go = Promise.withResolvers<undefined>();
    const doors = guard(
      async () => {
        await go.promise;
        return new Response("done");
      },
      { note: () => {} },
    );
    const asked = Array.from({ length: 40 }, () => fetch(doors.url).then(({ status }) => status));
    const first = await Promise.race(asked);
    go.resolve(undefined);
    expect(first).toBe(429);
    const statuses = await Promise.all(asked);
    expect(statuses.filter((status) => status === 200)).toHaveLength(32);
    await doors[Symbol.asyncDispose]();
  });
});

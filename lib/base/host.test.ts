import { expect, test } from "bun:test";
import { isLocalName, underLocalNames } from "./host.ts";

test.each([
  "localhost",
  "localhost:13000",
  "LOCALHOST.",
  "lab.localhost:80",
  "127.0.0.1:19090",
  "[::1]:8080",
  "10.200.0.1",
  "tactical-display:8080",
  "host.docker.internal:3000",
  "",
])("%p is local", (host) => expect(isLocalName(host)).toBe(true));

test.each([
  "evil.example",
  "evil.example:13000",
  "127.0.0.1.nip.io",
  "localhost.evil.example",
  "a.b.",
])("%p is not", (host) => expect(isLocalName(host)).toBe(false));

test("a request under a foreign name or of a foreign page is refused over the wire, and a local one answered", async () => {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: underLocalNames(() => new Response("secret")),
  });
  const ask = async (headers: Record<string, string>) => {
    const reply = await fetch(`http://127.0.0.1:${server.port}/`, { headers });
    return [reply.status, await reply.text()];
  };
  expect(await ask({})).toEqual([200, "secret"]);
  expect(await ask({ host: "evil.example" })).toEqual([
    403,
    'Cannot answer for host "evil.example": it must be an address, localhost or a name without a dot\n',
  ]);
  expect((await ask({ origin: "http://localhost:6274" }))[0]).toBe(200);
  for (const origin of ["https://evil.example", "null", "http://localhost.evil.example", "file:"]) {
    expect(await ask({ origin })).toEqual([
      403,
      expect.stringContaining("must come from this machine"),
    ]);
  }
  await server.stop(true);
});

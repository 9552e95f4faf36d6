import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection, type Server } from "node:net";
import { tmpdir } from "node:os";
import { mustRun, run } from "../base/shell.ts";
import { createConnectProxy } from "./connect-proxy.ts";

const folder = mkdtempSync(`${tmpdir()}/connect-proxy-`);
const refused: string[] = [];
let model: Bun.Server<undefined>;
let plain: Bun.Server<undefined>;
const proxies: Server[] = [];

const portOf = (server: Server): number => (server.address() as { port: number }).port;

async function proxyFor(port: number): Promise<number> {
  const proxy = createConnectProxy({ host: "localhost", port }, (what) => refused.push(what));
  proxies.push(proxy);
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return portOf(proxy);
}

beforeAll(async () => {
  const keys = `-keyout ${folder}/key.pem -out ${folder}/cert.pem`;
  const request = `req -x509 -newkey rsa:2048 -nodes -days 2 ${keys} -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
  await mustRun(["openssl", ...request.split(" ")]);
  const tls = {
    key: readFileSync(`${folder}/key.pem`),
    cert: readFileSync(`${folder}/cert.pem`),
  };
  const answer = async (request: Request): Promise<Response> =>
    new Response(
      `${request.method} ${new URL(request.url).pathname} ${request.headers.get("authorization")} ${await request.text()}`,
    );
  model = Bun.serve({ hostname: "localhost", port: 0, tls, fetch: answer });
  plain = Bun.serve({ hostname: "localhost", port: 0, fetch: answer });
});
afterAll(async () => {
  for (const proxy of proxies) proxy.close();
  await Promise.all([model.stop(true), plain.stop(true)]);
  rmSync(folder, { recursive: true });
});

const curl = (proxy: number, url: string, ...more: string[]) =>
  run([
    "curl",
    "-sSm10",
    "--noproxy",
    "",
    "--proxy",
    `http://127.0.0.1:${proxy}`,
    "--cacert",
    `${folder}/cert.pem`,
    "-HAuthorization: Bearer k",
    ...more,
    url,
  ]);

describe("a proxy that leads to one server", () => {
  test("carries TLS to it, unread", async () => {
    const proxy = await proxyFor(model.port ?? 0);
    const { stdout } = await curl(proxy, `https://localhost:${model.port}/v1/chat`, "-d", "hello");
    expect(stdout).toBe("POST /v1/chat Bearer k hello");
  });

  test("carries plain requests to it", async () => {
    const proxy = await proxyFor(plain.port ?? 0);
    const { stdout } = await curl(proxy, `http://localhost:${plain.port}/api/tags`, "-d", "x");
    expect(stdout).toBe("POST /api/tags Bearer k x");
  });

  test("refuses every other name and port, and says so", async () => {
    const proxy = await proxyFor(model.port ?? 0);
    refused.length = 0;
    for (const url of [
      `https://localhost:${plain.port}/`,
      `http://localhost:${plain.port}/`,
      `https://127.0.0.1:${model.port}/`,
      "https://example.com/",
    ]) {
      const { code, stdout, stderr } = await curl(proxy, url);
      expect(`${code} ${stdout}${stderr}`).toMatch(/403|only localhost/);
    }
    expect(refused).toEqual([
      `localhost:${plain.port}`,
      `localhost:${plain.port}`,
      `127.0.0.1:${model.port}`,
      "example.com:443",
    ]);
  });

  test("answers what is no request for a proxy, and a head without an end", async () => {
    const proxy = await proxyFor(model.port ?? 0);
    const send = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let said = "";
        const socket = createConnection(proxy, "127.0.0.1", () => socket.write(text));
        socket.on("data", (part) => {
          said += part.toString();
        });
        socket.on("close", () => resolve(said.split("\r\n")[0] ?? ""));
        socket.on("error", () => resolve("broken"));
      });
    for (const text of ["GET / HTTP/1.1", "CONNECT localhost HTTP/1.1", "\0\0\0"]) {
      expect(await send(`${text}\r\n\r\n`)).toBe("HTTP/1.1 400 Bad Request");
    }
    expect(await send("x".repeat(20_000))).toBe("HTTP/1.1 431 Request Header Fields Too Large");
  });

  test("says when the server does not answer", async () => {
    const gone = Bun.serve({ hostname: "localhost", port: 0, fetch: () => new Response() });
    const port = gone.port ?? 0;
    await gone.stop(true);
    const { stdout } = await curl(await proxyFor(port), `http://localhost:${port}/`);
    expect(stdout).toContain(`localhost:${port}: `);
  });
});

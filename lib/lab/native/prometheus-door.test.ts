import { afterAll, describe, expect, test } from "bun:test";
import { servePrometheusDoor } from "./prometheus-door.ts";

const asked: string[] = [];
const prometheus = Bun.serve({
  port: 0,
  fetch: async (request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(`${request.method} ${pathname}${search} ${await request.text()}`.trim());
    return Response.json(
      { status: "success" },
      {
        status: pathname === "/api/v1/query" ? 200 : 400,
        headers: { "access-control-allow-origin": request.headers.get("origin") ?? "*" },
      },
    );
  },
});
const door = servePrometheusDoor({
  hostname: "127.0.0.1",
  port: 0,
  origin: prometheus.url.origin,
});
afterAll(async () => {
  await door.stop(true);
  await prometheus.stop(true);
});

describe("the door of Prometheus", () => {
  test("lets reading through, GET and POST, with the answer's own status", async () => {
    const body = new URLSearchParams({ query: "up" });
    const posted = await fetch(`${door.url.origin}/api/v1/query`, { method: "POST", body });
    expect(await posted.json()).toEqual({ status: "success" });
    const got = await fetch(`${door.url.origin}/api/v1/series?match[]=up`);
    expect(got.status).toBe(400);
    expect(asked.splice(0)).toEqual([
      "POST /api/v1/query query=up",
      "GET /api/v1/series?match[]=up",
    ]);
  });

  test("ends what would change something; Prometheus never hears of it", async () => {
    for (const path of [
      "/api/v1/admin/tsdb/delete_series?match[]=up",
      "/-/reload",
      "/api/v1/write",
    ]) {
      const reply = await fetch(door.url.origin + path, { method: "POST" });
      expect(reply.status).toBe(403);
      expect(await reply.text()).toContain("only reading is");
    }
    expect(asked).toEqual([]);
  });

  test("does not pass on that another origin may read", async () => {
    const url = `${door.url.origin}/api/v1/query?query=up`;
    const elsewhere = { headers: { origin: "https://evil.example" } };
    expect((await fetch(url, elsewhere)).status).toBe(403);
    expect((await fetch(url, { ...elsewhere, method: "OPTIONS" })).status).toBe(403);
    expect(asked).toEqual([]);
    const reply = await fetch(url, { headers: { origin: "http://localhost:3000" } });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("access-control-allow-origin")).toBeNull();
    asked.splice(0);
  });

  test("says when Prometheus does not answer", async () => {
    const shut = servePrometheusDoor({
      hostname: "127.0.0.1",
      port: 0,
      origin: "http://127.0.0.1:9",
    });
    expect((await fetch(`${shut.url.origin}/-/ready`)).status).toBe(502);
    await shut.stop(true);
  });
});

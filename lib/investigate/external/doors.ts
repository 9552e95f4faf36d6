/**
 * The doors of one examination, on one loopback port behind one token: the tools as a Model Context
 * Protocol server (Streamable HTTP, `/mcp`) and as plain JSON (`GET /alert`, `GET /tools`, `POST
 * /tools/<name>`) for simple programs; and read access to the telemetry behind the tools
 * (`/prometheus`, `/loki`, `/tempo`, `/grafana`).
 */
import { Hono } from "hono";
import { z } from "zod";
import { TELEMETRY_APIS } from "../../contract/telemetry-api.ts";
import type { InvestigationInput, TelemetryUrls } from "../investigator.ts";
import type { Examination } from "./examination.ts";
import { McpSessions } from "./mcp-sessions.ts";
import { guard } from "./request-guard.ts";
import { readThrough } from "./telemetry-door.ts";

const ArgumentsSchema = z.record(z.string(), z.unknown());

export interface Doors extends AsyncDisposable {
  readonly port: number;
  /** Addresses with the token, without a trailing slash. */
  readonly urls: TelemetryUrls & { readonly tools: string; readonly mcp: string };
  /** Resolves when the last connected MCP client has ended its session. */
  readonly disconnected: Promise<void>;
  /** Number of refused requests. */
  readonly refused: () => number;
  /** Number of direct requests to the telemetry. */
  readonly reads: () => number;
}

/** Opens the doors of `examination` on a free loopback port, or on `port`. */
export function openDoors(
  examination: Examination,
  { urls, transcript }: Pick<InvestigationInput, "urls" | "transcript">,
  port = 0,
): Doors {
  const disconnected = Promise.withResolvers<void>();
  const tools = toolApp(examination, () => disconnected.resolve());
  let reads = 0;
  const guarded = guard(
    (request, path) => {
      const api = TELEMETRY_APIS.find((one) => path === `/${one}` || path.startsWith(`/${one}/`));
      if (api === undefined) return tools.fetch(request);
      reads++;
      return readThrough(urls, api, path.slice(api.length + 1) || "/", request);
    },
    { port, note: (line) => transcript.note(line) },
  );
  const { url } = guarded;
  return {
    port: guarded.port,
    urls: {
      tools: url,
      mcp: `${url}/mcp`,
      grafana: `${url}/grafana`,
      prometheus: `${url}/prometheus`,
      loki: `${url}/loki`,
      tempo: `${url}/tempo`,
    },
    disconnected: disconnected.promise,
    refused: guarded.refused,
    reads: () => reads,
    [Symbol.asyncDispose]: () => guarded[Symbol.asyncDispose](),
  };
}

function toolApp(examination: Examination, onLastClosed: () => void): Hono {
  const app = new Hono();
  app.get("/alert", async (c) =>
    c.json(JSON.parse((await examination.call("get_alert", {})).text)),
  );
  app.get("/tools", (c) => c.json(examination.describe()));
  app.post("/tools/:name", async (c) => {
    const parsed = ArgumentsSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) return c.json({ error: "the body must be a JSON object" }, 400);
    const { ok, text } = await examination.call(c.req.param("name"), parsed.data);
    return ok
      ? c.body(text, 200, { "content-type": "application/json" })
      : c.json({ error: text }, 422);
  });
  const sessions = new McpSessions(examination, onLastClosed);
  // The server sends nothing unasked, so it offers no stream of its own.
  app.get("/mcp", (c) => c.text("there is no stream of events", 405));
  app.all("/mcp", (c) => sessions.handle(c.req.raw));
  return app;
}

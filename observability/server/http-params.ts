/**
 * Shared by the query APIs of Loki and Tempo: error handling, and parameters in the URL or a form.
 */
import { type Context, Hono } from "hono";
import { QueryError } from "./query-error.ts";
import { clampInt64 } from "./store/int64.ts";
import { durationNs } from "./syntax.ts";

/** Creates an app that answers query errors, `/ready` and `${prefix}/status/buildinfo`. */
export function queryApp(prefix: string, version: string): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    if (!(error instanceof QueryError)) throw error;
    return c.text(`${error.message}\n`, error.httpStatus as 400);
  });
  app.notFound((c) => c.text(`${c.req.path} is not supported by this server\n`, 404));
  app.get("/ready", (c) => c.text("ready\n"));
  const unknown = { branch: "", buildUser: "", buildDate: "", goVersion: "" };
  app.get(`${prefix}/status/buildinfo`, (c) =>
    c.json({ version, revision: "embedded", ...unknown }),
  );
  return app;
}

/** The parameters of a GET, or of a POST with a form. */
export async function paramsOf({ req }: Context): Promise<URLSearchParams> {
  const params = new URLSearchParams(new URL(req.url).search);
  const type = req.header("content-type") ?? "";
  if (req.method === "POST" && type.startsWith("application/x-www-form-urlencoded")) {
    for (const [name, value] of new URLSearchParams(await req.text())) params.append(name, value);
  }
  return params;
}

/**
 * A time in Loki's and Tempo's formats: nanoseconds (more than 10 digits), seconds with or without
 * a fraction, or RFC 3339. Returns nanoseconds since the Unix epoch.
 */
export function timeParam(params: URLSearchParams, name: string, fallbackNs: bigint): bigint {
  const text = params.get(name);
  if (text === null || text === "") return fallbackNs;
  if (/^\d+$/.test(text)) {
    return text.length <= 10 ? BigInt(text) * 1_000_000_000n : clampInt64(BigInt(text));
  }
  if (/^\d+\.\d+$/.test(text)) return BigInt(Math.round(Number(text) * 1000)) * 1_000_000n;
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const ms = match === null ? NaN : Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) {
    throw new QueryError(
      `could not parse '${name}' parameter: it must be Unix nanoseconds, seconds or RFC 3339, but is ${JSON.stringify(text)}`,
    );
  }
  return BigInt(ms) * 1_000_000n + BigInt((match?.[2] ?? "").padEnd(9, "0"));
}

/** A whole number within [min, max]. */
export function integerParam(
  params: URLSearchParams,
  name: string,
  fallback: number,
  max: number,
): number {
  const text = params.get(name);
  if (text === null || text === "") return fallback;
  if (!/^\d{1,9}$/.test(text))
    throw new QueryError(`${name} must be a whole number, but is ${JSON.stringify(text)}`);
  const value = Number(text);
  if (value > max)
    throw new QueryError(`max entries limit per query exceeded, ${name} > max (${value} > ${max})`);
  return value;
}

/** A duration such as `30s`, or a number of seconds; nanoseconds. */
export function durationParam(params: URLSearchParams, name: string): bigint | undefined {
  const text = params.get(name);
  if (text === null || text === "") return undefined;
  const ns = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1e9 : durationNs(text);
  if (ns === undefined || ns < 0) {
    throw new QueryError(`cannot parse ${JSON.stringify(text)} to a valid duration`);
  }
  return BigInt(Math.round(ns));
}

/**
 * The lab's console: a page that shows the system live. It reads the public APIs, from its own
 * origin.
 */
import { type Context, Hono } from "hono";
import { serveStatic } from "hono/bun";
import { secureHeaders } from "hono/secure-headers";
import type { AlertRule } from "../../../lib/contract/alert-rules.ts";
import { downstreamOf, SERVICES, TOPOLOGY } from "../../../lib/contract/topology.ts";

const PAGE = `${import.meta.dir}/page`;
const PROMETHEUS_CLIENT = `${import.meta.dir}/../../../lib/base/prometheus.ts`;
const UPLOT = new URL(import.meta.resolve("uplot")).pathname.replace(/\/uplot\/.*$/, "/uplot/dist");

/** Creates the page's routes; mount it after the API's. */
export function consoleApp({ rules }: { readonly rules: readonly AlertRule[] }): Hono {
  const app = new Hono();
  app.get("/console/facts.json", (c) => c.json(factsOf(rules)));
  app.use(
    secureHeaders({
      // Charts set sizes and positions in style attributes; everything else comes from files.
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        connectSrc: ["'self'"],
        imgSrc: ["data:"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
      strictTransportSecurity: false,
    }),
  );
  let client: Promise<string> | undefined;
  app.get("/prometheus.js", async (c) => {
    client ??= forBrowser(PROMETHEUS_CLIENT);
    c.header("content-type", "text/javascript; charset=utf-8");
    return c.body(await client);
  });
  const onFound = (_: string, c: Context): void => c.header("cache-control", "no-cache");
  app.get("/uplot.js", serveStatic({ root: "/", path: `${UPLOT}/uPlot.esm.js`, onFound }));
  app.get("/uplot.css", serveStatic({ root: "/", path: `${UPLOT}/uPlot.min.css`, onFound }));
  app.get("*", serveStatic({ root: PAGE, onFound }));
  return app;
}

/** Compiles a module of the project for the page. */
async function forBrowser(path: string): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [path], target: "browser" });
  const [bundle] = outputs;
  if (bundle === undefined) throw new TypeError(`Cannot translate ${path}: nothing came out`);
  return bundle.text();
}

/** Facts for the page: which service feeds which, and the alerts' thresholds. */
function factsOf(rules: readonly AlertRule[]) {
  const thresholds = rules.flatMap(({ uid, title, expr }) => {
    const limit = /([<>])\s*(-?[\d.]+)\s*$/.exec(expr)?.[2];
    return limit === undefined ? [] : [{ uid, title, limit: Number(limit) }];
  });
  return {
    services: SERVICES.map((name) => ({
      name,
      role: TOPOLOGY[name].role,
      feeds: downstreamOf(name),
    })),
    thresholds,
  };
}

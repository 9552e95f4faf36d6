/** The lab's console: a page that shows the system live. It reads the same APIs as everyone else, from its own origin. */
import { Hono } from "hono";
import { ALERT_UIDS } from "../../../lib/contract/alert.ts";
import type { AlertRule } from "../../../lib/contract/alert-rules.ts";
import { downstreamOf, SERVICES, TOPOLOGY } from "../../../lib/contract/topology.ts";

const PAGE = `${import.meta.dir}/page`;
const PROMETHEUS_CLIENT = `${import.meta.dir}/../../../lib/base/prometheus.ts`;
const UPLOT = new URL(import.meta.resolve("uplot")).pathname.replace(/\/uplot\/.*$/, "/uplot/dist");

const FILES: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  "/": { path: `${PAGE}/index.html`, type: "text/html" },
  "/console.css": { path: `${PAGE}/console.css`, type: "text/css" },
  ...Object.fromEntries(
    ["console", "api", "charts", "markers", "topology", "logs", "traces"].map((name) => [
      `/${name}.js`,
      { path: `${PAGE}/${name}.js`, type: "text/javascript" },
    ]),
  ),
  "/uplot.js": { path: `${UPLOT}/uPlot.esm.js`, type: "text/javascript" },
  "/uplot.css": { path: `${UPLOT}/uPlot.min.css`, type: "text/css" },
};

/** Charts set sizes and positions through style attributes; nothing else may come from outside the files. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Creates the page's routes; mount it behind the API's. */
export function consoleApp({ rules }: { readonly rules: readonly AlertRule[] }): Hono {
  const app = new Hono();
  for (const [route, { path, type }] of Object.entries(FILES)) {
    app.get(route, async (c) => {
      c.header("content-type", `${type}; charset=utf-8`);
      c.header("content-security-policy", CONTENT_SECURITY_POLICY);
      c.header("x-content-type-options", "nosniff");
      c.header("cache-control", "no-cache");
      return c.body(await Bun.file(path).arrayBuffer());
    });
  }
  let client: Promise<string> | undefined;
  app.get("/prometheus.js", async (c) => {
    client ??= forBrowser(PROMETHEUS_CLIENT);
    c.header("content-type", "text/javascript; charset=utf-8");
    c.header("x-content-type-options", "nosniff");
    return c.body(await client);
  });
  app.get("/console/facts.json", (c) => c.json(factsOf(rules)));
  return app;
}

/** A module of ours, translated for the page. */
async function forBrowser(path: string): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [path], target: "browser" });
  const [bundle] = outputs;
  if (bundle === undefined) throw new TypeError(`Cannot translate ${path}: nothing came out`);
  return bundle.text();
}

/** What the page needs to know of the system: who feeds whom, and where alerts begin. */
function factsOf(rules: readonly AlertRule[]) {
  const thresholds = rules.flatMap(({ uid, title, expr }) => {
    const limit = /([<>])\s*(-?[\d.]+)\s*$/.exec(expr)?.[2];
    return limit === undefined || !ALERT_UIDS.includes(uid)
      ? []
      : [{ uid, title, limit: Number(limit) }];
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

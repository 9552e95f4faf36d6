/** Serves the operator's page: static files and milsymbol, no external resources. */
import type { Hono } from "hono";
import { serveStatic } from "hono/bun";
import { secureHeaders } from "hono/secure-headers";

const FOLDER = `${import.meta.dir}/page`;
const MILSYMBOL = new URL(import.meta.resolve("milsymbol")).pathname.replace(
  /\/milsymbol\/.*$/,
  "/milsymbol/dist/milsymbol.js",
);

const FILES: Readonly<Record<string, string>> = {
  "/": `${FOLDER}/index.html`,
  "/page.css": `${FOLDER}/page.css`,
  "/page.js": `${FOLDER}/page.js`,
  "/milsymbol.js": MILSYMBOL,
};

const HEADERS = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  strictTransportSecurity: false,
});

export function addPage(app: Hono): void {
  for (const [route, path] of Object.entries(FILES))
    app.get(route, HEADERS, serveStatic({ root: "/", path }));
}

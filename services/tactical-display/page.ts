/** Serves the operator's page: static files and milsymbol, nothing from elsewhere. */
import type { Hono } from "hono";

const FOLDER = `${import.meta.dir}/page`;
const MILSYMBOL = new URL(import.meta.resolve("milsymbol")).pathname.replace(
  /\/milsymbol\/.*$/,
  "/milsymbol/dist/milsymbol.js",
);

const FILES: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  "/": { path: `${FOLDER}/index.html`, type: "text/html; charset=utf-8" },
  "/page.css": { path: `${FOLDER}/page.css`, type: "text/css; charset=utf-8" },
  "/page.js": { path: `${FOLDER}/page.js`, type: "text/javascript; charset=utf-8" },
  "/milsymbol.js": { path: MILSYMBOL, type: "text/javascript; charset=utf-8" },
};

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function addPage(app: Hono): void {
  for (const [route, { path, type }] of Object.entries(FILES)) {
    app.get(route, async (c) => {
      c.header("content-type", type);
      c.header("content-security-policy", CONTENT_SECURITY_POLICY);
      c.header("x-content-type-options", "nosniff");
      return c.body(await Bun.file(path).arrayBuffer());
    });
  }
}

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { CHROMIUM, mustHaveChromium, WHY_NO_PAGES } from "../../../lib/base/testing/chromium.ts";
import { waitUntil } from "../../../lib/base/wait.ts";
import { SERVICES } from "../../../lib/contract/topology.ts";
import { MarkerStore } from "../markers.ts";
import { openDatabase } from "../store/schema.ts";
import { asked, fakeApi, HOSTILE, OWNER, system } from "./testing/fake-system.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// Functions for the page, as text, because the test has no document.
const MARKED = `[...document.querySelectorAll("#charts canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let red = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] > 150 && data[i + 1] < 130 && data[i + 2] < 130 && data[i + 3] > 150) red++;
  }
  return red > 50;
})`;
const STANDS_ON = 'document.activeElement?.closest("#log li")?.textContent';

const folder = mkdtempSync(join(tmpdir(), "console-"));
const database = openDatabase(folder);
const markers = new MarkerStore(database.writer);

const noPages = WHY_NO_PAGES === undefined ? "" : ` (skipped: ${WHY_NO_PAGES})`;

describe.skipIf(noPages !== "")(`the console in Chromium${noPages}`, () => {
  let browser: Browser;
  let page: Page;
  let server: Bun.Server<undefined>;
  const errors: string[] = [];
  const requested = new Set<string>();
  const serve = (port: number): Bun.Server<undefined> =>
    Bun.serve({ port, hostname: "127.0.0.1", fetch: fakeApi(markers).fetch });

  beforeAll(async () => {
    mustHaveChromium();
    server = serve(0);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("request", (request) => requested.add(new URL(request.url()).host));
    await page.goto(server.url.href);
  });
  afterAll(async () => {
    await browser.close();
    await server.stop(true);
    database.reader.close();
    database.writer.close();
    rmSync(folder, { recursive: true });
  });

  const text = (selector: string): Promise<string> => page.locator(selector).innerText();
  const until = (selector: string, wanted: string): Promise<void> =>
    page.locator(selector).filter({ hasText: wanted }).first().waitFor({ timeout: 60_000 });

  test("loads: every service, charts, no alert, log lines", async () => {
    await until("#state", "live");
    expect(await page.locator("#topology .name").allTextContents()).toEqual([...SERVICES]);
    expect(await page.locator("#topology circle.running").count()).toBe(SERVICES.length);
    expect(await page.locator("#charts canvas").count()).toBe(6);
    expect(await text("#alerts")).toBe("none");
    await until("#log", "service_starting");
    // All requests go to the page's own server, so it works offline.
    expect([...requested]).toEqual([server.url.host]);
  });

  test("names each alert's limit at its chart, and draws it into the plot", async () => {
    expect(await page.locator("#charts .limit").allTextContents()).toEqual(
      ["above 100", "above 500", "above 1000", "above 200", "above 0", "below 3"].map(
        (limit) => ` alert ${limit}`,
      ),
    );
    // Pixels in the colour of limits: the threshold is visible although all values are far below
    // it.
    const marked = await page.evaluate<boolean[]>(MARKED);
    expect(marked).toEqual([true, true, true, true, true, true]);
  });

  test("is dark or light as the browser asks, and as its button says from then on", async () => {
    for (const colorScheme of ["dark", "light"] as const) {
      const visitor = await browser.newPage({ colorScheme });
      await visitor.goto(server.url.href);
      const isLight = () =>
        visitor.evaluate<boolean>('document.documentElement.classList.contains("light")');
      expect(await isLight()).toBe(colorScheme === "light");
      await visitor.locator("#theme").focus();
      await visitor.keyboard.press("Enter");
      await visitor.reload();
      expect(await isLight()).toBe(colorScheme === "dark");
      await visitor.close();
    }
  });

  test("updates live, and text from the system stays text", async () => {
    Object.assign(system, { exited: "eo-sensor", alert: true, line: "service_stopping" });
    await until("#alerts", "Sensor down");
    await until("#log", "service_stopping");
    expect(await page.locator("#topology circle.exited").count()).toBe(1);
    expect(await text("#alerts")).toContain(HOSTILE);
    expect(await page.locator("#alerts img, #log img").count()).toBe(0);
    expect(await page.title()).toBe("CMS lab console");
  });

  test("opens a trace from a log line, by keyboard alone", async () => {
    await page.locator("#log button").first().focus();
    await page.keyboard.press("Enter");
    await until("#waterfall", "2 spans, 2 services, 1 DDS hop");
    expect(await text("#waterfall")).toContain("track-fusion: fusion.ingest");
    // New lines arrive, but the focused line stays in place.
    system.line = "sensor_heartbeat";
    await until("#log", "sensor_heartbeat");
    const standsOn = await page.evaluate<string>(STANDS_ON);
    expect(standsOn).toContain("service_stopping");
    // A span opens by keyboard, too.
    await page.locator("#waterfall summary").first().focus();
    await page.keyboard.press("Enter");
    await until("#waterfall details[open]", "starts after=0.0 ms");
  });

  test("filters the log, whatever is typed", async () => {
    await page.locator("#log-service").selectOption("eo-sensor");
    await page.locator("#log-level").selectOption("WARN");
    await page.locator("#log-text").fill('say "no" | \\ {x=`y`}');
    const wanted =
      '{service_name="eo-sensor"} |= "say \\"no\\" | \\\\ {x=`y`}" |= "\\"level\\":\\"WARN\\""';
    await waitUntil(() => ({ ok: asked.logql === wanted, seen: asked.logql }), {
      what: "the filters' query",
      deadlineMs: 60_000,
    });
  });

  test("searches traces, and shows what the API says when it refuses", async () => {
    const search = async (traceql: string): Promise<void> => {
      await page.locator("#traceql").fill(traceql);
      await page.keyboard.press("Enter");
    };
    await search('{name="nothing"}');
    await until("#found", "no trace matches");
    await search("{");
    await until("#found", "400: parse error");
    await search('{status=error && name="a"}');
    await until("#found", `eo-sensor ${HOSTILE} 4 ms`);
    expect(asked.traceql).toBe('{status=error && name="a"}');
    await page.locator("#found button").first().click();
    await until("#waterfall", "2 spans");
    expect(await page.locator("#found img").count()).toBe(0);
  });

  test("shows the owner's markers to who has the token, and to nobody else", async () => {
    markers.add({ time: 1_767_225_600_000, kind: "fault", text: HOSTILE });
    expect(await page.locator("#markers").isVisible()).toBe(false);
    const owners = await browser.newPage();
    await owners.goto(`${server.url.href}#owner=${OWNER}`);
    await owners.locator("#markers li").waitFor({ timeout: 60_000 });
    expect(await owners.locator("#markers li").innerText()).toContain(`fault ${HOSTILE}`);
    await owners.goto("about:blank");
    await owners.goto(`${server.url.href}#owner=wrong`);
    await owners.locator("#state").filter({ hasText: "live" }).waitFor({ timeout: 60_000 });
    expect(await owners.locator("#markers").isVisible()).toBe(false);
    await owners.close();
  });

  test("says when the server is gone, and goes on when it is back", async () => {
    const port = server.port ?? 0;
    await server.stop(true);
    await until("#state", "no connection");
    server = serve(port);
    await until("#state", "live");
    expect(errors).toEqual([]);
  });
});

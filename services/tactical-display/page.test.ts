/** Tests the operator's page in a real browser, with the longest texts that a row can have. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, chromium } from "playwright-core";
import { CHROMIUM, mustHaveChromium, WHY_NO_PAGES } from "../../lib/base/testing/chromium.ts";
import { sampleOf } from "../../lib/service/testing/messages.ts";
import { createApp } from "./display.ts";
import { PictureStore } from "./picture.ts";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
const TIMEOUT_MS = 60_000;
const NOW_MS = 1_000_000;
const TRACKS = ["TT-0001", "TT-0002", "TT-0003"];

function fullPicture(): PictureStore {
  const store = new PictureStore();
  for (const track_id of TRACKS) {
    const target = { target_track_id: track_id };
    store.track(
      sampleOf("TacticalTrackTopic", {
        track_id,
        classification: "AIRCRAFT",
        velocity: { x: 1234, y: 0, z: 0 },
        position: { x: -20_000, y: 15_000, z: 12_345 },
        contributing_sensors: ["RADAR-1", "ESM-2", "EO-3"],
      }),
      NOW_MS - 9_900,
    );
    store.threat(sampleOf("ThreatAssessmentTopic", { track_id, level: "CRITICAL" }));
    store.order(sampleOf("MissionOrderTopic", { ...target, issued_unix_ms: NOW_MS - 119_000 }));
    store.engagement(
      sampleOf("EngagementStatusTopic", {
        ...target,
        status: "IN_FLIGHT",
        changed_unix_ms: NOW_MS - 119_000,
      }),
    );
  }
  return store;
}

const noPages = WHY_NO_PAGES === undefined ? "" : ` (skipped: ${WHY_NO_PAGES})`;

describe.skipIf(noPages !== "")(`the page in Chromium${noPages}`, () => {
  let browser: Browser;
  let server: Bun.Server<undefined>;

  beforeAll(async () => {
    mustHaveChromium();
    const store = fullPicture();
    const app = createApp(() => store.picture(NOW_MS));
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => app.fetch(request) });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await browser.close();
    await server.stop(true);
  });

  test.each([
    [1920, 1080],
    [1400, 900],
    [1400, 1400],
    [1280, 800],
    [1261, 900],
    [1260, 900],
    [1024, 768],
    [800, 600],
  ])(
    "shows the whole table and the plot in a window of %p by %p",
    async (width, height) => {
      const page = await browser.newPage({ viewport: { width, height } });
      await page.goto(server.url.href);
      await page
        .locator("#tracks tr")
        .nth(TRACKS.length - 1)
        .waitFor({ timeout: TIMEOUT_MS / 2 });
      const cut = await page.evaluate(`[...document.querySelectorAll("canvas, th, td")]
        .filter((element) => {
          const { left, right } = element.getBoundingClientRect();
          const box = element.closest("section, main").getBoundingClientRect();
          return left < 0 || right > Math.min(innerWidth, box.right) + 0.5;
        })
        .map((element) => element.textContent || element.id)`);
      expect(cut).toEqual([]);
      const plot = await page.locator("#plot").boundingBox();
      expect(plot?.width).toBeGreaterThanOrEqual(300);
      expect(plot?.width).toBeCloseTo(plot?.height ?? 0, 0);
      await page.close();
    },
    TIMEOUT_MS,
  );
});

/**
 * Adds a service to a copy of the project with a row in the table of services, a row of its signals
 * and its folder; all else must be derived. A real lab runs in the copy, which needs root.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { messageOf } from "../base/errors.ts";
import { createPrometheusClient } from "../base/prometheus.ts";
import { CHROMIUM, WHY_NO_PAGES } from "../base/testing/chromium.ts";
import { copyProject, type ProjectCopy } from "../base/testing/copy-project.ts";
import { waitUntil } from "../base/wait.ts";
import { labPorts, SERVICES, TOPOLOGY } from "../contract/topology.ts";
import { preflight } from "./native/preflight.ts";

const NAME = "track-recorder";
const LAB_INDEX = 3;
const DEADLINE_MS = 90_000;
const METRICS_PORT = 1 + Math.max(...SERVICES.map((name) => TOPOLOGY[name].metricsPort));

const ROW = `  "${NAME}": {
    name: "${NAME}",
    role: "counts tactical tracks",
    publishes: [],
    subscribes: ["TacticalTrackTopic"],
    metricsPort: ${METRICS_PORT},
  },
`;
const METRIC = `  ...emittedBy(["${NAME}"], {
    cms_recorder_received_total: counter("Tactical tracks received", "{track}"),
  }),
`;
const PROGRAM = `import { runService } from "../../lib/service/run-service.ts";

await runService("${NAME}", ({ bus, telemetry }) => {
  const received = telemetry.meters.counter("cms_recorder_received_total");
  bus.visit("TacticalTrackTopic", { message: () => received.add(1) });
});
`;

const canRun = await preflight(LAB_INDEX)
  .then(() => true)
  .catch((error: unknown) => /port/.test(messageOf(error)));
const ports = labPorts(LAB_INDEX);
const prometheusUrl = `http://127.0.0.1:${ports.prometheus}`;
let project: ProjectCopy;

/** Inserts `text` before the only occurrence of `before`. */
async function insert(path: string, before: string, text: string): Promise<void> {
  const file = join(project.folder, path);
  const source = await Bun.file(file).text();
  expect(source.split(before)).toHaveLength(2);
  await Bun.write(file, source.replace(before, `${text}${before}`));
}

describe.skipIf(!canRun)(
  "a service that is added to the table (needs root, Linux and its tools)",
  () => {
    beforeAll(async () => {
      project = await copyProject(["ffi", "lib", "observability", "scenarios", "services"]);
      const last = SERVICES.at(-1) ?? "";
      await insert(
        "lib/contract/topology.ts",
        `] as const;\nexport type ServiceName`,
        `  "${NAME}",\n`,
      );
      await insert("lib/contract/topology.ts", `  "${last}": {`, ROW);
      await insert("lib/contract/telemetry.ts", "  ...emittedBy(THREAT, {\n    cms_", METRIC);
      await Bun.write(join(project.folder, "services", NAME, "main.ts"), PROGRAM);
      const up = await project.bun("runner.ts", "up", "--lab", String(LAB_INDEX));
      expect(up).toMatchObject({ code: 0 });
    });
    afterAll(async () => {
      const down = await project.bun("runner.ts", "down", "--lab", String(LAB_INDEX));
      await project.remove();
      expect(down).toMatchObject({ code: 0 });
    });

    test("is started", async () => {
      const listed = await project.bun("runner.ts", "ps", "--lab", String(LAB_INDEX));
      expect(listed.text).toMatch(new RegExp(`^ *${NAME} +running`, "m"));
    });

    test("receives, and is scraped and shown on the host", async () => {
      const prometheus = createPrometheusClient(prometheusUrl);
      const instance = `${NAME}:${METRICS_PORT}`;
      await waitUntil(
        async () => {
          const expr = `cms_recorder_received_total{job="cms-services",instance="${instance}"}`;
          const [sample] = await prometheus.instant(expr);
          return { ok: (sample?.value ?? 0) > 0, seen: String(sample?.value) };
        },
        { what: "its metric in Prometheus", deadlineMs: DEADLINE_MS },
      );
      const port = ports.metrics[SERVICES[0]] - TOPOLOGY[SERVICES[0]].metricsPort + METRICS_PORT;
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(text).toContain("cms_recorder_received_total");
    });

    const noPages = WHY_NO_PAGES === undefined ? "" : ` (skipped: ${WHY_NO_PAGES})`;
    test.skipIf(noPages !== "")(
      `stands on the console as running, and the console throws nothing${noPages}`,
      async () => {
        const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
        try {
          const page = await browser.newPage();
          const errors: string[] = [];
          page.on("pageerror", (error) => errors.push(String(error)));
          await page.goto(`http://127.0.0.1:${ports.console}/`);
          const group = page.locator("#topology g").filter({ hasText: NAME });
          await group.locator("circle.running").waitFor({ timeout: DEADLINE_MS });
          expect(errors).toEqual([]);
          expect(await page.locator("#topology circle").count()).toBe(SERVICES.length + 1);
        } finally {
          await browser.close();
        }
      },
    );

    test("stands in the inventory of the investigators, with its place and its state", async () => {
      const script = `
        import { systemClock } from "./lib/base/clock.ts";
        import { inventory } from "./lib/investigate/tools/inventory.ts";
const get = async (url) => (await fetch(url)).json();
        console.log(JSON.stringify(await inventory(get, "${prometheusUrl}", systemClock.nowMs())));`;
      const { text } = await project.bun("-e", script);
      const { facts, notes } = JSON.parse(text) as {
        facts: { signal: string; service: string; value: unknown }[];
        notes: string[];
      };
      expect(notes).toContain(`${NAME}: counts tactical tracks; fed by track-fusion; feeds nobody`);
      const states = facts.filter(
        ({ signal, service }) => signal === "container_state" && service === NAME,
      );
      expect(states.map(({ value }) => value)).toEqual(["running"]);
    });

    test("belongs to the healthy system that a run waits for", async () => {
      const script = `
        import { createPrometheusClient } from "./lib/base/prometheus.ts";
        import { proveBaseline } from "./lib/run/steps.ts";
        await proveBaseline({
          prometheus: createPrometheusClient("${prometheusUrl}"),
          progress: { line() {}, waiting() {}, settle() {} },
          signal: new AbortController().signal,
        }, ${DEADLINE_MS * 2});
        console.log("healthy");`;
      const { text } = await project.bun("-e", script);
      expect(text).toContain("healthy");
    });
  },
);

/**
 * Checks the configuration of every available part with the part's own program, and tests the
 * Prometheus door from inside and outside.
 */
import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../../../base/env.ts";
import { run } from "../../../base/shell.ts";
import { parseAlertRules, ALERT_RULES_FILE } from "../../../contract/alert-rules.ts";
import { prometheusRules } from "../../native/prometheus-config.ts";
import { readComposeFile } from "../testing/compose-file.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");
const { services } = readComposeFile(`${ROOT}/docker-compose.yml`);
const TIMEOUT_MS = 120_000;

/** Runs a program of an image on files of the project. */
async function inImage(service: string, mounts: readonly string[], argv: readonly string[]) {
  const [entry = "", ...rest] = argv;
  const volumes = mounts.flatMap((mount) => ["--volume", `${mount}:ro`]);
  const image = services[service]?.image ?? "";
  return run(["docker", "run", "--rm", "--entrypoint", entry, ...volumes, image, ...rest], {
    timeoutMs: TIMEOUT_MS,
  });
}

test(
  "promtool accepts Prometheus' configuration and the rules made from the one file",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "rules-"));
    const rules = parseAlertRules(await Bun.file(`${ROOT}/${ALERT_RULES_FILE}`).text());
    await Bun.write(join(folder, "cms.json"), prometheusRules(rules));
    const mounts = [
      `${ROOT}/observability/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml`,
      `${folder}/cms.json:/etc/prometheus/rules/cms.json`,
    ];
    const config = ["promtool", "check", "config", "/etc/prometheus/prometheus.yml"];
    expect(await inImage("prometheus", mounts, config)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
    });
    const check = ["promtool", "check", "rules", "/etc/prometheus/rules/cms.json"];
    expect(await inImage("prometheus", mounts, check)).toMatchObject({ code: 0 });
  },
  TIMEOUT_MS,
);

test(
  "the Collector validates its configuration, and refuses one with a fault",
  async () => {
    const mount = `${ROOT}/observability/collector/config.yaml:/c.yaml`;
    const argv = ["/otelcol-contrib", "validate", "--config=/c.yaml"];
    expect(await inImage("otel-collector", [mount], argv)).toMatchObject({ code: 0 });
    const broken = join(mkdtempSync(join(tmpdir(), "collector-")), "c.yaml");
    const text = await Bun.file(`${ROOT}/observability/collector/config.yaml`).text();
    await Bun.write(broken, text.replace("exporters: [otlp/tempo", "exporters: [otlp/nowhere"));
    const refused = await inImage("otel-collector", [`${broken}:/c.yaml`], argv);
    expect(refused.code).not.toBe(0);
  },
  TIMEOUT_MS,
);

test(
  "Loki verifies its configuration, and refuses one with a fault",
  async () => {
    const mount = `${ROOT}/observability/loki/config.yaml:/l.yaml`;
    const argv = ["/usr/bin/loki", "-verify-config", "-config.file=/l.yaml"];
    expect(await inImage("loki", [mount], argv)).toMatchObject({ code: 0 });
    const broken = join(mkdtempSync(join(tmpdir(), "loki-")), "l.yaml");
    await Bun.write(broken, "retention: forever\n");
    expect((await inImage("loki", [`${broken}:/l.yaml`], argv)).code).not.toBe(0);
  },
  TIMEOUT_MS,
);

test("Compose accepts the file with every profile", async () => {
  const { PATH } = processEnv();
  const argv = ["docker", "compose", "--file", "docker-compose.yml"];
  const profiles = ["cadvisor", "ollama", "opensre"].flatMap((name) => ["--profile", name]);
  const { code, stderr } = await run([...argv, ...profiles, "config", "--quiet"], {
    cwd: ROOT,
    env: { PATH },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../../base/env.ts";
import { checkCitation } from "../../contract/citation.ts";
import { singleFormOf } from "../../contract/testing/answers.ts";
import { simulatedAlert } from "../testing/system.ts";
import { createOpenSreInvestigator } from "./opensre.ts";
import { readReport } from "./read-report.ts";

const folder = mkdtempSync(join(tmpdir(), "opensre-test-"));
/** A simulated Grafana whose Prometheus reports that one sensor's process has exited. */
const grafana = Bun.serve({
  port: 0,
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/datasources") {
      return Response.json([{ uid: "prometheus", name: "Prometheus", type: "prometheus" }]);
    }
    if (!pathname.endsWith("/api/v1/query"))
      return Response.json({ message: "no" }, { status: 404 });
    const metric = { __name__: "container_state", name: "eo-sensor", state: "exited" };
    const result = [{ metric, value: [1, "1"] }];
    return Response.json({ status: "success", data: { resultType: "vector", result } });
  },
});
afterAll(async () => {
  await grafana.stop(true);
  rmSync(folder, { recursive: true });
});

const ASK = `endpoint=$(sed -n 's/.*"endpoint":"\\([^"]*\\)".*/\\1/p' "$HOME/.tracer/integrations.json")
curl -s "$endpoint/api/datasources" > /dev/null
curl -s "$endpoint/api/datasources/proxy/uid/prometheus/api/v1/query?query=container_state" > /dev/null`;
const RCA = {
  root_cause:
    "The eo-sensor process exited: container_state shows it. cms_sensor_published_total fell.",
  report: "Recommended next step: start the eo-sensor again.",
  problem_md: "",
  is_noise: false,
};

let programs = 0;

/**
 * Runs the investigator with a simulated program that takes the real one's arguments: `--yes
 * investigate --input A --output B`.
 */
async function investigate(
  script: string,
  wallMs = 120_000,
  generation: "investigate" | "ask" = "investigate",
) {
  const program = join(folder, `opensre-${programs++}`);
  const probed = `case "$1" in --version) echo "opensre, version 2026.4.5"; exit;; --help) echo "Commands:"; echo "  ${generation}  Does it."; exit;; esac`;
  writeFileSync(program, `#!/bin/sh\n${probed}\nalert="$4"; output="$6"\n${script}\n`);
  chmodSync(program, 0o755);
  const lines: string[] = [];
  const base = grafana.url.origin;
  const result = await createOpenSreInvestigator({
    model: "m:1b",
    env: { PATH: processEnv()["PATH"], OPENSRE_BIN: program, npm_lifecycle_script: "secret" },
  }).investigate({
    alert: simulatedAlert("Sensor down", "eo-sensor", "No scrape for 30 seconds."),
    urls: { grafana: base, prometheus: base, loki: base, tempo: base },
    budget: { wallMs, rounds: 5, tokens: 1000 },
    seed: 1,
    transcript: {
      phase: (...said) => lines.push(said.join(" ")),
      note: (line) => lines.push(line),
    },
  });
  return { result, lines };
}

const write = (rca: object): string => `cat > "$output" <<'JSON'\n${JSON.stringify(rca)}\nJSON`;

describe("OpenSRE", () => {
  test("is given alert and integrations, its reading is recorded and its prose becomes an answer", async () => {
    const { result } = await investigate(`test -z "$npm_lifecycle_script" || exit 9
grep -q '"alert_name":"Sensor down"' "$alert" || exit 8
cmp "$HOME/.tracer/integrations.json" "$HOME/.opensre/integrations.json" || exit 7
test "$LLM_PROVIDER$OLLAMA_MODEL" = ollamam:1b || exit 6
${ASK}
echo "  ● Diagnosing  2ms  confidence 65%"
echo "  ● Diagnosing  1ms  confidence 80%"
${write(RCA)}`);
    expect(result.cost.rounds).toBe(2);
    expect(result.outcome).toMatchObject({
      kind: "answered",
      answer: {
        faults: [
          {
            culprit: "eo-sensor",
            fault_class: "process_exited",
            remediation: { action: "start_service", target: "eo-sensor" },
          },
        ],
        confidence: 0.8,
      },
    });
    if (result.outcome.kind !== "answered") throw new Error("no answer");
    const { evidence } = result.outcome.answer;
    expect(evidence).toMatchObject([{ signal: "container_state", service: "eo-sensor", value: 1 }]);
    for (const citation of evidence) {
      expect(checkCitation(citation, result.evidence).grounded).toBe(true);
    }
    expect(result.struckCitations).toBe(1);
    expect(result.details).toMatchObject({
      version: "2026.4.5",
      generation: "investigate",
      telemetry_calls: 1,
      unread: ["cms_sensor_published_total"],
    });
  });

  test("of the newer generation is asked, and its document is read", async () => {
    const response = [
      "I looked at Grafana.",
      "**Root cause:** The eo-sensor process exited.",
      "",
      "Evidence: container_state",
      "Recommended action: start the eo-sensor again.",
      "Confidence: 70%",
    ].join("\n");
    const envelope = { status: "success", response, denied_tools: [], error: null };
    const { result } = await investigate(
      `test "$*" = "--json ask -" || exit 9
grep -q '"alert_name":"Sensor down"' || exit 8
${ASK}
cat <<'JSON'
${JSON.stringify(envelope)}
JSON`,
      120_000,
      "ask",
    );
    expect(result.details).toMatchObject({ version: "2026.4.5", generation: "ask" });
    if (result.outcome.kind !== "answered") throw new Error(result.outcome.reason);
    expect(singleFormOf(result.outcome.answer)).toMatchObject({
      culprit: "eo-sensor",
      fault_class: "process_exited",
      mechanism: "The eo-sensor process exited.",
      confidence: 0.7,
      remediation: { action: "start_service", target: "eo-sensor" },
    });
  });

  test.each([
    [{ status: "error", response: "", error: { message: "no model" } }, "status error: no model"],
    [{ status: "needs_input", response: "Which cluster?" }, "status needs_input: Which cluster?"],
    ["Traceback", "printed no answer"],
  ])("of the newer generation that ends with %p fails in its own words", async (said, reason) => {
    const text = typeof said === "string" ? said : JSON.stringify(said);
    const { result } = await investigate(`${ASK}\necho '${text}'\nexit 1`, 120_000, "ask");
    expect(result.outcome).toMatchObject({
      kind: "agent-failure",
      reason: expect.stringContaining(reason),
    });
  });

  const failures: readonly (readonly [string, string, string])[] = [
    ["no telemetry was read", write(RCA), "the adapter failed: OpenSRE asked for no metrics"],
    [
      "its model does not answer",
      "echo 'LLM API request failed after multiple retries' >&2; exit 1",
      "OpenSRE exited with 1: LLM API request failed after multiple retries",
    ],
    ["it writes nothing", `${ASK}; echo bye`, "OpenSRE wrote no rca.json: bye"],
    ["it writes no JSON", `${ASK}; echo hm > "$output"`, "rca.json: "],
    ["it does not end", "exec sleep 60", "OpenSRE did not end within 0.5 s"],
  ];
  for (const [name, script, reason] of failures) {
    test(`${name}: a stated failure`, async () => {
      const { result } = await investigate(script, name === "it does not end" ? 500 : undefined);
      expect(result.outcome).toMatchObject({
        kind: "agent-failure",
        reason: expect.stringContaining(reason),
      });
    });
  }

  test("that is not installed is said with how to name it", async () => {
    const investigator = createOpenSreInvestigator({ model: "m:1b", env: { PATH: "/nowhere" } });
    const base = grafana.url.origin;
    const result = await investigator.investigate({
      alert: simulatedAlert("Sensor down", "eo-sensor", "d"),
      urls: { grafana: base, prometheus: base, loki: base, tempo: base },
      budget: { wallMs: 1000, rounds: 1, tokens: 1 },
      seed: 1,
      transcript: { phase: () => {}, note: () => {} },
    });
    expect(result.outcome).toMatchObject({
      kind: "agent-failure",
      reason: expect.stringContaining("Cannot start opensre"),
    });
  });
});

describe("a report in prose", () => {
  const ALERT = simulatedAlert("Tracks lost", "tactical-display", "Fewer targets than usual.");
  const read = (rootCause: string, report = "", isNoise = false, alert = ALERT) =>
    singleFormOf(readReport({ rootCause, report, isNoise, alert }, []).answer);

  test("says the class whose words come first, and the service that is named first", () => {
    expect(
      read("radar-sensor floods the bus with messages, so track-fusion's queue depth grows"),
    ).toMatchObject({ culprit: "radar-sensor", fault_class: "message_flood" });
    expect(read("CPU throttling of Track Fusion")).toMatchObject({
      culprit: "track-fusion",
      fault_class: "cpu_starvation",
    });
    expect(read("esm sensor offers an incompatible QoS; correct the QoS profile")).toMatchObject({
      culprit: "esm-sensor",
      fault_class: "qos_mismatch",
    });
  });

  test("says in its words how sure it is, if nowhere else", () => {
    expect(read("The eo-sensor exited.", "Confidence: 80%").confidence).toBe(0.8);
  });

  const denials: readonly (readonly [string, string | null, string])[] = [
    [
      "This is not a memory leak: the processor of track-fusion is throttled.",
      "track-fusion",
      "cpu_starvation",
    ],
    [
      "There is no evidence of a network partition. The esm-sensor offers an incompatible QoS.",
      "esm-sensor",
      "qos_mismatch",
    ],
    [
      "A message flood was ruled out; memory growth in track-fusion explains it.",
      "track-fusion",
      "memory_leak",
    ],
    [
      "No network partition, memory leak or clock skew, but the radar-sensor floods.",
      "radar-sensor",
      "message_flood",
    ],
    ["track-fusion is healthy, while the eo-sensor hangs.", "eo-sensor", "hang"],
    [
      "The radar-sensor does not publish because its process exited.",
      "radar-sensor",
      "process_exited",
    ],
    ["track-fusion is not the cause.", null, "unknown"],
    ["Neither a memory leak nor CPU throttling was seen.", null, "unknown"],
  ];
  test.each(denials)("is read with its denials: %s", (text, culprit, fault_class) => {
    expect(read(text)).toMatchObject({ culprit, fault_class });
  });

  test("earns nothing by repeating the alert", () => {
    const flood = simulatedAlert(
      "Sensor flood",
      "radar-sensor",
      "radar-sensor publishes too many messages.",
    );
    const repeated = read(
      "The alert Sensor flood fired: radar-sensor publishes too many messages.",
      "Critical alert about radar-sensor: sensor flood.",
      false,
      flood,
    );
    expect(repeated).toMatchObject({ culprit: null, fault_class: "unknown" });
    const found = read(
      "Sensor flood: radar-sensor. Its scan interval shrank to five milliseconds, a flood of radar-sensor.",
      "",
      false,
      flood,
    );
    expect(found).toMatchObject({ culprit: "radar-sensor", fault_class: "message_flood" });
  });

  test("that says nothing stays unsure", () => {
    expect(read("Insufficient evidence.")).toMatchObject({
      culprit: null,
      fault_class: "unknown",
      confidence: 0.5,
      remediation: { action: "gather_more_evidence" },
    });
  });

  test("that calls the alert noise says that nothing is wrong", () => {
    expect(read("The radar-sensor is fine", "", true)).toMatchObject({
      culprit: null,
      fault_class: "none",
      remediation: { action: "no_action", target: null },
    });
  });
});

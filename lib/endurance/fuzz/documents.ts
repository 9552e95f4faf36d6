/** Fuzzes documents of people and programs: alerts, scenarios, answers, environments. */
import { UsageError } from "../../base/errors.ts";
import { type Alert, AlertSchema, withoutScenario } from "../../contract/alert.ts";
import { AnswerShape } from "../../contract/answer.ts";
import { MAX_TARGETS } from "../../contract/fleet.ts";
import { readAnswer } from "../../investigate/answer/read-answer.ts";
import { ollamaSettings } from "../../investigate/model/settings.ts";
import { readSettings } from "../../service/settings.ts";
import { otlpSettings } from "../../telemetry/otlp-settings.ts";
import { loadAllScenarios, parseDefinition, type Scenario } from "../../../scenarios/load.ts";
import { mutateText, mutateValue, pick } from "./mutate.ts";
import { must, type Target, verdictOf } from "./target.ts";

/** A value for a reader, with functions. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    ["function", "undefined", "bigint"].includes(typeof item) ||
    Number.isNaN(item) ||
    item === Infinity
      ? `[${typeof item === "function" ? "function" : String(item)}]`
      : item,
  ) ?? String(value);

/** Whether a document has changed Object.prototype. */
const isPolluted = (): boolean => "polluted" in {};

export function alerts(scenarios: readonly Scenario[]): Target {
  const seeds: readonly Alert[] = scenarios.map(({ alertTemplate }) => alertTemplate);
  const words = ["scenario", "grafana", "radar-sensor", "critical", "firing", "commonLabels", "ok"];
  return {
    name: "alert",
    make: (prng) => mutateValue(prng, pick(prng, seeds), words),
    attempt: (input) => {
      const parsed = AlertSchema.safeParse(input);
      must(!isPolluted(), "an alert changes no prototype");
      if (!parsed.success) return "refused";
      const alert = withoutScenario(parsed.data);
      must(!("scenario" in alert.commonAnnotations), "the scenario's name is removed");
      must(
        alert.alerts.every(({ annotations }) => !("scenario" in annotations)),
        "from each alert too",
      );
      must(AlertSchema.safeParse(JSON.parse(JSON.stringify(alert))).success, "it can be sent");
      return "taken";
    },
    show: shown,
  };
}

const DEFINED = [
  "title",
  "control",
  "fault",
  "signature",
  "harm",
  "investigate",
  "deadlines",
  "metric",
  "truth",
] as const;

export function definitions(scenarios: readonly Scenario[]): Target {
  const seeds = scenarios.map((scenario) => ({
    ...Object.fromEntries(DEFINED.map((key) => [key, scenario[key]])),
    alert: scenario.alerts,
  }));
  const words = [
    "radar-sensor",
    "track-fusion",
    "sensor-down",
    "while-firing",
    "none",
    "deadlines",
  ];
  return {
    name: "scenario",
    make: (prng) => mutateValue(prng, pick(prng, seeds), words),
    attempt: (input) =>
      verdictOf(
        () => {
          const { fault, signature, alert, deadlines } = parseDefinition(input, "fuzz");
          must(!isPolluted(), "a scenario changes no prototype");
          const functions = [fault.inject, fault.probe, signature.holds] as unknown[];
          must(
            functions.every((one) => typeof one === "function"),
            "what is called is a function",
          );
          must(alert.length > 0, "a scenario accepts an alert");
          const times = Object.values<number | undefined>(deadlines);
          must(
            times.every((ms) => ms === undefined || (ms > 0 && Number.isFinite(ms))),
            "a deadline is a time",
          );
        },
        (error) => error instanceof UsageError,
      ),
    show: shown,
  };
}

const ANSWER = {
  faults: [
    {
      culprit: "esm-sensor",
      fault_class: "network_partition",
      remediation: {
        action: "restore_network",
        target: "esm-sensor",
        parameters: { a: 1 },
        prose: "p",
      },
    },
    { culprit: null, fault_class: "unknown", remediation: { action: "gather_more_evidence" } },
  ],
  mechanism: "It is cut off.",
  onset: "2026-01-01T00:00:00Z",
  causal_chain: [{ service: "esm-sensor", effect: "silent" }],
  evidence: [
    { call_id: "E1", signal: "up", service: "esm-sensor", value: 0, claim: "no scrape" },
    { call_id: "E2", signal: "x", service: null, value: "text", claim: "c" },
  ],
  confidence: 0.9,
  alternatives: [{ service: "eo-sensor", fault_class: "process_exited", ruled_out_by: "it runs" }],
};
const SINGLE = {
  ...ANSWER.faults[0],
  mechanism: "m",
  onset: null,
  causal_chain: [],
  evidence: [],
  confidence: "90 %",
};
const ANSWER_WORDS = [
  "faults",
  "culprit",
  "fault_class",
  "remediation",
  "evidence",
  "confidence",
  "none",
  "unknown",
  "Radar Sensor",
  "RADAR-1",
  "host",
  "oom_killed",
  "high",
  "certain",
  "87%",
  "0.5",
  "yesterday",
];

export function answers(): Target {
  return {
    name: "Answer",
    make: (prng) => mutateValue(prng, pick(prng, [ANSWER, SINGLE]), ANSWER_WORDS),
    attempt: (input) => {
      const { answer, complaints, statedConfidence } = readAnswer(input);
      must(!isPolluted(), "an answer changes no prototype");
      must(
        statedConfidence === undefined || (statedConfidence >= 0 && statedConfidence <= 1),
        "a confidence is a probability",
      );
      if (answer === null) {
        must(complaints.length > 0, "what is refused is complained of");
        return "refused";
      }
      must(AnswerShape.safeParse(answer).success, "what is taken has the shape");
      must(
        AnswerShape.safeParse(JSON.parse(JSON.stringify(answer))).success,
        "and still has it when it was kept",
      );
      return "taken";
    },
    show: shown,
  };
}

const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  PUBLISH_RATE_HZ: ["10", "200", "0.5"],
  CMS_FORCE_QOS: ["RELIABLE_KEEP_LAST", "EXCLUSIVE_OWNERSHIP"],
  CMS_LEAK_RATE_BYTES: ["0", "10240"],
  CMS_INBOX_CAPACITY: ["10000"],
  CMS_DDS_DOMAIN: ["0", "230"],
  CMS_TARGETS: ["3", "1000"],
  CMS_SENSORS: ["RADAR-1,ESM-2,EO-3", "RADAR-1"],
  CMS_SEED: ["7", "4294967295"],
  CMS_TARGET_SEPARATION_M: ["20000", "100.5"],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["http://localhost:4317", "https://[::1]:4317/"],
  OTEL_EXPORTER_OTLP_HEADERS: ["a=b,c=d%20e"],
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: ["x-key=1"],
  OTEL_EXPORTER_OTLP_COMPRESSION: ["gzip", "none"],
  OTEL_EXPORTER_OTLP_TIMEOUT: ["2000"],
  OTEL_EXPORTER_OTLP_PROTOCOL: ["grpc"],
  OLLAMA_HOST: ["127.0.0.1:11434", "http://host:1/"],
  OLLAMA_MODEL: ["qwen2.5:7b", "registry/user/name:tag"],
  OLLAMA_CONTEXT_LENGTH: ["8192"],
};
const NAMES = Object.keys(VARIABLES);
const ENV_WORDS = [
  "RADAR-1",
  "ESM-99",
  ",",
  "=",
  " ",
  "+",
  "-",
  ".",
  "e3",
  "0x10",
  "Infinity",
  "1e400",
  "%",
  "%zz",
  "http://",
  "https://",
  "@",
  ":",
  "/",
  "?",
  "#",
  "[::1]",
  "é",
  "\u0000",
  "BEST_EFFORT",
];

export function environments(): Target<Record<string, string>> {
  return {
    name: "environment",
    make: (prng) => {
      const env: Record<string, string> = {};
      for (let left = 1 + Math.floor(prng.next() * 4); left > 0; left--) {
        const name = pick(prng, NAMES);
        const good = VARIABLES[name] ?? [];
        env[name] = prng.next() < 0.4 ? pick(prng, good) : mutateText(prng, good, ENV_WORDS, 200);
      }
      return env;
    },
    attempt: (env) =>
      verdictOf(
        () => {
          const settings = readSettings(env);
          must(settings.targets >= 1 && settings.targets <= MAX_TARGETS, "targets are in range");
          must(Number.isInteger(settings.targets), "targets are whole");
          must(settings.sensors.length > 0, "there is a sensor");
          const rate = settings.publishRateHz;
          must(rate === undefined || (rate >= 0.01 && rate <= 1000), "a rate is in range");
          must(settings.inboxCapacity >= 1, "an inbox has a place");
          for (const signal of ["traces", "metrics", "logs"] as const) {
            must(/^https?:\/\//.test(otlpSettings(env, signal).url), "OTLP goes to a URL");
          }
          const { host, contextTokens } = ollamaSettings(env);
          must(URL.canParse(host), "Ollama is at a URL");
          must(Number.isInteger(contextTokens), "a context is whole");
        },
        (error) => error instanceof UsageError,
      ),
    show: (env) => JSON.stringify(env),
  };
}

/** All scenarios, with the parts that the other targets need. */
export const loadSeeds = (): Promise<Scenario[]> => loadAllScenarios();

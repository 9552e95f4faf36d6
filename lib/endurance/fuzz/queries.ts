/**
 * Fuzzes LogQL, TraceQL and regular expressions: parses each input, and evaluates it over a small
 * store if it parses.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { Budget } from "../../../observability/server/budget.ts";
import { runLogQuery } from "../../../observability/server/loki/log-query.ts";
import { runMetricQuery } from "../../../observability/server/loki/metric-query.ts";
import { parseLogQl } from "../../../observability/server/loki/parse.ts";
import { Ingress } from "../../../observability/server/otlp/ingress.ts";
import { PushedMetrics } from "../../../observability/server/otlp/pushed-metrics.ts";
import { QueryError } from "../../../observability/server/query-error.ts";
import { compileRegex, RegexError } from "../../../observability/server/regex.ts";
import { DEFAULT_LIMITS } from "../../../observability/server/store/retention.ts";
import { Store } from "../../../observability/server/store/store.ts";
import { parseTraceQl } from "../../../observability/server/tempo/parse.ts";
import { searchTraces } from "../../../observability/server/tempo/search.ts";
import { mutateText, pick } from "./mutate.ts";
import { must, type Target, type Verdict, verdictOf } from "./target.ts";

const BASE_MS = 1_767_225_600_000;
const BASE_NS = BigInt(BASE_MS) * 1_000_000n;
const SECOND_NS = 1_000_000_000n;
const QUERY_DEADLINE_MS = 2000;

const LINES = [
  '{"event":"sensor_heartbeat","level":"info","rate":9.5,"nested":{"a":[1,2]}}',
  'level=warn msg="queue is full" depth=1000 took=1.5s size=3KB',
  "plain text with \u{1F4A5} and no fields",
  "",
  '{"broken": ',
];

/** A store with a few lines and spans; disposing removes its folder. */
export class SmallStore implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "fuzz-store-"));
  readonly path = join(this.#folder, "telemetry.sqlite");
  readonly store = new Store({ folder: this.#folder, clock: systemClock, limits: DEFAULT_LIMITS });

  constructor() {
    const ingress = new Ingress(this.store, new PushedMetrics(systemClock), systemClock);
    const of = (service: string) => ({
      attributes: [{ key: "service.name", value: { stringValue: service } }],
    });
    const at = (seconds: number): string => String(BASE_NS + BigInt(seconds) * SECOND_NS);
    for (const [i, service] of ["radar-sensor", "track-fusion"].entries()) {
      const logRecords = LINES.map((stringValue, n) => ({
        timeUnixNano: at(n),
        body: { stringValue },
        attributes: [{ key: "n", value: { intValue: String(n) } }],
      }));
      const spans = [0, 1, 2].map((n) => ({
        traceId: String(n).padStart(32, "0"),
        spanId: `${i}${n}`.padStart(16, "1"),
        parentSpanId: i === 0 ? "" : `0${n}`.padStart(16, "1"),
        name: i === 0 ? "sensor.scan" : "fusion.ingest",
        kind: i + 1,
        startTimeUnixNano: at(n),
        endTimeUnixNano: at(n + i + 1),
        attributes: [{ key: "count", value: { intValue: String(n) } }],
        status: { code: n },
      }));
      const resource = of(service);
      ingress.acceptJson(
        "logs",
        JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }),
      );
      ingress.acceptJson(
        "traces",
        JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
      );
    }
    this.store.flush();
  }

  [Symbol.dispose](): void {
    this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Runs a query to its end: refused if it breaks a rule of its language or a limit. */
async function verdictOfQuery(body: () => Promise<unknown>): Promise<Verdict> {
  try {
    await body();
    return "taken";
  } catch (error) {
    if (error instanceof QueryError) return "refused";
    throw error;
  }
}

const LOGQL = [
  '{service_name="radar-sensor"}',
  '{service_name=~"radar.*|track.+", n!="1"} |= "heartbeat" != "x" |~ "rate\\":[0-9.]+"',
  '{service_name=~".+"} | json | level="info" and rate > 5 or depth >= 10',
  '{service_name=~".+"} | json first="nested.a[0]", event | line_format "{{.event}}"',
  '{service_name=~".+"} | logfmt | took > 1s | size < 1MB | drop msg | keep level',
  'sum by (level) (count_over_time({service_name=~".+"} | json [1m]))',
  'topk(2, rate({service_name="track-fusion"}[30s] offset 5s)) > 0.1',
  'quantile_over_time(0.9, {service_name=~".+"} | logfmt | unwrap duration(took) [1m]) by (level)',
  'avg without (n) (sum_over_time({service_name=~".+"} | json | unwrap rate [10s])) * 2 - 1 ^ 2',
  'absent_over_time({service_name="nobody"}[5m])',
  "1 + 2 * (3 - 4) / 5 % 6",
] as const;
const LOGQL_WORDS = [
  ..."{}()[]|,=~!<>+-*/%^".split(""),
  "|=",
  "!=",
  "|~",
  "!~",
  "=~",
  "==",
  ">=",
  " | json ",
  " | logfmt ",
  " | unwrap x ",
  "[5m]",
  " by (a) ",
  " without () ",
  "sum(",
  "rate(",
  "topk(",
  " offset 1h",
  " or ",
  " and ",
  "`a`",
  '"(a|b)*"',
  "service_name",
  "__error__",
  "1e308",
  "9999999999d",
  " bool ",
  "ip(",
  "label_replace(",
];

export function logql(small: SmallStore): Target<string> {
  const window = { startNs: BASE_NS - SECOND_NS, endNs: BASE_NS + 60n * SECOND_NS };
  const steps = { startNs: BASE_NS, stepNs: 10n * SECOND_NS, count: 6 };
  return {
    name: "LogQL",
    make: (prng) => mutateText(prng, LOGQL, LOGQL_WORDS),
    attempt: (text) =>
      verdictOfQuery(async () => {
        const query = parseLogQl(text);
        const budget = new Budget(QUERY_DEADLINE_MS);
        if (query.kind !== "log") return runMetricQuery(small.store, query, steps, budget);
        const options = { window, limit: 10, direction: "backward", categorize: true } as const;
        return runLogQuery(small.store, query, options, budget);
      }),
    show: (text) => text,
  };
}

const TRACEQL = [
  "{}",
  '{ .service.name = "radar-sensor" && duration > 1s }',
  '{ span.count >= 1 || resource.service.name =~ "track.*" } && { status = error }',
  '{ name = "sensor.scan" } >> { kind = client } | count() > 1',
  '{ rootName = "sensor.scan" && !(.count = 2) } | avg(duration) > 1ms | select(span.count, name)',
  '{ nestedSetLeft > 3 } ~ { trace:id = "1" } < { statusMessage != nil }',
] as const;
const TRACEQL_WORDS = [
  ..."{}()|,=~!<>.&".split(""),
  "&&",
  "||",
  ">>",
  "<<",
  "=~",
  "!~",
  "!=",
  " nil ",
  " true ",
  "1ms",
  "2.5h",
  "duration",
  "span.",
  "resource.",
  "| count() ",
  "| max(",
  " by(",
  "status",
  "error",
  "kind",
  "server",
  '"x"',
  "`a`",
  "-1",
];

export function traceql(small: SmallStore): Target<string> {
  const options = { startNs: 0n, endNs: 2n ** 63n - 1n, limit: 20, spansPerSpanset: 3 };
  return {
    name: "TraceQL",
    make: (prng) => mutateText(prng, TRACEQL, TRACEQL_WORDS),
    attempt: (text) =>
      verdictOfQuery(() =>
        searchTraces(small.store, parseTraceQl(text), options, new Budget(QUERY_DEADLINE_MS)),
      ),
    show: (text) => text,
  };
}

const REGEX = [
  "radar.*|esm.+",
  "^(a+)+$",
  "(?i)heart(beat)?",
  "[a-z0-9_.-]{1,64}@[^\\s]+",
  "\\d{4}-\\d\\d",
  "(?P<name>x)(?:y|z)*?",
  "\\pL+\\x{1F4A5}\\Qa.b\\E",
  "a{2,5}b{3}",
] as const;
const REGEX_WORDS = [
  ..."()[]{}|*+?.^$\\-,abc".split(""),
  "(?:",
  "(?i)",
  "(?P<n>",
  "{1,1000}",
  "{1000}",
  "\\d",
  "\\W",
  "\\b",
  "\\p{Greek}",
  "[:alpha:]",
  "[^",
  "\\Q",
  "\\E",
  "*?",
  "+?",
  "(?=",
  "\\1",
  "\\x{10FFFF}",
  "\\C",
];
/** Characters with the same meaning in RE2 and JavaScript, so that the two can be compared. */
const SHARED_CHARACTERS = "abc.*+?|()abc".split("");
const SHARED = /^[abc.*+?|()]*$/;
const TEXTS = ["", "a", "abcabc", "radar-sensor", "aaaaaaaaaaaaaaaaaaaaaaaa!", "\u{1F4A5}", "a\nb"];
const SHARED_TEXTS = ["", "a", "b", "ab", "cab", "abcabc", "aabbcc"];

function javascriptOf(pattern: string): RegExp | undefined {
  try {
    // `a**` is an error in JavaScript and a repeated repetition in RE2.
    return new RegExp(pattern, "s");
  } catch {
    return undefined;
  }
}

export function regex(): Target<string> {
  return {
    name: "regex",
    make: (prng) => {
      if (prng.next() < 0.8) return mutateText(prng, REGEX, REGEX_WORDS, 300);
      return Array.from({ length: 1 + Math.floor(prng.next() * 9) }, () =>
        pick(prng, SHARED_CHARACTERS),
      ).join("");
    },
    attempt: (pattern) =>
      verdictOf(
        () => {
          const whole = compileRegex(pattern, true);
          const part = compileRegex(pattern, false);
          for (const text of TEXTS) {
            // RE2 and JavaScript must agree on whole matches.
            must(
              !whole(text) || part(text),
              `${pattern} matches all of ${text}, but no part of it`,
            );
          }
          const javascript = SHARED.test(pattern) ? javascriptOf(pattern) : undefined;
          if (javascript === undefined) return;
          for (const text of SHARED_TEXTS) {
            must(part(text) === javascript.test(text), `${pattern} on ${text} is as in JavaScript`);
          }
        },
        (error) => error instanceof RegexError,
      ),
    show: (pattern) => pattern,
  };
}

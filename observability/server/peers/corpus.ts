/** The queries for both servers. */

export interface Case {
  readonly path:
    | "query_range"
    | "query"
    | "labels"
    | "label/service_name/values"
    | "label/none/values"
    | "series";
  readonly query: string;
  /** Further parameters; the comparison adds `start` and `end`, or `time`. */
  readonly params?: Readonly<Record<string, string>>;
  /** Requests structured metadata and parsed labels separately from the stream's labels. */
  readonly categorize?: boolean;
}

const range = (query: string, params: Record<string, string> = {}): Case => ({
  path: "query_range",
  query,
  params,
});
const instant = (query: string): Case => ({ path: "query", query });
const ONE = '{service_name="radar-sensor"}';
const ALL = '{service_name=~".+"}';

const SELECTORS = [
  range(ONE),
  range('{service_name=~"radar.*|esm.*"}', { limit: "20" }),
  range('{service_name!="radar-sensor", service_namespace="cms"}'),
  range('{service_name=~".+", service_name!~"radar.*|odd.*"}', { limit: "30" }),
  range('{service_namespace="cms"}', { direction: "forward", limit: "15" }),
  range('{service_name="nobody"}'),
  range('{service_name="odd service"}', { limit: "5" }),
  range('{service_name=~"RADAR-SENSOR"}'),
  range('{service_name=~"(?i)RADAR-SENSOR"}', { limit: "3" }),
  range('{service_name="radar-sensor", absent=""}', { limit: "3" }),
  range("{service_name=`radar-sensor`}", { limit: "1", direction: "forward" }),
  { ...range(`${ONE} | json`, { limit: "5" }), categorize: true },
  { ...range(`${ONE} |= "msg" | logfmt`, { limit: "5" }), categorize: true },
];

const LINE_FILTERS = [
  range(`${ONE} |= "heartbeat"`),
  range(`${ONE} != "heartbeat"`, { limit: "10" }),
  range(`${ONE} |~ "n\\":1[0-9],"`),
  range(`${ONE} !~ "event|level"`),
  range(`${ALL} |= "日本"`, { limit: "7" }),
  range(`${ALL} |= "\\"quotes\\"" |= "back\\\\slash"`, { limit: "7" }),
  range(`${ALL} |= "quotes" != "7"`, { limit: "12" }),
  range(`${ONE} |= "broken" or "failed"`),
  range(`${ONE} |~ "(?i)error"`),
  range(`${ONE} |~ "^ERROR .* tries$"`),
  range(`${ONE} |= ""`, { limit: "2" }),
  range(`${ONE} |= "' OR 1=1 --"`),
];

const STAGES = [
  range(`${ONE} | json`, { limit: "25" }),
  range(`${ONE} | json | event="sensor_heartbeat"`, { limit: "10" }),
  range(`${ONE} | json | level!="INFO" | __error__=""`),
  range(`${ONE} | json | n > 100`, { limit: "20" }),
  range(`${ONE} | json | n >= 10 and n < 20`),
  range(`${ONE} | json | n = 12 or ratio == 3.25 | __error__=""`),
  range(`${ONE} | json | took > 1s | __error__=""`, { limit: "10" }),
  range(`${ONE} | json | size >= 200KB | __error__=""`),
  range(`${ONE} | json | ok="true" | n > 200 | __error__=""`),
  range(`${ONE} | json | nested_inner_value = 2 | __error__=""`, { limit: "5" }),
  range(`${ONE} | json | nested_a_b="dots"`, { limit: "2" }),
  range(`${ONE} | json | service_name_extracted=~"from.*"`, { limit: "2" }),
  range(`${ONE} | json | weird_key="w"`, { limit: "2" }),
  range(`${ONE} | json e="event", v="nested.inner.value", first="list[0]"`, { limit: "8" }),
  range(`${ONE} | json e="event", v="nested.nowhere", first="list[7]"`, { limit: "8" }),
  range(`${ONE} | json | took >= 2s`, { limit: "50" }),
  range(`${ONE} | json | size < 10KB`, { limit: "50" }),
  range(`${ONE} | json | event > 5`, { limit: "50" }),
  range(`${ONE} | json | __error__="JSONParserErr"`, { limit: "4" }),
  range(`${ONE} | json | (event="sensor_heartbeat" or level="WARN") and n > 150`, { limit: "9" }),
  range(`${ONE} | json | level="WARN" or event="sensor_heartbeat" and n > 230`, { limit: "40" }),
  range(`${ONE} |= "msg" | logfmt | depth > 50 and took < 200ms`),
  range(`${ONE} | event_name="event-1" | count="2"`),
  range(`${ONE} | count > 3`, { limit: "5" }),
  range(`${ONE} | detected_level="warn"`, { limit: "5" }),
  range(`${ONE} | trace_id=~"ab.*03"`, { limit: "5" }),
  range(`${ONE} | json | drop n, ratio, took, size`, { limit: "5" }),
  range(`${ONE} | json | keep event, n`, { limit: "5" }),
  range(`${ONE} | nothing_there > 5`),
  range(`${ONE} | json | event=~"sensor_.+" | event!~".*ready"`, { limit: "4" }),
];

const STEP = { step: "60" };
const METRICS = [
  range(`count_over_time(${ONE}[1m])`, STEP),
  range(`sum(count_over_time(${ALL}[1m]))`, STEP),
  range(`sum by (service_name) (count_over_time(${ALL}[1m]))`, STEP),
  range(`sum by (service_name) (rate(${ALL}[2m]))`, { step: "30" }),
  range(`sum(rate(${ALL} |= "heartbeat" [1m])) by (service_name)`, STEP),
  range(
    `sum without (service_name, event_name, count, flag, share, trace_id, span_id) (count_over_time(${ONE}[1m]))`,
    STEP,
  ),
  range(`sum by (level) (count_over_time(${ONE} | json | __error__="" [2m]))`, STEP),
  range(`sum by (event) (count_over_time(${ALL} | json | n > 50 | __error__="" [1m]))`, STEP),
  range(`sum(bytes_over_time(${ALL}[1m]))`, STEP),
  range(`sum by (service_name) (bytes_rate(${ALL}[1m]))`, STEP),
  range(`avg(count_over_time(${ALL}[1m])) by (detected_level)`, STEP),
  range(
    `max by (service_name) (sum by (service_name, detected_level) (count_over_time(${ALL}[1m])))`,
    STEP,
  ),
  range(`min(sum by (service_name) (count_over_time(${ALL}[1m])))`, STEP),
  range(`count(sum by (service_name) (count_over_time(${ALL}[1m])))`, STEP),
  range(`sum(count_over_time(${ALL}[1m])) / 4 + 1`, STEP),
  range(`sum(count_over_time(${ALL}[1m])) > 100`, STEP),
  range(`sum by (service_name) (count_over_time(${ALL}[1m])) >= bool 30`, STEP),
  range(`2 * sum(count_over_time(${ONE}[1m])) ^ 2`, STEP),
  range(`sum(count_over_time(${ONE} |= "ERROR" [1m])) / sum(count_over_time(${ONE}[1m]))`, STEP),
  range(`sum by (service_name) (count_over_time(${ALL}[1m] offset 1m))`, STEP),
  range(`sum(sum_over_time(${ONE} | json | __error__="" | unwrap n [1m]))`, STEP),
  range(`avg_over_time(${ONE} | json | unwrap n | __error__="" [2m]) by (service_name)`, STEP),
  range(
    `max_over_time(${ONE} | json | unwrap duration(took) | __error__="" [2m]) by (service_name)`,
    STEP,
  ),
  range(
    `min_over_time(${ONE} | json | unwrap bytes(size) | __error__="" [2m]) by (service_name)`,
    STEP,
  ),
  range(
    `quantile_over_time(0.9, ${ONE} | json | unwrap ratio | __error__="" [2m]) by (service_name)`,
    STEP,
  ),
  range(`last_over_time(${ONE} | json | unwrap n | __error__="" [2m]) by (service_name)`, STEP),
  range(`absent_over_time({service_name="nobody"}[1m])`, { step: "300" }),
  range(`sum(count_over_time(${ONE} | json [1m]))`, STEP),
  range(`sum by (event, level) (rate(${ALL} | json | __error__="" [2m]))`, STEP),
  range(`sum by (detected_level, event_name) (bytes_over_time(${ALL} |= "e" [2m]))`, STEP),
  range(`sum by (absent) (count_over_time(${ALL}[2m]))`, STEP),
  range(`sum by (service_name) (count_over_time(${ALL} | json | drop event [2m]))`, STEP),
  range("vector_is_not_a_thing(1)"),
  range("1 + 2 * 3", { step: "300" }),
  range(`topk(2, sum by (service_name) (bytes_over_time(${ALL} |= "1" [1m])))`, { step: "300" }),
  instant(`sum by (service_name) (count_over_time(${ALL}[5m]))`),
  instant(`sum(rate(${ALL}[5m]))`),
  instant(`topk(1, sum by (detected_level) (count_over_time(${ALL}[5m])))`),
  instant("1 + 1"),
  instant(`bottomk(1, sum by (detected_level) (count_over_time(${ALL}[5m])))`),
];

const ERRORS = [
  range(""),
  range("{}"),
  range('{service_name="a"'),
  range('{service_name=~".*"}'),
  range('{service_name=""}'),
  range('{service_name=~"("}'),
  range('{service_name="a"} |~ "["'),
  range('{service_name="a"} | unknown_stage'),
  range("sum(1"),
  range('count_over_time({service_name="a"})'),
  range('sum_over_time({service_name="a"}[1m])'),
  range('count_over_time({service_name="a"} | unwrap n [1m])'),
  range(`count_over_time(${ONE} | json [1m])`, STEP),
  range(`sum by (n) (count_over_time(${ONE} | json [1m]))`, STEP),
  range(ONE, { limit: "6000" }),
  range(ONE, { limit: "x" }),
  range(ONE, { direction: "sideways" }),
  range(`sum(count_over_time(${ONE}[1m]))`, { step: "0" }),
  range(`sum(count_over_time(${ONE}[1m]))`, { step: "0.01" }),
  range('topk({service_name="a"})'),
  range(ONE, { start: "yesterday" }),
  instant(ONE),
  instant('{service_name="a"} |='),
];

const LABELS: readonly Case[] = [
  { path: "labels", query: "" },
  { path: "labels", query: '{service_name="odd service"}' },
  { path: "label/service_name/values", query: "" },
  { path: "label/service_name/values", query: '{service_namespace="cms"}' },
  { path: "label/service_name/values", query: "{" },
  { path: "label/none/values", query: "" },
  { path: "series", query: '{service_namespace="cms"}' },
  { path: "series", query: '{service_name=~".+"}' },
  { path: "series", query: '{service_name="nobody"}' },
  { path: "series", query: "{}" },
  { path: "labels", query: "", params: { start: "5", end: "1" } },
];

export const CORPUS: readonly Case[] = [
  ...LABELS,
  ...SELECTORS,
  ...LINE_FILTERS,
  ...STAGES,
  ...METRICS,
  ...ERRORS,
];

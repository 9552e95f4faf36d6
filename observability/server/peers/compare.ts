/** Sends one request to two servers and compares their responses. */
import type { Case } from "./corpus.ts";

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Sends the request to the server at `url`. */
export async function ask(
  url: string,
  one: Case,
  times: { startNs: bigint; endNs: bigint },
): Promise<Reply> {
  const params = new URLSearchParams();
  if (one.query !== "" || one.path.startsWith("query")) {
    params.set(one.path === "series" ? "match[]" : "query", one.query);
  }
  if (one.path === "query") params.set("time", times.endNs.toString());
  else {
    params.set("start", times.startNs.toString());
    params.set("end", times.endNs.toString());
  }
  for (const [name, value] of Object.entries(one.params ?? {})) params.set(name, value);
  const response = await fetch(`${url}/loki/api/v1/${one.path}?${params.toString()}`, {
    headers:
      one.categorize === true ? { "x-loki-response-encoding-flags": "categorize-labels" } : {},
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: await response.text() };
}

type Labels = Record<string, string>;
interface Result {
  readonly stream?: Labels;
  readonly metric?: Labels;
  readonly values?: unknown[];
  readonly value?: unknown;
}

/** The compared parts of a response: the status, and the streams or series with their values. */
export function essence(reply: Reply): unknown {
  if (reply.status !== 200) return { status: reply.status };
  const { data = [] } = JSON.parse(reply.body) as {
    data?: unknown[] | { resultType: string; result: unknown };
  };
  if (Array.isArray(data))
    return data
      .map((one) => (typeof one === "string" ? one : sortedText(one as Labels)))
      .toSorted();
  if (data.resultType === "scalar") return { type: "scalar", result: rounded(data.result) };
  const results = (data.result as Result[]).map((one) => {
    const labels = { ...(one.stream ?? one.metric) };
    // The parser's messages differ; whether and at which stage it failed must not.
    delete labels["__error_details__"];
    return [sortedText(labels), rounded(one.values ?? one.value)] as const;
  });
  return { type: data.resultType, results: results.toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}

const sortedText = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Values as numbers with 12 digits: the last bit of a sum depends on the order of additions. */
function rounded(values: unknown): unknown {
  return JSON.parse(JSON.stringify(values), (_key, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return fixed(value);
    const { __error_details__: _, ...rest } = value as Labels;
    return Object.fromEntries(Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function fixed(value: unknown): unknown {
  const isValue = typeof value === "string" && /^-?\d{1,15}(\.\d+)?$/.test(value);
  return isValue ? Number(Number(value).toPrecision(12)) : value;
}

/** Describes the first difference between two responses; undefined when they are equal. */
export function difference(ours: Reply, theirs: Reply): string | undefined {
  const a = JSON.stringify(essence(ours));
  const b = JSON.stringify(essence(theirs));
  if (a === b) return undefined;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const from = Math.max(0, at - 60);
  const said = (reply: Reply): string =>
    reply.status === 200 ? "" : ` (${reply.body.trim().slice(0, 160)})`;
  return `ours …${a.slice(from, at + 120)}${said(ours)}\n      real …${b.slice(from, at + 120)}${said(theirs)}`;
}

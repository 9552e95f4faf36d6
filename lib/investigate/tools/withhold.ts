/**
 * Withholds pillars of telemetry from an examination, to find out what each of them is worth. It
 * stands between the tools and the APIs, so that no tool can reach around it.
 */
import { UsageError } from "../../base/errors.ts";
import { getJson, ToolError } from "./recorder.ts";

/** What can be withheld: log lines, traces, the facts of processes, and the state of DDS. */
export const WITHHOLDABLE = ["logs", "traces", "runtime", "dds"] as const;
export type Withheld = (typeof WITHHOLDABLE)[number];

/** Reads a list such as `logs,traces`; throws UsageError for anything else. */
export function withheldFrom(text: string): Withheld[] {
  const words = text.split(",");
  const wrong = words.find((word) => !WITHHOLDABLE.some((one) => one === word));
  if (wrong !== undefined || new Set(words).size < words.length) {
    throw new UsageError(
      `Cannot withhold ${JSON.stringify(text)}: it must be some of ${WITHHOLDABLE.join(",")}, each once`,
    );
  }
  return WITHHOLDABLE.filter((one) => words.includes(one));
}

const METRICS: Partial<Record<Withheld, string>> = {
  runtime: "container_",
  dds: "(?:otlp_)?cms_dds_",
};

type Get = typeof getJson;

/** A reader of the APIs that gives nothing of what is withheld. */
export function withholding(
  withheld: readonly Withheld[],
  { prometheus, loki, tempo }: Readonly<Record<"prometheus" | "loki" | "tempo", string>>,
  get: Get = getJson,
): Get {
  const prefixes = withheld.flatMap((one) => METRICS[one] ?? []);
  const hidden = new RegExp(`\\b(?:${prefixes.join("|")})`);
  return async (url, signal) => {
    for (const [pillar, api] of [
      ["logs", loki],
      ["traces", tempo],
    ] as const) {
      if (withheld.includes(pillar) && url.startsWith(api)) {
        throw new ToolError(`${pillar} are withheld from this examination`);
      }
    }
    if (prefixes.length === 0 || !url.startsWith(prometheus)) return get(url, signal);
    const { pathname, searchParams } = new URL(url);
    const query = searchParams.get("query") ?? "";
    if (hidden.test(query)) return empty(pathname);
    const body = await get(url, signal);
    // A selector by pattern can match what is withheld, and what is computed of it has no name.
    return /__name__\s*(?:=~|!~|!=)/.test(query) ? withoutHidden(body, hidden) : body;
  };
}

const empty = (pathname: string): unknown => ({
  status: "success",
  data: { resultType: pathname.endsWith("query_range") ? "matrix" : "vector", result: [] },
});

function withoutHidden(body: unknown, hidden: RegExp): unknown {
  const { data } = body as { data?: { result?: unknown } };
  if (!Array.isArray(data?.result)) return body;
  const result = (data.result as { metric?: Record<string, string> }[]).filter(({ metric }) => {
    const name = metric?.["__name__"];
    return name !== undefined && !hidden.test(name);
  });
  return { ...(body as object), data: { ...data, result } };
}

/** The only client of Prometheus' HTTP API; the console's page uses it, too. */
import { boundedText } from "./bounded-body.ts";
import { EnvironmentError, messageOf } from "./errors.ts";

/** One series of an instant vector. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One series of a range: points of [Unix milliseconds, value]. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [number, number])[];
}

/** An active alert, as Prometheus lists it. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing" | "inactive";
  readonly activeAt: string;
  readonly value: string;
}

/** An alert rule with its last evaluation. */
export interface ActiveRule {
  readonly name: string;
  readonly state: "inactive" | "pending" | "firing";
  readonly health: string;
  readonly lastEvaluation: string;
  readonly evaluationTime: number;
  readonly lastError?: string;
  readonly alerts: readonly ActiveAlert[];
}

export interface PrometheusClient {
  /** Evaluates `expr` now, or at `atUnixMs`. */
  instant(expr: string, atUnixMs?: number): Promise<Sample[]>;
  /** Evaluates `expr` over a span in steps of `stepSeconds`. */
  range(
    expr: string,
    startUnixMs: number,
    endUnixMs: number,
    stepSeconds: number,
  ): Promise<Series[]>;
  /** Pending and firing alerts. */
  alerts(): Promise<ActiveAlert[]>;
  /** The alert rules. */
  rules(): Promise<ActiveRule[]>;
}

/** GETs a URL and returns its JSON; throws when the server does not answer or refuses. */
export type GetJson = (url: string) => Promise<unknown>;

const TIMEOUT_MS = 5000;

type RawSeries = {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
};

/**
 * Creates a client for the server at `baseUrl`. A caller that records requests passes its own
 * `get`.
 */
export function createPrometheusClient(baseUrl: string, get: GetJson = getJson): PrometheusClient {
  const ask = async <T>(path: string, query: Record<string, string> = {}): Promise<T> => {
    const search = new URLSearchParams(query).toString();
    const body = await get(`${baseUrl}/api/v1/${path}${search === "" ? "" : `?${search}`}`);
    return (body as { data: T }).data;
  };
  return {
    instant: async (expr, atUnixMs) => {
      const time = atUnixMs === undefined ? {} : { time: String(atUnixMs / 1000) };
      const { resultType, result } = await ask<{
        resultType: string;
        result: RawSeries[] | [number, string];
      }>("query", { query: expr, ...time });
      if (resultType === "scalar") {
        return [{ labels: {}, value: Number((result as [number, string])[1]) }];
      }
      return (result as RawSeries[]).map(({ metric, value }) => ({
        labels: metric,
        value: Number(value?.[1]),
      }));
    },
    range: async (expr, startUnixMs, endUnixMs, stepSeconds) => {
      const { result } = await ask<{ result: RawSeries[] }>("query_range", {
        query: expr,
        start: String(startUnixMs / 1000),
        end: String(endUnixMs / 1000),
        step: String(stepSeconds),
      });
      return result.map(({ metric, values }) => ({
        labels: metric,
        points: (values ?? []).map(([at, value]) => [at * 1000, Number(value)] as const),
      }));
    },
    alerts: async () => (await ask<{ alerts: ActiveAlert[] }>("alerts")).alerts,
    rules: async () => {
      const { groups } = await ask<{ groups: { rules: ActiveRule[] }[] }>("rules", {
        type: "alert",
      });
      return groups.flatMap(({ rules }) => rules);
    },
  };
}

async function getJson(url: string): Promise<unknown> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    status = response.status;
    text = await boundedText(response);
  } catch (error) {
    throw new EnvironmentError(`Cannot ask ${url}: ${messageOf(error)}`, { cause: error });
  }
  const reply = parsed(text);
  if (status !== 200 || reply?.status !== "success") {
    const reason = reply?.error ?? text.slice(0, 200);
    throw new EnvironmentError(`Prometheus refused ${url} with HTTP ${status}: ${reason}`);
  }
  return reply;
}

function parsed(text: string): { readonly status?: string; readonly error?: string } | undefined {
  try {
    return JSON.parse(text) as { status?: string; error?: string };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

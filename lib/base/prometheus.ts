/** A small client of Prometheus' HTTP API: just what proves conditions. */
import { EnvironmentError } from "./errors.ts";

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
}

interface Reply {
  readonly status: "success" | "error";
  readonly error?: string;
  readonly data?: unknown;
}

type RawSeries = {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
};

/** Creates a client for the server at `baseUrl`; every call ends within `timeoutMs`. */
export function createPrometheusClient(baseUrl: string, timeoutMs = 5000): PrometheusClient {
  const get = async (path: string, query: Record<string, string>): Promise<unknown> => {
    const url = `${baseUrl}${path}?${new URLSearchParams(query).toString()}`;
    let reply: Reply;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
      reply = (await response.json()) as Reply;
    } catch (error) {
      throw new EnvironmentError(`Cannot ask ${url}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (reply.status !== "success") {
      throw new EnvironmentError(`Prometheus refused ${url}: ${reply.error ?? "no reason given"}`);
    }
    return reply.data;
  };
  return {
    instant: async (expr, atUnixMs) => {
      const time = atUnixMs === undefined ? {} : { time: String(atUnixMs / 1000) };
      const data = (await get("/api/v1/query", { query: expr, ...time })) as {
        resultType: string;
        result: RawSeries[] | [number, string];
      };
      if (data.resultType === "scalar") {
        return [{ labels: {}, value: Number((data.result as [number, string])[1]) }];
      }
      return (data.result as RawSeries[]).map(({ metric, value }) => ({
        labels: metric,
        value: Number(value?.[1]),
      }));
    },
    range: async (expr, startUnixMs, endUnixMs, stepSeconds) => {
      const data = (await get("/api/v1/query_range", {
        query: expr,
        start: String(startUnixMs / 1000),
        end: String(endUnixMs / 1000),
        step: String(stepSeconds),
      })) as { result: RawSeries[] };
      return data.result.map(({ metric, values }) => ({
        labels: metric,
        points: (values ?? []).map(([at, value]) => [at * 1000, Number(value)] as const),
      }));
    },
    alerts: async () => ((await get("/api/v1/alerts", {})) as { alerts: ActiveAlert[] }).alerts,
  };
}

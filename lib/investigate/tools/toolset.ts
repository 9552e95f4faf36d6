/** The tools of every investigator: called by name, with checked arguments, each call recorded. */
import { z } from "zod";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { EvidenceRecord } from "../../contract/answer.ts";
import { SERVICES } from "../../contract/topology.ts";
import type { Actuator, TelemetryUrls } from "../investigator.ts";
import { applyTool } from "./apply.ts";
import { compare } from "./compare.ts";
import { alerts, catalogue, inventory } from "./inventory.ts";
import { logql } from "./loki.ts";
import { bounded, instant, range } from "./promql.ts";
import { Recorder, type RecorderOptions, type Window } from "./recorder.ts";
import { trace, traceql } from "./tempo.ts";
import { type Tool, tool } from "./tool.ts";

const MAX_SPAN_MS = 24 * 3_600_000;
const DEFAULT_SPAN_SECONDS = 300;

const time = z.iso.datetime().describe("ISO 8601, UTC");
const span = {
  start: time.optional().describe("default: five minutes before the end"),
  end: time.optional().describe("default: now"),
};
const limit = z.number().int().min(1).max(100).default(20);
const query = z.string().min(1).max(2000);

const TOOLS: Readonly<Record<string, Tool>> = {
  inventory: tool(
    "Every service: its role, who feeds it, whom it feeds, its nominal rate, whether its process runs; and the limits of what is normal.",
    z.strictObject({}),
    (_, { get, urls, nowMs }) => inventory(get, urls.prometheus, nowMs),
  ),
  alerts: tool(
    "The alerts that are pending or firing now.",
    z.strictObject({}),
    (_, { get, urls, nowMs }) => alerts(get, urls.prometheus, nowMs),
  ),
  compare: tool(
    "What changed: every metric, log event and span before against during the incident, ranked by change.",
    z.strictObject({ service: z.enum([...SERVICES, "all"]) }),
    ({ service }, { get, urls, nowMs }) => compare(get, urls, service, nowMs),
  ),
  catalogue: tool(
    "The names of a service's metrics.",
    z.strictObject({ service: z.enum(SERVICES) }),
    ({ service }, { get, urls, nowMs }) => catalogue(get, urls.prometheus, service, nowMs),
  ),
  promql: tool(
    "Evaluates PromQL now, or at a time.",
    z.strictObject({ query, time: time.optional() }),
    async (args, { get, urls, nowMs }) => {
      const atMs = args.time === undefined ? nowMs : Date.parse(args.time);
      const facts = await instant(get, urls.prometheus, args.query, atMs, args.time ?? "now");
      return bounded(facts, args.query);
    },
  ),
  promql_range: tool(
    "Evaluates PromQL over a span.",
    z.strictObject({ query, ...span, step_seconds: z.number().min(1).max(3600).default(15) }),
    (args, { get, urls, nowMs }) =>
      range(get, urls.prometheus, args.query, spanOf(args, nowMs), args.step_seconds),
  ),
  logql: tool(
    "Runs LogQL over a span: log lines, newest first, or counts.",
    z.strictObject({ query, ...span, limit }),
    (args, { get, urls, nowMs }) =>
      logql(get, urls.loki, args.query, spanOf(args, nowMs), args.limit),
  ),
  traceql: tool(
    "Searches traces with TraceQL.",
    z.strictObject({ query, ...span, limit }),
    (args, { get, urls, nowMs }) =>
      traceql(get, urls.tempo, args.query, spanOf(args, nowMs), args.limit),
  ),
  trace: tool(
    "Every span of one trace.",
    z.strictObject({ trace_id: z.string().regex(/^[0-9a-f]{32}$/) }),
    (args, { get, urls }) => trace(get, urls.tempo, args.trace_id),
  ),
};

function spanOf(
  { start, end }: { readonly start?: string | undefined; readonly end?: string | undefined },
  nowMs: number,
): Window {
  const endMs = end === undefined ? nowMs : Date.parse(end);
  const startMs = start === undefined ? endMs - DEFAULT_SPAN_SECONDS * 1000 : Date.parse(start);
  if (startMs >= endMs || endMs - startMs > MAX_SPAN_MS) {
    throw new RangeError(
      `Cannot search: start must lie before end by at most a day, but the span is ${start} to ${end}`,
    );
  }
  return { startMs, endMs };
}

/** The description of a tool for a model or a protocol. */
export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
}

export interface ToolsetOptions extends RecorderOptions {
  readonly urls: TelemetryUrls;
  /** If set, a tool that acts is included. */
  readonly actuator?: Actuator;
}

export class Toolset {
  readonly #tools: Readonly<Record<string, Tool>>;
  readonly #urls: TelemetryUrls;
  readonly #clock: Clock;
  readonly #recorder: Recorder;

  constructor({ urls, actuator, ...options }: ToolsetOptions) {
    this.#tools = actuator === undefined ? TOOLS : { ...TOOLS, apply: applyTool(actuator) };
    this.#urls = urls;
    this.#clock = options.clock ?? systemClock;
    this.#recorder = new Recorder(options);
  }

  get names(): readonly string[] {
    return Object.keys(this.#tools);
  }

  get records(): readonly EvidenceRecord[] {
    return this.#recorder.records;
  }

  describe(): ToolDescription[] {
    return Object.entries(this.#tools).map(([name, { description, schema }]) => ({
      name,
      description,
      parameters: z.toJSONSchema(schema, { io: "input" }),
    }));
  }

  /**
   * Calls a tool. A wrong name, wrong arguments or a refusal of the API return a record with `ok`
   * false and the reason; only an abort throws. The same call twice returns the same record, unless
   * the tool acts.
   */
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<EvidenceRecord> {
    const found = Object.hasOwn(this.#tools, name) ? this.#tools[name] : undefined;
    const body: Parameters<Recorder["call"]>[2] = async (get) => {
      if (found === undefined) {
        throw new TypeError(`there is no tool ${name}; the tools are ${this.names.join(", ")}`);
      }
      const parsed = found.schema.safeParse(args);
      if (!parsed.success) {
        throw new TypeError(`wrong arguments for ${name}: ${z.prettifyError(parsed.error)}`);
      }
      const context = { get, urls: this.#urls, nowMs: this.#clock.nowMs() };
      return found.run(parsed.data as never, context);
    };
    return this.#recorder.call(name, args, body, { again: found?.acts === true });
  }
}

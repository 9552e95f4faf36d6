/**
 * A `Service` without DDS, network and real time, for tests of the wiring of a service. Its
 * telemetry is real, so undeclared metrics, log events and spans are refused.
 */
import { type Context, ROOT_CONTEXT } from "@opentelemetry/api";
import type { LogEvent } from "../../contract/telemetry.ts";
import type { ServiceName, TopicName } from "../../contract/topology.ts";
import { createTelemetry, type SpanAttributes, type Telemetry } from "../../telemetry/telemetry.ts";
import type { MessageBus, Publisher, Subscriber } from "../bus.ts";
import type { Key, Message } from "../message.ts";
import type { Service } from "../run-service.ts";
import { readSettings, type Settings } from "../settings.ts";
import { FakeClock } from "./fake-clock.ts";
import { viewOf } from "./view.ts";

/** A started span. */
export interface StartedSpan {
  readonly name: string;
  readonly attributes: SpanAttributes;
  readonly parent: Context;
}

type HttpHandler = (request: Request) => Response | Promise<Response>;
type LogLine = Readonly<Record<string, unknown>>;

export class FakeService implements Service {
  readonly clock = new FakeClock();
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  readonly bus: MessageBus;
  /** Spans in order of their starts, without publish spans. */
  readonly spans: StartedSpan[] = [];
  /** Publish spans. */
  readonly publishSpans: StartedSpan[] = [];
  readonly rejected: { readonly topic: TopicName; readonly reason: string }[] = [];
  readonly #lines: LogLine[] = [];
  readonly #published = new Map<TopicName, unknown[]>();
  readonly #retired = new Map<TopicName, unknown[]>();
  readonly #subscribers = new Map<TopicName, Subscriber<TopicName>>();
  readonly #http = new Map<number, HttpHandler>();
  readonly #stops: (() => void | Promise<void>)[] = [];

  constructor(
    readonly name: ServiceName,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.settings = readSettings(env);
    this.telemetry = this.#recording(
      createTelemetry({
        service: name,
        env: { OTEL_SDK_DISABLED: "true" },
        clock: this.clock,
        write: (line) => void this.#lines.push(JSON.parse(line) as LogLine),
      }),
    );
    this.bus = {
      publisher: (topic) => this.#publisher(topic),
      visit: (topic, subscriber) => void this.#subscribers.set(topic, subscriber),
      reject: (topic, reason) => void this.rejected.push({ topic, reason }),
    };
  }

  onStop(stop: () => void | Promise<void>): void {
    this.#stops.push(stop);
  }

  every(periodMs: number, tick: () => void): void {
    this.clock.every(periodMs, tick);
  }

  after(delayMs: number, action: () => void): void {
    this.clock.after(delayMs, action);
  }

  serve(port: number, handle: HttpHandler): void {
    this.#http.set(port, handle);
  }

  /** Delivers messages to the service one after the other, as if they had been taken from DDS. */
  deliver<T extends TopicName>(
    topic: T,
    messages: readonly Message<T>[],
    parent: Context = ROOT_CONTEXT,
  ): void {
    const takenMs = this.clock.monotonicMs();
    const subscriber = this.#subscriberOf(topic);
    let current: Message<T> | undefined;
    const view = viewOf(() => {
      if (current === undefined) throw new Error(`A view of ${topic} is read after its visit`);
      return current;
    });
    for (const message of messages) {
      current = message;
      subscriber.message(view, { parent, takenMs, copy: () => structuredClone(message) });
    }
    current = undefined;
  }

  /** Reports to the service that the writer has retired an instance of `topic`. */
  dispose<T extends TopicName>(topic: T, key: Key<T>): void {
    this.#subscriberOf(topic).disposed?.(key);
  }

  #subscriberOf<T extends TopicName>(topic: T): Subscriber<T> {
    const subscriber = this.#subscribers.get(topic);
    if (subscriber === undefined) throw new Error(`${this.name} does not subscribe to ${topic}`);
    return subscriber;
  }

  /** The messages that the service has published to `topic`. */
  published<T extends TopicName>(topic: T): Message<T>[] {
    return (this.#published.get(topic) ?? []) as Message<T>[];
  }

  /** The keys of the instances of `topic` that the service has retired. */
  retired<T extends TopicName>(topic: T): Key<T>[] {
    return (this.#retired.get(topic) ?? []) as Key<T>[];
  }

  /** The lines that the service has logged for `event`. */
  logged(event: LogEvent): LogLine[] {
    return this.#lines.filter((line) => line["event"] === event);
  }

  /** The value of a series in /metrics, such as `cms_orders_issued_total{action="ENGAGE"}`. */
  async metric(series: string): Promise<number | undefined> {
    const lines = (await this.telemetry.scrape()).split("\n");
    const line = lines.find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  /** Sends a request to the service's own HTTP server. */
  async request(port: number, path: string): Promise<Response> {
    const handle = this.#http.get(port);
    if (handle === undefined) throw new Error(`${this.name} serves nothing on port ${port}`);
    return handle(new Request(`http://localhost:${port}${path}`));
  }

  /** Stops the service as SIGTERM does: timers end, and stop functions run in reverse order. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
    this.clock.cancelAll();
  }

  #publisher<T extends TopicName>(topic: T): Publisher<T> {
    const [written, ended] = [this.#published, this.#retired].map((all) => {
      const list = all.get(topic) ?? [];
      all.set(topic, list);
      return list;
    });
    return {
      publish: (message) => void written?.push(message),
      retire: (key) => void ended?.push(key),
    };
  }

  #recording(telemetry: Telemetry): Telemetry {
    const note = (name: string, parent: Context, attributes: SpanAttributes): void => {
      const spans = name.startsWith("publish ") ? this.publishSpans : this.spans;
      spans.push({ name, parent, attributes });
    };
    return {
      ...telemetry,
      startSpan: (declared, name, parent, attributes) => {
        note(name, parent, attributes);
        return telemetry.startSpan(declared, name, parent, attributes);
      },
      inSpan: (declared, name, parent, attributes, body) => {
        note(name, parent, attributes);
        return telemetry.inSpan(declared, name, parent, attributes, body);
      },
    };
  }
}

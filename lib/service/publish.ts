/** Publishes a message inside a span of its own, which the span of its receiver continues. */
import { type Context, type Span, trace } from "@opentelemetry/api";
import type { TopicName } from "../contract/topology.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Publisher } from "./bus.ts";
import type { Message } from "./message.ts";
import { traceOf } from "./trace-context.ts";

/** A message without its trace context. */
export type Untraced<T extends TopicName> = Omit<Message<T>, "trace">;

/** Makes a function that publishes to `topic` as part of the work that `span` stands for. */
export function tracedPublish<T extends TopicName>(
  telemetry: Telemetry,
  topic: T,
  publisher: Publisher<T>,
): (message: Untraced<T>, span: Span, parent: Context) => void {
  const name = `publish ${topic}`;
  return (message, span, parent) => {
    telemetry.inSpan("publish <topic>", name, trace.setSpan(parent, span), {}, (own) => {
      publisher.publish({ ...message, trace: traceOf(own) } as Message<T>);
    });
  };
}

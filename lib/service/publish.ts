/** Publishes a message in its own span, which the receiver's span continues. */
import { type Context, type Span, trace } from "@opentelemetry/api";
import type { TopicName } from "../contract/topology.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Publisher } from "./bus.ts";
import type { Message } from "./message.ts";
import { traceOf } from "./trace-context.ts";

/** A message without its trace context. */
export type Untraced<T extends TopicName> = Omit<Message<T>, "trace">;

/** Returns a function that publishes to `topic` as a child of `span`. */
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

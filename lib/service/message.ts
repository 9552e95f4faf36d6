/** The TypeScript types of each topic's messages, inferred from its declaration. */
import type { Infer } from "../../ffi/mod.ts";
import type { TOPIC_TYPES } from "../contract/types.ts";

type Types = typeof TOPIC_TYPES;

export type Message<T extends keyof Types> = Infer<Types[T]>;

/** The key fields of a message. */
export type Key<T extends keyof Types> = Pick<
  Message<T>,
  Types[T]["key"][number] & keyof Message<T>
>;

export type TraceContext = Message<"SourceTrackTopic">["trace"];

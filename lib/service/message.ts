/** The TypeScript type of each topic's messages, inferred from its declaration. */
import type { Infer } from "../../ffi/mod.ts";
import type { TOPIC_TYPES } from "../contract/types.ts";

export type Message<T extends keyof typeof TOPIC_TYPES> = Infer<(typeof TOPIC_TYPES)[T]>;

export type TraceContext = Message<"SourceTrackTopic">["trace"];

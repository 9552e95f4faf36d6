/** A Cyclone DDS binding. Importing it has no side effect; the C library is loaded on first use. */
export { DdsClosedError, DdsError, DdsLibraryError } from "./error.ts";
export { DdsValueError } from "./encode.ts";
export { toIdl } from "./idl.ts";
export { MAX_VALUE_BYTES } from "./layout.ts";
export { loadLibrary } from "./library.ts";
export {
  createParticipant,
  MAX_DOMAIN_ID,
  type Participant,
  type ParticipantOptions,
} from "./participant.ts";
export { policyName, type Qos } from "./qos.ts";
export type { Subscription } from "./data-listener.ts";
export type { Reader, SampleView, TakenObject, Visitor } from "./reader.ts";
export type { InstanceState, SampleInfo } from "./sample-info.ts";
export type { IncompatibleQosStatus, LivelinessStatus, MatchedStatus } from "./status.ts";
export type { Topic } from "./topic.ts";
export type { Infer, StructDecl, TypeDecl } from "./types.ts";
export type { Writer } from "./writer.ts";

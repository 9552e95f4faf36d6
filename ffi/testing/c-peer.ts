/**
 * Compiles a C peer from the IDL of given types with Cyclone's IDL compiler and gcc. It shares no
 * code with the binding except the C library.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../descriptor.ts";
import { toIdl } from "../idl.ts";
import type { StructDecl } from "../types.ts";
import { topicsHeader, type Topics } from "./c-source.ts";
import { TokenPeer } from "./token-peer.ts";

/** A compiled peer; disposing removes it. */
export interface CompiledPeer extends AsyncDisposable {
  readonly program: string;
  readonly topics: Topics;
}

/** Runs a program; throws with its output when it fails. */
export async function mustRun(argv: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...argv], { cwd, stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  const [said, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`Cannot run \`${argv.join(" ")}\`: ${errors || said}`);
  return said;
}

/** Compiles a peer for `topics` from `idl`, by default the IDL of the types. */
export async function compilePeer(
  topics: Topics,
  idl = toIdl(Object.values(topics)),
): Promise<CompiledPeer> {
  const folder = await mkdtemp(join(tmpdir(), "c-peer-"));
  await Bun.write(join(folder, "types.idl"), idl);
  await Bun.write(join(folder, "topics.h"), topicsHeader("types.h", topics));
  await mustRun(["idlc", "types.idl"], folder);
  const source = join(import.meta.dir, "peer.c");
  await mustRun(["gcc", "-I.", "-o", "peer", source, "types.c", "-lddsc"], folder);
  return {
    program: join(folder, "peer"),
    topics,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * The descriptors of a topic's type, from the IDL compiler and from the binding, as peer.c prints
 * them.
 */
export async function descriptors(
  { program, topics }: CompiledPeer,
  topic: string,
): Promise<{ readonly theirs: string; readonly ours: string }> {
  const struct = topics[topic] as StructDecl;
  const { size, align, flags, instructionCount, ops, keys } = describe(struct);
  const words = keys.flatMap((key) => [key.name, key.index, key.order]);
  const ours = [struct.name, size, align, flags, instructionCount, ...ops, ...words].join(" ");
  const theirs = await mustRun([program, "describe", topic, String(ops.length)], tmpdir());
  return { theirs: theirs.trim(), ours };
}

export interface PeerOptions {
  readonly domainId: number;
  readonly configXml: string;
  /**
   * The representation that it writes; `kept`: its samples are kept for late joiners, and it joins
   * late itself.
   */
  readonly mode?: "cdr1" | "cdr2" | "kept";
}

/** A running peer in C with a writer and a reader of each of its topics. */
export class CPeer extends TokenPeer {
  constructor({ program, topics }: CompiledPeer, options: PeerOptions) {
    const { domainId, configXml, mode = "cdr1" } = options;
    super([program, String(domainId), mode], topics, configXml);
  }
}

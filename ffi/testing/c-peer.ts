/**
 * A peer in C, compiled by the IDL compiler and gcc from the IDL of given types: it shares no code
 * with the binding but the C library itself.
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

/** Runs a program that must succeed; throws with what it said. */
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

/** Compiles a peer for `topics` from `idl`, which is written from the types unless it is given. */
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

/** The descriptors of a topic's type, the IDL compiler's and ours, in the words of peer.c. */
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
   * Representation in which it writes; or that its samples are kept for late joiners, and that it
   * is one itself.
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

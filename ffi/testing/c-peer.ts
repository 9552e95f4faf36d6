/**
 * A peer in C, compiled by the IDL compiler and gcc from the IDL of given types: it shares no code with the binding but
 * the C library itself.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../descriptor.ts";
import { toIdl } from "../idl.ts";
import type { StructDecl } from "../types.ts";
import { topicsHeader, type Topics } from "./c-source.ts";
import { Program } from "./program.ts";
import { keyTokensOf, tokensOf } from "./tokens.ts";

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
  /** Representation in which it writes. */
  readonly cdr?: "cdr1" | "cdr2";
}

/** A running peer with a writer and a reader of each of its topics. */
export class CPeer implements AsyncDisposable {
  readonly #topics: Topics;
  readonly #program: Program;
  #isReady = false;

  /** Starts the peer; it ends with its standard input. */
  constructor({ program, topics }: CompiledPeer, options: PeerOptions) {
    const { domainId, configXml, cdr = "cdr1" } = options;
    this.#topics = topics;
    const argv = [program, String(domainId), cdr, ...Object.keys(topics)];
    this.#program = new Program(argv, { env: { CYCLONEDDS_URI: configXml } });
  }

  /** Writes a sample of `topic`, once a reader has matched. */
  write(topic: string, value: unknown): void {
    this.#program.send(`write ${topic} ${tokensOf(this.#typeOf(topic), value)}`);
  }

  /** Disposes or unregisters the instance that `value` belongs to. */
  end(how: "dispose" | "unregister", topic: string, value: unknown): void {
    this.#program.send(`${how} ${topic} ${keyTokensOf(this.#typeOf(topic), value)}`);
  }

  #typeOf(topic: string): StructDecl {
    const type = this.#topics[topic];
    if (type === undefined) throw new Error(`Cannot use topic ${topic}: the peer has none such`);
    return type;
  }

  /** The next sample that the peer has read, in the words of peer.c. */
  async nextLine(): Promise<string> {
    const line = await this.#program.nextLine();
    if (this.#isReady || line !== "ready") return line;
    this.#isReady = true;
    return this.#program.nextLine();
  }

  /** Ends the peer and waits for it; throws with what it said when it failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using program = this.#program;
    await program.finish();
  }
}

/** A peer in another language. It writes and prints samples as tokens (peer.c). */
import type { StructDecl } from "../types.ts";
import type { Topics } from "./c-source.ts";
import { Program } from "./program.ts";
import { keyTokensOf, tokensOf } from "./tokens.ts";

/** A running peer with a writer and a reader of each of its topics. */
export class TokenPeer implements AsyncDisposable {
  readonly #topics: Topics;
  readonly #program: Program;
  #isReady = false;

  /** Starts the peer with `argv` and the names of the topics; it ends with its standard input. */
  constructor(argv: readonly string[], topics: Topics, configXml: string) {
    this.#topics = topics;
    this.#program = new Program([...argv, ...Object.keys(topics)], {
      env: { CYCLONEDDS_URI: configXml },
    });
  }

  /** Writes a sample of `topic`, once a reader has matched. */
  write(topic: string, value: unknown): void {
    this.#program.send(`write ${topic} ${tokensOf(this.#typeOf(topic), value)}`);
  }

  /** Disposes or unregisters the instance of `value`. */
  end(how: "dispose" | "unregister", topic: string, value: unknown): void {
    this.#program.send(`${how} ${topic} ${keyTokensOf(this.#typeOf(topic), value)}`);
  }

  #typeOf(topic: string): StructDecl {
    const type = this.#topics[topic];
    if (type === undefined) throw new Error(`Cannot use topic ${topic}: the peer has none such`);
    return type;
  }

  /** Returns the next sample that the peer has read, as peer.c prints it. */
  async nextLine(): Promise<string> {
    const line = await this.#program.nextLine();
    if (this.#isReady || line !== "ready") return line;
    this.#isReady = true;
    return this.#program.nextLine();
  }

  /** Ends the peer and waits for it; throws with its output when it failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using program = this.#program;
    await program.finish();
  }
}

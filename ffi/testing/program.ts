/** Programs that a test starts and exchanges lines with; they end with the test. */
import { until } from "./domain.ts";

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** A running program. It is killed after two minutes, or when it is disposed. */
export class Program implements AsyncDisposable {
  readonly process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  /** Lines of its standard output that were not read yet. */
  readonly lines: string[] = [];
  readonly #reading: Promise<void>;
  readonly #errors: Promise<string>;

  constructor(argv: readonly string[], { env = {} }: ProgramOptions = {}) {
    this.process = Bun.spawn([...argv], {
      env: { ...Bun.env, ...env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      timeout: 120_000,
    });
    this.#reading = this.#read();
    this.#errors = new Response(this.process.stderr).text();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.process.stdout) {
      rest += decoder.decode(bytes, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    }
  }

  /** Writes a line to its standard input. */
  send(line: string): void {
    void this.process.stdin.write(`${line}\n`);
    void this.process.stdin.flush();
  }

  /**
   * Returns the next line that it prints; throws with its standard error output if it has ended.
   */
  async nextLine(): Promise<string> {
    await until("a line of the program", () => this.lines.length > 0 || this.hasEnded);
    const line = this.lines.shift();
    if (line === undefined) throw new Error(`The program has ended: ${await this.#errors}`);
    return line;
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /**
   * Ends its standard input, waits for its end, and throws with its output unless the exit code is
   * 0.
   */
  async finish(): Promise<void> {
    await this.process.stdin.end();
    const [code, errors] = await Promise.all([this.process.exited, this.#errors, this.#reading]);
    if (code !== 0) throw new Error(`The program exited with ${code}: ${errors}`);
  }

  /** Kills it if it still runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await Promise.all([this.process.exited, this.#reading]);
  }
}

/** Starts a program of this folder, which joins the domain that is its first argument. */
export function startProgram(
  script: string,
  { domainId, configXml }: { readonly domainId: number; readonly configXml: string },
  ...argv: readonly string[]
): Program {
  return new Program(
    [process.execPath, `${import.meta.dir}/${script}`, String(domainId), ...argv],
    {
      env: { CYCLONEDDS_URI: configXml },
    },
  );
}

/**
 * Starts listener.ts. Arguments: `transient` requests earlier samples; `close` closes on SIGTERM.
 */
export async function startListener(
  domain: { readonly domainId: number; readonly configXml: string },
  ...argv: readonly ("transient" | "close")[]
): Promise<Program> {
  const program = startProgram("listener.ts", domain, ...argv);
  const first = await program.nextLine();
  if (first !== "ready") throw new Error(`The listener must start with ready, but said ${first}`);
  return program;
}

/** A machine that a tool boots, for checks that need systemd, control groups v2 or another user. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { EnvironmentError } from "../../../../base/errors.ts";
import { mustRun, run, type RunResult } from "../../../../base/shell.ts";

/** The accounts of a machine: with sudo and no password, without sudo, and root itself. */
export type Account = "user" | "plain" | "root";

const UP_TIMEOUT_MS = 20 * 60_000;
const DOWN_TIMEOUT_MS = 2 * 60_000;

export class BootedMachine implements AsyncDisposable {
  readonly #tool: string;

  /** Of a machine that is up; `boot()` starts one. */
  constructor(tool: string) {
    this.#tool = tool;
  }

  /** Boots a machine with an untouched disk. */
  static async boot(tool: string, release: string): Promise<BootedMachine> {
    await mustRun([tool, "up", "--release", release], { timeoutMs: UP_TIMEOUT_MS });
    return new BootedMachine(tool);
  }

  /** Runs a script of its shell. */
  run(account: Account, script: string, timeoutMs: number): Promise<RunResult> {
    // The tool joins its words to one line for that shell.
    return run([this.#tool, "ssh", account, script], { timeoutMs });
  }

  async mustRun(account: Account, script: string, timeoutMs: number): Promise<string> {
    const { code, stdout, stderr, timedOut } = await this.run(account, script, timeoutMs);
    if (code === 0) return stdout.trim();
    const end = `${stdout}\n${stderr}`.trim().split("\n").slice(-8).join("\n  ");
    const how = timedOut ? `took longer than ${timeoutMs / 1000} s` : `exited with ${code}`;
    throw new EnvironmentError(`\`${script}\` as ${account} ${how}:\n  ${end}`);
  }

  /** Copies the project, as git has it, to a folder there. */
  async copyProject(root: string, account: Account, folder: string): Promise<void> {
    const copy = mkdtempSync(`${tmpdir()}/project-`);
    try {
      const list =
        'git ls-files -co --exclude-standard -- . ":!results/published" ":!results/incidents"';
      const pack = `${list} | tar -cf - -T - | tar -xf - -C "$1"`;
      await mustRun(["sh", "-ec", pack, "sh", copy], { cwd: root });
      await mustRun([this.#tool, "copy", copy, folder, account], { timeoutMs: DOWN_TIMEOUT_MS });
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run([this.#tool, "down"], { timeoutMs: DOWN_TIMEOUT_MS });
  }
}

/** A command under sudo, in a checkout that belongs to the person who called it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { lchownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { processEnv } from "../base/env.ts";
import { run } from "../base/shell.ts";
import { copyProject, type ProjectCopy } from "../base/testing/copy-project.ts";

const PERSON = 1234;
let project: ProjectCopy;
beforeAll(async () => {
  project = await copyProject(["lib", "scenarios", "observability"]);
});
afterAll(() => project.remove());

test.skipIf(process.getuid?.() !== 0)(
  "gives back what root wrote there, however it ends (needs root)",
  async () => {
    const written = `${project.folder}/results/latest/report.html`;
    mkdirSync(`${project.folder}/results/latest`, { recursive: true });
    lchownSync(project.folder, PERSON, PERSON);
    for (const [argv, code] of [
      [["--help"], 0],
      [["no-such-scenario"], 1],
    ] as const) {
      writeFileSync(written, "");
      lchownSync(written, 0, 0);
      const ended = await run([process.execPath, "runner.ts", ...argv], {
        cwd: project.folder,
        env: { ...processEnv(), SUDO_UID: String(PERSON), SUDO_GID: String(PERSON) },
      });
      expect(ended.code).toBe(code);
      expect(statSync(written).uid).toBe(PERSON);
    }
  },
);

/** A bundled program that uses the binding needs no other files and leaves none behind. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "./testing/c-peer.ts";
import { loopbackConfig } from "./testing/domain.ts";
import { Program } from "./testing/program.ts";

const LEAVER = `${import.meta.dir}/testing/leaver.ts`;

describe("a bundled program", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bundle-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([
    ["a script", ["--outfile", "leaver.js"], (name: string) => [process.execPath, name]],
    ["an executable", ["--compile", "--outfile", "leaver.js"], (name: string) => [name]],
  ])(
    "as %s",
    async (kind, options, argvOf) => {
      const own = join(folder, kind.replace(" ", "-"));
      const temporary = join(own, "tmp");
      await mkdir(temporary, { recursive: true });
      await mustRun([process.execPath, "build", LEAVER, "--target", "bun", ...options], own);
      const config = loopbackConfig(`bundle-${process.pid}`);
      const env = { CYCLONEDDS_URI: config, TMPDIR: temporary, BUN_TMPDIR: temporary };
      await using program = new Program([...argvOf(join(own, "leaver.js")), "0"], { env });
      expect(await program.nextLine()).toBe("joined");
      expect(await readdir(temporary)).toEqual([]);
      program.send("leave");
      expect(await program.nextLine()).toBe("left");
      await program.finish();
    },
    60_000,
  );
});

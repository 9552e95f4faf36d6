/** Tests real namespaces and privileges: needs root on Linux. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { processEnv } from "../base/env.ts";
import { mustRun, run } from "../base/shell.ts";
import { waitUntil } from "../base/wait.ts";
import { inNewNamespaces } from "./namespaces.ts";
import { firstUnreadable, NOBODY, withoutPrivileges } from "./privileges.ts";

const isRoot = process.getuid?.() === 0;
const sh = (script: string, ...args: string[]): string[] => ["sh", "-c", script, "sh", ...args];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/sandbox-`);
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!isRoot)("inNewNamespaces() (needs root)", () => {
  test("gives a program its own network, process ids and mounts", async () => {
    const script =
      'echo $$; ls /sys/class/net 2>/dev/null; ip -o link | wc -l; mount -t tmpfs tmpfs "$1"; touch "$1/inside"';
    const said = await mustRun(inNewNamespaces(sh(script, folder)));
    const lines = said.split("\n");
    expect(lines[0]).toBe("1");
    expect(lines.at(-1)).toBe("1");
    expect(existsSync(`${folder}/inside`)).toBe(false);
  });

  test("lets nothing survive, not even a process with a session of its own", async () => {
    const mark = `survivor-${process.pid}`;
    const script = `setsid sh -c 'exec -a "$1" sleep 60' sh "$1" & echo started; exec sleep 60`;
    const bash = ["bash", "-c", script.replace("sh -c", "bash -c"), "bash", mark];
    const child = Bun.spawn(inNewNamespaces(bash), { stdout: "pipe", timeout: 60_000 });
    await child.stdout.getReader().read();
    const survivors = async (): Promise<string> => (await run(["pgrep", "-f", mark])).stdout.trim();
    await waitUntil(async () => ({ ok: (await survivors()) !== "", seen: "nobody" }), {
      what: "the process with its own session",
      deadlineMs: 60_000,
    });
    child.kill("SIGKILL");
    await waitUntil(
      async () => {
        const seen = await survivors();
        return { ok: seen === "", seen };
      },
      { what: "nothing to be left", deadlineMs: 60_000 },
    );
  });

  test("works for a user without privileges in a user namespace, who gains nothing outside", async () => {
    const secret = `${folder}/secret`;
    writeFileSync(secret, "x", { mode: 0o600 });
    const script = 'id -u; [ -r "$1" ] && echo readable || echo unreadable';
    const argv = [
      ...withoutPrivileges({ uid: NOBODY }),
      ...inNewNamespaces(sh(script, secret), { user: true }),
    ];
    expect(await mustRun(argv)).toBe("0\nunreadable");
  });
});

describe.skipIf(!isRoot)("withoutPrivileges() (needs root)", () => {
  const statusOf = async (prefix: readonly string[]): Promise<string> =>
    mustRun([...prefix, "cat", "/proc/self/status"]);

  test("takes every capability and the way back to them, and changes the user", async () => {
    const status = await statusOf(withoutPrivileges({ uid: NOBODY }));
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd"]) {
      expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, "m"));
    }
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
  });

  test("keeps the user when none is named, but not the capabilities", async () => {
    const status = await statusOf(withoutPrivileges());
    expect(status).toMatch(/^Uid:\s+0\s/m);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
  });
});

describe.skipIf(!isRoot)("firstUnreadable() (needs root)", () => {
  test("names the first file that the user cannot read, and ignores what does not exist", async () => {
    const [open, closed] = [`${folder}/open`, `${folder}/closed`];
    writeFileSync(open, "x");
    chmodSync(open, 0o644);
    writeFileSync(closed, "x", { mode: 0o600 });
    const prefix = withoutPrivileges({ uid: NOBODY });
    expect(await firstUnreadable(prefix, [open, `${folder}/none`])).toBeUndefined();
    expect(await firstUnreadable(prefix, [open, closed])).toBe(closed);
  });
});

describe.skipIf(!isRoot)("mounts (needs root)", () => {
  /**
   * Runs a program of the project in fresh namespaces, because mounts change the whole mount
   * namespace.
   */
  const inside = async (body: string): Promise<string> => {
    const script = `
      import { bind, bindOwnedBy, keepMountsPrivate, mountEmpty } from ${JSON.stringify(`${import.meta.dir}/mounts.ts`)};
      import { writeFileSync, readFileSync, readdirSync, statSync } from "node:fs";
      const folder = ${JSON.stringify(folder)};
      await keepMountsPrivate();
      const attempt = (act) => { try { act(); return "done"; } catch (error) { return error.code; } };
      ${body}`;
    const argv = inNewNamespaces([process.execPath, "-e", script]);
    return mustRun(argv, { timeoutMs: 60_000, env: processEnv() });
  };

  test("bind() shows a folder read-only or writable, and a file", async () => {
    mkdirSync(`${folder}/from`, { recursive: true });
    writeFileSync(`${folder}/from/file`, "text");
    const said = await inside(`
      await bind(folder + "/from", folder + "/ro", { readOnly: true });
      await bind(folder + "/from", folder + "/rw");
      await bind(folder + "/from/file", folder + "/new/one");
      console.log([
        attempt(() => writeFileSync(folder + "/ro/x", "")),
        attempt(() => writeFileSync(folder + "/rw/x", "")),
        readFileSync(folder + "/new/one", "utf8"),
      ].join(" "));`);
    expect(said).toBe("EROFS done text");
    expect(existsSync(`${folder}/ro/file`)).toBe(false);
  });

  test("bindOwnedBy() gives the folder to its user", async () => {
    mkdirSync(`${folder}/data`, { recursive: true });
    const said = await inside(`
      await bindOwnedBy(${NOBODY}, folder + "/data", folder + "/owned");
      console.log(statSync(folder + "/owned").uid);`);
    expect(said).toBe(String(NOBODY));
  });

  test("mountEmpty() hides what was there, inside alone", async () => {
    mkdirSync(`${folder}/full`, { recursive: true });
    writeFileSync(`${folder}/full/file`, "");
    const said = await inside(`
      await mountEmpty(folder + "/full");
      console.log(readdirSync(folder + "/full").length);`);
    expect(said).toBe("0");
    expect(existsSync(`${folder}/full/file`)).toBe(true);
  });
});

/** Tests real rooms: needs Linux, and root or unprivileged user namespaces. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { run } from "../../base/shell.ts";
import { waitUntil } from "../../base/wait.ts";
import { openRoom, type RoomOptions, whyNoRoom } from "./room.ts";

const isPossible = (await whyNoRoom()) === undefined;
const PROJECT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/room-test-`);
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function inRoom(script: string, options: Partial<RoomOptions> = {}) {
  const room = await openRoom({
    argv: ["sh", "-c", script],
    env: { PATH: "/usr/bin:/bin" },
    stdin: new Uint8Array(),
    ...options,
  });
  const [stdout, stderr, end] = await Promise.all([
    new Response(room.stdout).text(),
    new Response(room.stderr).text(),
    room.ended,
  ]);
  return { stdout: stdout.trim(), stderr: stderr.trim(), ...end };
}

describe.skipIf(!isPossible)("a room", () => {
  test("runs a program without any privilege, and gives back what it says and its exit code", async () => {
    const { stdout, stderr, code, left } = await inRoom(
      'cat; id -u; grep -E "^(Cap|NoNewPrivs|Groups)" /proc/self/status; echo oops >&2; exit 7',
      { stdin: new TextEncoder().encode("given\n") },
    );
    const lines = stdout.split("\n");
    expect(lines.slice(0, 2)).toEqual(["given", "1000"]);
    const sets = lines.filter((line) => line.startsWith("Cap"));
    expect(sets).toHaveLength(5);
    for (const line of sets) expect(line).toMatch(/^Cap\w+:\s+0+$/);
    expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(stdout).toMatch(/^Groups:\s*$/m);
    expect({ stderr, code, left }).toEqual({ stderr: "oops", code: 7, left: 0 });
  });

  test("shows the system's programs and an empty folder, and nothing of the machine", async () => {
    const { stdout } = await inRoom(`
      ls -A / | tr '\\n' ' '; echo
      for path in ${PROJECT} /root /run/* /sys /home/*/.ssh /var /etc/shadow ${folder}; do [ -e "$path" ] && echo "sees $path"; done
      pwd; ls -A | wc -l; hostname
      ls -d /proc/[0-9]* | wc -l; ls /proc/self/fd | wc -l
      tail -n +3 /proc/net/dev | cut -d: -f1; grep "[/@]" /proc/net/unix | grep -vc "/room-[A-Za-z0-9]*/"`);
    const [root = "", ...rest] = stdout.split("\n");
    expect(
      root
        .trim()
        .split(" ")
        .filter((name) => !/^(bin|sbin|lib\w*|nix)$/.test(name)),
    ).toEqual(["dev", "etc", "home", "proc", "run", "tmp", "usr"]);
    const [cwd, files, host, processes, descriptors, network, sockets] = rest.map((line) =>
      line.trim(),
    );
    expect([cwd, files, host]).toEqual(["/home/agent", "0", "agent"]);
    // The first process, the shell, and the pipeline that counts.
    expect(Number(processes)).toBeLessThanOrEqual(5);
    expect(Number(descriptors)).toBeLessThanOrEqual(4);
    expect([network, sockets]).toEqual(["lo", "0"]);
  });

  test("has no variable but the given ones, whatever their values", async () => {
    const value = `it's "$HOME"\n$(id) \\ end`;
    const { stdout } = await inRoom(
      'env | sed -n "s/=.*//p" | sort | tr "\\n" " "; printf %s "$KEY"',
      {
        env: { PATH: "/usr/bin:/bin", KEY: value },
      },
    );
    const [names = "", ...rest] = stdout.split("\n");
    const own = names.split(" ").filter((name) => !/^(PWD|OLDPWD|SHLVL|_|)$/.test(name));
    expect(own.filter((name) => /^[A-Z]+$/.test(name))).toEqual(["HOME", "KEY", "PATH"]);
    expect([names, ...rest].join("\n")).toEndWith(value);
  });

  test("can be written to in its own folder and /tmp alone, up to a limit", async () => {
    mkdirSync(`${folder}/own`, { recursive: true });
    writeFileSync(`${folder}/own/file`, "text");
    const { stdout, stderr } = await inRoom(
      `touch a /tmp/a && echo yes; cat ${folder}/own/file
       for at in / /usr /etc ${folder}/own /proc/sys/kernel /dev; do touch $at/x 2>/dev/null && echo "wrote $at"; done
       head -c 400000000 /dev/zero > big || echo full`,
      { shown: [`${folder}/own`] },
    );
    expect(stdout).toBe("yes\ntextfull");
    expect(stderr).toContain("No space left");
  });

  test("hides a path inside of what is shown, also behind symbolic links", async () => {
    mkdirSync(`${folder}/all/secret`, { recursive: true });
    writeFileSync(`${folder}/all/secret/truth`, "memory leak");
    writeFileSync(`${folder}/all/key`, "key");
    symlinkSync(`${folder}/all/secret/truth`, `${folder}/all/link`);
    symlinkSync("/etc/shadow", `${folder}/all/shadow`);
    symlinkSync(`${folder}/all`, `${folder}/other`);
    const { stdout } = await inRoom(
      `cd ${folder}/other && ls; cat link shadow secret/truth key ../../../../../../${PROJECT}/package.json 2>/dev/null`,
      { shown: [`${folder}/other`], hidden: [`${folder}/all/secret`, `${folder}/other/key`] },
    );
    expect(stdout).toBe("key\nlink\nsecret\nshadow");
  });

  test("lets connections out through its doors alone", async () => {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("door") });
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("lab") });
    const port = server.port ?? 0;
    const { stdout } = await inRoom(
      `curl -s http://127.0.0.2:8080/; curl -s -m 2 http://127.0.0.1:${other.port}/ || echo closed`,
      { doors: [{ host: "127.0.0.2", port: 8080, to: { host: "127.0.0.1", port } }] },
    );
    expect(stdout).toBe("doorclosed");
    await Promise.all([server.stop(true), other.stop(true)]);
  });

  test("allows no namespaces, no tracing of its first process, no signal to it", async () => {
    const { stdout, code } = await inRoom(
      "unshare --user true 2>/dev/null && echo namespace; cat /proc/1/mem 2>/dev/null; kill -9 1; echo alive",
    );
    expect({ stdout, code }).toEqual({ stdout: "alive", code: 0 });
  });

  test("ends what its program leaves, and counts it", async () => {
    const mark = `61.${process.pid}`;
    const script = `setsid sleep ${mark} & nohup sleep ${mark} >/dev/null 2>&1 & echo done`;
    const { stdout, left } = await inRoom(script);
    expect({ stdout, left }).toEqual({ stdout: "done", left: 2 });
    await nobodyIs(mark);
  });

  test("ends with everything in it when it is told to", async () => {
    const mark = `62.${process.pid}`;
    const room = await openRoom({
      argv: ["sh", "-c", `setsid sleep ${mark} & echo in; sleep ${mark}`],
      env: { PATH: "/usr/bin:/bin" },
      stdin: new Uint8Array(),
    });
    await room.stdout.getReader().read();
    room.end();
    expect((await room.ended).code).toBe(137);
    await nobodyIs(mark);
  });

  test("ends when who opened it is killed", async () => {
    const mark = `63.${process.pid}`;
    const script = `
      import { openRoom } from ${JSON.stringify(`${import.meta.dir}/room.ts`)};
      const room = await openRoom({ argv: ["sh", "-c", "setsid sleep ${mark} & echo in; sleep ${mark}"],
        env: { PATH: "/usr/bin:/bin" }, stdin: new Uint8Array() });
      await room.stdout.getReader().read();
      console.log("in");`;
    const child = Bun.spawn([process.execPath, "-e", script], {
      stdout: "pipe",
      stderr: "inherit",
    });
    await child.stdout.getReader().read();
    child.kill("SIGKILL");
    await nobodyIs(mark);
  });

  test("says when a program is not there, and when it was killed", async () => {
    expect((await inRoom("exit 0", { argv: ["no-such-program"] })).code).toBe(127);
    expect((await inRoom("kill -9 $$")).code).toBe(137);
  });

  test.skipIf(process.getuid?.() !== 0)("needs no root (seen by another user)", async () => {
    // A user without privileges outside, who can read the copy wherever the project is.
    const copy = `${folder}/copy`;
    await run(["cp", "-r", `${PROJECT}/lib`, `${folder}/`]);
    await run(["mkdir", "-p", copy]);
    await run(["chmod", "-R", "a+rX", folder]);
    await run(["cp", process.execPath, `${folder}/bun`]);
    const script = `
      import { openRoom, whyNoRoom } from "${folder}/lib/sandbox/room/room.ts";
      const why = await whyNoRoom();
      const room = await openRoom({ argv: ["sh", "-c", "id -u; ls -A / | wc -l; cat ${folder}/lib/tidy.ts 2>&1 | head -1"],
        env: { PATH: "/usr/bin:/bin" }, stdin: new Uint8Array() });
      console.log(why, await new Response(room.stdout).text(), await room.ended);`;
    const { stdout, stderr } = await run(
      [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        `${folder}/bun`,
        "-e",
        script,
      ],
      { cwd: folder, env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/tmp", TMPDIR: "/tmp" } },
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^undefined 1000\n\d+\ncat: .*No such file/);
  });
});

test.skipIf(!isPossible || process.getuid?.() !== 0)(
  "where namespaces are forbidden it is said why; root of a namespace with one user can have a room",
  async () => {
    const script = `
      import { whyNoRoom } from ${JSON.stringify(`${import.meta.dir}/room.ts`)};
      process.stdout.write(String(await whyNoRoom()));
      process.exit(0);`;
    const ask = async (...before: string[]): Promise<string> =>
      (await run([...before, process.execPath, "-e", script])).stdout;
    expect(await ask("setpriv", "--bounding-set=-all", "--inh-caps=-all")).toMatch(
      /unshare failed: Operation not permitted/,
    );
    expect(await ask("unshare", "--user", "--map-root-user")).toBe("undefined");
  },
);

test.skipIf(isPossible)("where no room can be opened, it is said why", async () => {
  expect(await whyNoRoom()).toMatch(/\w/);
});

async function nobodyIs(mark: string): Promise<void> {
  await waitUntil(
    async () => {
      const seen = (await run(["pgrep", "-f", `sleep ${mark}`])).stdout.trim();
      return { ok: seen === "", seen };
    },
    { what: `no process with ${mark}`, deadlineMs: 20_000 },
  );
}

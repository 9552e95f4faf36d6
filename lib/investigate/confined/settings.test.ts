import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { mustRun } from "../../base/shell.ts";
import { whyNoRoom } from "../../sandbox/room/room.ts";
import { type ProgramEnd, runProgram } from "./program.ts";
import { agentSettings, type GivenToAgents } from "./settings.ts";

const PROJECT = realpathSync(new URL("../../..", import.meta.url).pathname).replace(/\/$/, "");
let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(`${tmpdir()}/agent-settings-`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what a user gives to agents", () => {
  test("is nothing at first, and the project is hidden in any case", () => {
    const { files, model, variables, hidden } = agentSettings({ hidden: ["/tmp"] }, {});
    expect({ files, model, variables, hidden }).toEqual({
      files: [],
      model: undefined,
      variables: {},
      hidden: [PROJECT],
    });
  });

  test("brings the Python below a virtual environment, when it is one", () => {
    const make = (name: string, home: string): string => {
      mkdirSync(`${folder}/${name}`, { recursive: true });
      writeFileSync(`${folder}/${name}/pyvenv.cfg`, `home = ${home}\nversion = 3.13.1\n`);
      return `${folder}/${name}`;
    };
    mkdirSync(`${folder}/python/bin`, { recursive: true });
    mkdirSync(`${folder}/python/lib`);
    writeFileSync(`${folder}/python/bin/python3`, "");
    mkdirSync(`${folder}/secrets`);
    const good = make("venv", `${folder}/python/bin`);
    expect(agentSettings({ agentFiles: [good] }).files).toEqual([good, `${folder}/python`]);
    for (const home of ["/usr/bin", `${folder}/secrets/bin`, "/root/bin", "../python/bin"]) {
      const one = make(`venv-${home.replaceAll("/", "-")}`, home);
      expect(agentSettings({ agentFiles: [one] }).files).toEqual([one]);
    }
  });

  test.each<[GivenToAgents, RegExp]>([
    [{ agentFiles: ["/no/such/file"] }, /it must exist/],
    [{ agentFiles: ["/"] }, /the agent's own, not the system's/],
    [{ agentFiles: ["/etc"] }, /the agent's own/],
    [{ agentFiles: ["/proc/self/environ"] }, /the agent's own/],
    [{ agentFiles: [PROJECT] }, /it must lie outside/],
    [{ agentFiles: [`${PROJECT}/results/incidents/truth`] }, /it must lie outside/],
    [{ agentModel: "localhost:11434" }, /it must be an http:\/\/ or https:\/\/ URL/],
    [{ agentEnv: ["SUDO_COMMAND"] }, /one of their own, such as a key/],
    [{ agentEnv: ["LAB_OWNER_TOKEN"] }, /one of their own/],
    [{ agentEnv: ["PATH"] }, /one of their own/],
    [{ agentEnv: ["A=B"] }, /one of their own/],
    [{ agentEnv: ["NOT_SET"] }, /it is not set/],
  ])("is refused with the rule: %p", (given, message) => {
    expect(() => agentSettings(given, { SUDO_COMMAND: "x" })).toThrow(message);
  });

  test("cannot be a link into the project", () => {
    symlinkSync(`${PROJECT}/scenarios`, `${folder}/link`);
    expect(() => agentSettings({ agentFiles: [`${folder}/link`] })).toThrow("must lie outside");
  });
});

describe.skipIf((await whyNoRoom()) !== undefined)("a confined program", () => {
  const notes: string[] = [];
  const inside = (script: string, given: GivenToAgents, env = {}): Promise<ProgramEnd> =>
    runProgram({
      argv: ["sh", "-c", script],
      env: {},
      stdin: "",
      settings: agentSettings(given, env),
      doors: [],
      signal: new AbortController().signal,
      note: (line) => notes.push(line),
    });

  test("finds its own programs first, and cannot change them", async () => {
    mkdirSync(`${folder}/own/bin`, { recursive: true });
    writeFileSync(`${folder}/own/bin/my-agent`, "#!/bin/sh\necho agent\n", { mode: 0o755 });
    const { stdout } = await inside(
      `my-agent; echo x 2>/dev/null >> ${folder}/own/bin/my-agent || echo kept`,
      { agentFiles: [`${folder}/own`] },
    );
    expect(stdout).toBe("agent\nkept\n");
  });

  test("reaches its model server by name over TLS, with its key, and nothing else", async () => {
    const keys = `-keyout ${folder}/key.pem -out ${folder}/own/cert.pem`;
    const request = `req -x509 -newkey rsa:2048 -nodes -days 2 ${keys} -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
    await mustRun(["openssl", ...request.split(" ")]);
    const tls = {
      key: readFileSync(`${folder}/key.pem`),
      cert: readFileSync(`${folder}/own/cert.pem`),
    };
    const model = Bun.serve({
      hostname: "localhost",
      port: 0,
      tls,
      fetch: (asked) => new Response(`model for ${asked.headers.get("authorization")}`),
    });
    const lab = Bun.serve({ hostname: "localhost", port: 0, fetch: () => new Response("lab") });
    const url = `https://localhost:${model.port}`;
    const ask = `curl -s -m 5 --cacert ${folder}/own/cert.pem -H "Authorization: Bearer $MY_KEY"`;
    const { stdout } = await inside(
      `${ask} ${url}/; echo; ${ask} --noproxy '' --proxy "$HTTPS_PROXY" ${url}/; echo
       ${ask} http://localhost:${lab.port}/ || echo "no lab"
       ${ask} --noproxy '' --proxy "$HTTPS_PROXY" -p http://localhost:${lab.port}/ || echo "no lab by the proxy"
       ${ask} https://example.com/ || echo "no Internet"`,
      { agentFiles: [`${folder}/own`], agentModel: url, agentEnv: ["MY_KEY"] },
      { MY_KEY: "k-1", OTHER_KEY: "k-2" },
    );
    expect(stdout.split("\n")).toEqual([
      "model for Bearer k-1",
      "model for Bearer k-1",
      "no lab",
      "no lab by the proxy",
      "no Internet",
      "",
    ]);
    expect(notes).toEqual([
      `refused at the proxy: localhost:${lab.port}`,
      "refused at the proxy: example.com:443",
    ]);
    await Promise.all([model.stop(true), lab.stop(true)]);
  });
});

/**
 * Every attack on a recorded incident with real engines, in surroundings that have what it is
 * after. Each scores at most what chance does, and its record shows it. The same programs without a
 * room show that they would work.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnv } from "../../base/env.ts";
import { run } from "../../base/shell.ts";
import { waitUntil } from "../../base/wait.ts";
import { whyNoRoom } from "../../investigate/confined/program.ts";
import { agentSettings } from "../../investigate/confined/settings.ts";
import { createExecInvestigator, type ExecOptions } from "../../investigate/external/exec.ts";
import type { Investigator } from "../../investigate/investigator.ts";
import { createInvestigator } from "../../investigate/registry.ts";
import { createMcpInvestigator } from "../../investigate/external/mcp.ts";
import type { Manifest } from "../../score/run-record.ts";
import { loadScenario } from "../../../scenarios/load.ts";
import type { RunContext } from "../context.ts";
import { examineRecorded } from "../examination.ts";
import { bundlesIn, readRecording, type RecordedIncident } from "../recorded-incident.ts";
import { silent } from "../testing/silent.ts";
import { type Attack, ATTACKS, type Surroundings } from "./attacks.ts";

const PROJECT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const SCENARIO = "message-flood";
const isPossible = Bun.which("prometheus") !== null && (await whyNoRoom()) === undefined;

let folder = "";
let recorded: RecordedIncident;
let around: Surroundings;
let chance: Manifest;
const neighbours: Bun.Subprocess[] = [];
const commands: string[] = [];
let control: Server;
let otlp: Bun.Server<undefined>;
const context: RunContext = {
  signal: new AbortController().signal,
  progress: () => silent,
  claimLab: () => undefined,
  createLab: () => {
    throw new Error("an examination starts no lab");
  },
};

let count = 0;
/** The manifest of an examination, and all that its record says. */
async function examined(
  investigator: Investigator,
): Promise<{ manifest: Manifest; record: string }> {
  const results = join(folder, "runs", String(count++));
  const settings = {
    versions: {},
    folder: results,
    latest: join(results, "latest"),
    first: investigator.name,
  };
  const job = { recorded, investigator, prefix: "", name: "1" };
  const manifest = await examineRecorded(context, settings, job);
  const log = readFileSync(join(results, "latest", SCENARIO, "run.log"), "utf8");
  return { manifest, record: `${log}\n${JSON.stringify(manifest.details)}` };
}

beforeAll(async () => {
  if (!isPossible) return;
  folder = mkdtempSync(`${tmpdir()}/attacks-`);
  const found = bundlesIn([`${PROJECT}/results/incidents`])
    .map(readRecording)
    .find(({ recording }) => recording.scenario === SCENARIO);
  if (found === undefined) throw new Error(`there is no recording of ${SCENARIO}`);
  recorded = found;
  const answersWhoAsks = (socket: { end: (text: string) => void }): void =>
    socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${SCENARIO}`);
  control = createServer((socket) => {
    commands.push("somebody connected");
    answersWhoAsks(socket);
  });
  await new Promise<void>((resolve) => control.listen(join(folder, "control.sock"), resolve));
  otlp = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      commands.push("telemetry came in");
      return new Response(SCENARIO);
    },
  });
  mkdirSync(join(folder, "results"));
  writeFileSync(join(folder, "results/manifest.json"), `{"scenario": "${SCENARIO}"}\n`);
  writeFileSync(join(folder, "owner-token"), `${SCENARIO}\n`);
  mkdirSync(join(folder, "own"));
  symlinkSync(truthOf(recorded), join(folder, "own/link"));
  const mark = `7${process.pid}`;
  const victim = `radar-sensor-${mark}`;
  for (const name of [`bun runner.ts ${SCENARIO}`, victim]) {
    neighbours.push(
      Bun.spawn(["bash", "-c", 'exec -a "$1" sleep 900', "bash", name], {
        env: {
          ...processEnv(),
          SUDO_COMMAND: `bun runner.ts ${SCENARIO}`,
          LAB_OWNER_TOKEN: SCENARIO,
        },
        timeout: 900_000,
      }),
    );
  }
  around = {
    scenario: SCENARIO,
    truthFile: truthOf(recorded),
    project: PROJECT,
    results: join(folder, "results"),
    controlSocket: join(folder, "control.sock"),
    tokenFile: join(folder, "owner-token"),
    otlpPort: otlp.port ?? 0,
    otherDoors: "http://127.0.0.1:9",
    victim,
    mark,
  };
  chance = (await examined(createInvestigator("random"))).manifest;
});

afterAll(async () => {
  for (const one of neighbours) one.kill("SIGKILL");
  control?.close();
  await otlp?.stop(true);
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

const truthOf = ({ bundlePath, recording }: RecordedIncident): string =>
  join(bundlePath, "..", "truth", `${recording.incident}.json`);

/**
 * The attacker's program: a file of its own, with a link beside it, and a model server that it may
 * reach.
 */
function attacker({ script }: Attack, options: ExecOptions = {}): Investigator {
  const own = join(folder, "own");
  const settings = agentSettings({ agentFiles: [own], agentModel: "https://model.example" });
  const program = join(own, `attack-${count}`);
  writeFileSync(program, script(around));
  return createExecInvestigator(`sh ${program}`, { ...options, settings });
}

const diagnosisOf = ({ score }: Manifest): number => score?.diagnosis ?? 0;

describe.skipIf(!isPossible)("an attack (needs Prometheus and rooms)", () => {
  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))(
    "%s scores at most what chance does, voids nothing, and shows in the record",
    async (name, attack) => {
      const before = commands.length;
      const { manifest, record } = await withOther(name, () => examined(attacker(attack)));
      expect(manifest.outcome).toEqual({ kind: "valid" });
      expect(manifest.agent_failure).toBeNull();
      expect(manifest.details["unconfined"]).toBe(false);
      expect(diagnosisOf(manifest)).toBeLessThanOrEqual(diagnosisOf(chance));
      expect(record).toMatch(attack.shows);
      expect(record).not.toContain("got the scenario");
      expect(commands).toHaveLength(before);
      expect((await run(["pgrep", "-f", `sleep ${around.mark}`])).stdout).toBe("");
      for (const one of neighbours) expect(one.exitCode).toBeNull();
    },
  );

  const named = (name: string): Attack => {
    const attack = ATTACKS.find((one) => one.name === name);
    if (attack === undefined) throw new Error(`there is no attack ${name}`);
    return attack;
  };
  const withoutRoom = (name: string) =>
    examined(attacker(named(name), { noRoom: "this is a test" }));

  test.each([
    ["truth"],
    ["command line"],
    ["environment"],
    ["results"],
    ["owner's token"],
    ["control socket"],
    ["symbolic link"],
  ])("%s tells the scenario without a room", async (name) => {
    const { manifest, record } = await withoutRoom(name);
    expect(record).toContain("got the scenario");
    expect(manifest.details["unconfined"]).toBe(true);
    expect(diagnosisOf(manifest)).toBe(1);
  });

  test("forged telemetry goes in without a room, by the lab's port alone", async () => {
    const before = commands.length;
    await withoutRoom("forged telemetry");
    expect(commands.slice(before)).toEqual(["telemetry came in"]);
  });

  test("a process with a session of its own outlives its examination without a room", async () => {
    await withoutRoom("outlive");
    let left: string[] = [];
    // The shell of the attack may end before the program that it started has become `sleep`.
    await waitUntil(
      async () => {
        const { stdout } = await run(["pgrep", "-f", `^sleep ${around.mark}`]);
        left = stdout.split("\n").filter((pid) => pid !== "");
        return { ok: left.length > 0, seen: `${left.length} processes` };
      },
      { what: "a process that outlives its examination", deadlineMs: 20_000, intervalMs: 100 },
    );
    for (const pid of left) process.kill(Number(pid), "SIGKILL");
  });

  test("the victim is killed without a room", async () => {
    const [, victim] = neighbours;
    await withoutRoom("restart the victim");
    expect(await victim?.exited).toBe(137);
  });
});

/** Lets the attack on another examination have one: it has to go on, unharmed. */
async function withOther<T>(name: string, attack: () => Promise<T>): Promise<T> {
  if (name !== "somebody else's") return attack();
  const listening = Promise.withResolvers<string>();
  const stop = new AbortController();
  const other = createMcpInvestigator({ onListening: (url) => listening.resolve(url) });
  const base = "http://127.0.0.1:9";
  const ended = other.investigate({
    alert: (await loadScenario(SCENARIO)).alertTemplate,
    urls: { grafana: base, prometheus: base, loki: base, tempo: base },
    budget: { wallMs: 600_000, rounds: 1, tokens: 1 },
    seed: 1,
    signal: stop.signal,
    transcript: { phase: () => {}, note: () => {} },
  });
  const state = { isOver: false };
  void ended
    .catch(() => undefined)
    .finally(() => {
      state.isOver = true;
    });
  const { origin } = new URL(await listening.promise);
  around = { ...around, otherDoors: origin };
  try {
    return await attack();
  } finally {
    expect(state.isOver).toBe(false);
    stop.abort(new Error("the test is over"));
    await ended.catch(() => undefined);
  }
}

test("the table of the README has every attack, with what it got", () => {
  const table = readFileSync(`${import.meta.dir}/README.md`, "utf8");
  const rows = table.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  for (const { name, tries, got } of ATTACKS) {
    expect(rows).toContainEqual(["", name, tries, got, expect.any(String), ""]);
  }
  expect(ATTACKS.length).toBeGreaterThanOrEqual(12);
});

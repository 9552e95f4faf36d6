/**
 * The five topics between this binding and the Python package cyclonedds 11, both ways, every field
 * at its edges.
 *
 * Run: bun run test:dds-peers. It installs the package into a folder of its own and removes that
 * afterwards, unless CYCLONEDDS_PYTHON names a Python that has it. The binding's own library is
 * that of the system, or the one that CYCLONEDDS_HOME names. Exits with 1 when something differs,
 * with 2 when there is no such Python.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createParticipant, loadLibrary, type Qos } from "../mod.ts";
import { parseIdl } from "../testing/parse-idl.ts";
import { TokenPeer } from "../testing/token-peer.ts";
import { tokensOf } from "../testing/tokens.ts";
import { EDGES, edgeValue } from "../testing/values.ts";
import { testDomain, until } from "../testing/domain.ts";
import type { StructDecl } from "../types.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const TOPICS = [
  "SourceTrack",
  "TacticalTrack",
  "ThreatAssessment",
  "MissionOrder",
  "EngagementStatus",
];
const reliable: Qos = {
  reliability: "RELIABLE",
  history: { kind: "KEEP_ALL" },
  maxBlockingMs: 5000,
};

const PACKAGE = "cyclonedds==11.0.1";
const INSTALL_MS = 300_000;

/** Ends the program with exit code 2: there is no library to test against. */
function refuse(why: string): never {
  process.stderr.write(
    `Cannot test against Python: ${why}. CYCLONEDDS_PYTHON may name a Python that has the package cyclonedds 11.\n`,
  );
  process.exit(2);
}

/** Runs a program and returns its output, or undefined when it failed. */
async function run(argv: readonly string[], timeout = 20_000): Promise<string | undefined> {
  if (Bun.which(argv[0] as string) === null) return undefined;
  const child = Bun.spawn([...argv], { stdout: "pipe", stderr: "inherit", timeout });
  const said = await new Response(child.stdout).text();
  return (await child.exited) === 0 ? said.trim() : undefined;
}

/** A Python that has the package, in `folder`. */
async function installPython(folder: string): Promise<string> {
  say(`installing ${PACKAGE}`);
  const python = join(folder, "bin", "python");
  const made = await run(["python3", "-m", "venv", folder], INSTALL_MS);
  if (made === undefined) refuse("python3 -m venv failed");
  const installed = await run([python, "-m", "pip", "install", "--quiet", PACKAGE], INSTALL_MS);
  if (installed === undefined) refuse(`pip install ${PACKAGE} failed`);
  return python;
}

/** Prints the versions of both sides; ends the program when Python's is not 11. */
async function checkPython(python: string): Promise<void> {
  const probe = [
    "from importlib.metadata import version, PackageNotFoundError",
    "try: print(version('cyclonedds'))",
    "except PackageNotFoundError: print('no package cyclonedds')",
  ].join("\n");
  const version = await run([python, "-c", probe]);
  if (version?.startsWith("11.") !== true) {
    refuse(version === undefined ? `${python} does not run` : `${python} has ${version}`);
  }
  say(`Python cyclonedds ${version}, here libddsc ${loadLibrary().series}`);
}

/** Compares what was read with what was written; returns the number of differences. */
function compare(what: string, read: string, written: string): number {
  if (read === written) return 0;
  say(`DIFFER ${what}\n  written ${written.slice(0, 400)}\n  read    ${read.slice(0, 400)}`);
  return 1;
}

async function exchange(python: string, name: string, type: StructDecl): Promise<number> {
  const domain = testDomain();
  await using participant = createParticipant(domain);
  const script = `${import.meta.dir}/peer.py`;
  const argv = [python, script, String(domain.domainId)];
  await using peer = new TokenPeer(argv, { [name]: type }, domain.configXml);
  const topic = participant.topic(name, type, reliable);
  const writer = participant.writer(topic);
  await until("the Python reader", () => writer.matched.current === 1);
  let differences = 0;
  for (let edge = 0; edge < EDGES; edge++) {
    const value = edgeValue(type, edge);
    writer.write(value as never);
    const written = `${name} ALIVE 1 ${tokensOf(type, value)}`;
    differences += compare(`${name} to Python`, await peer.nextLine(), written);
  }
  const reader = participant.reader(topic);
  for (let edge = 0; edge < EDGES; edge++) {
    const value = edgeValue(type, edge);
    peer.write(name, value);
    const read: string[] = [];
    await until("the Python writer's sample", () => {
      reader.take((sample) => read.push(tokensOf(type, sample)));
      return read.length > 0;
    });
    differences += compare(`${name} from Python`, read.join(" and "), tokensOf(type, value));
  }
  say(`${name}: ${EDGES} samples each way, ${differences} differ`);
  return differences;
}

/** Exchanges all five topics; returns the number of differences. */
async function exchangeAll(python: string): Promise<number> {
  await checkPython(python);
  const structs = parseIdl(await Bun.file(new URL("../cms.idl", import.meta.url)).text());
  let differences = 0;
  for (const name of TOPICS) {
    differences += await exchange(python, name, structs.get(`cms::${name}`) as StructDecl);
  }
  return differences;
}

const given = process.env["CYCLONEDDS_PYTHON"] ?? "";
const folder = mkdtempSync(join(tmpdir(), "cyclonedds-11-"));
// Runs also when process.exit() ends the program.
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const differences = await exchangeAll(given === "" ? await installPython(folder) : given);
process.exit(differences === 0 ? 0 : 1);

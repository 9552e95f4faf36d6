/**
 * The five topics between this binding and the Python package cyclonedds 11, both ways, every field at its edges.
 *
 * Run: CYCLONEDDS_PYTHON=<python> bun run test:dds-peers. The binding's own library is that of the system, or the one that
 * CYCLONEDDS_HOME names. Exits with 1 when something differs, with 2 when there is no such Python.
 */
import { createParticipant, loadLibrary, type Qos } from "../mod.ts";
import { parseIdl } from "../testing/parse-idl.ts";
import { TokenPeer } from "../testing/token-peer.ts";
import { tokensOf } from "../testing/tokens.ts";
import { EDGES, edgeValue } from "../testing/values.ts";
import { testDomain, until } from "../testing.ts";
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

/** The Python to use; ends the program with how to get it when it is not there. */
async function findPython(): Promise<string> {
  const python = process.env["CYCLONEDDS_PYTHON"];
  const how =
    "python3 -m venv venv && venv/bin/pip install cyclonedds==11.0.1, then CYCLONEDDS_PYTHON=venv/bin/python";
  const refuse = (is: string): never => {
    process.stderr.write(
      `Cannot test against Python: CYCLONEDDS_PYTHON must name a Python with the package cyclonedds 11, but ${is}. To get one: ${how}\n`,
    );
    process.exit(2);
  };
  if (python === undefined || python === "") return refuse("it is not set");
  if (Bun.which(python) === null) return refuse(`${python} is not there`);
  const probe = "from importlib.metadata import version; print(version('cyclonedds'))";
  const child = Bun.spawn([python, "-c", probe], { stderr: "ignore", timeout: 20_000 });
  const version = (await new Response(child.stdout).text()).trim();
  if (!version.startsWith("11.")) {
    return refuse(version === "" ? `${python} has none` : `${python} has ${version}`);
  }
  say(`Python cyclonedds ${version}, here libddsc ${loadLibrary().series}`);
  return python;
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
  const topic = participant.topic(name, type);
  const writer = participant.writer(topic, reliable);
  await until("the Python reader", () => writer.matched.current === 1);
  let differences = 0;
  for (let edge = 0; edge < EDGES; edge++) {
    const value = edgeValue(type, edge);
    writer.write(value as never);
    const written = `${name} ALIVE 1 ${tokensOf(type, value)}`;
    differences += compare(`${name} to Python`, await peer.nextLine(), written);
  }
  const reader = participant.reader(topic, reliable);
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

const python = await findPython();
const structs = parseIdl(await Bun.file(new URL("../cms.idl", import.meta.url)).text());
let differences = 0;
for (const name of TOPICS) {
  differences += await exchange(python, name, structs.get(`cms::${name}`) as StructDecl);
}
process.exit(differences === 0 ? 0 : 1);

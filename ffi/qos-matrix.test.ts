/**
 * Asks the library, for every pair of values of each policy, whether a writer and a reader match
 * and what both sides say if they do not; compares the answers with qos-matrix.md.
 * FFI_WRITE_QOS_MATRIX=1 writes that page.
 */
import { expect, test } from "bun:test";
import { loadLibrary, type Participant, type Qos } from "./mod.ts";
import { Reading } from "./testing/reading.ts";
import { testParticipant, until } from "./testing/domain.ts";

const PAGE = `${import.meta.dir}/qos-matrix.md`;

/** Values of each policy by their names in the table. */
const POLICIES: Readonly<Record<string, Readonly<Record<string, Qos>>>> = {
  reliability: {
    BEST_EFFORT: { reliability: "BEST_EFFORT" },
    RELIABLE: { reliability: "RELIABLE" },
  },
  durability: {
    VOLATILE: { durability: "VOLATILE" },
    TRANSIENT_LOCAL: { durability: "TRANSIENT_LOCAL" },
    TRANSIENT: { durability: "TRANSIENT" },
    PERSISTENT: { durability: "PERSISTENT" },
  },
  ownership: { SHARED: { ownership: "SHARED" }, EXCLUSIVE: { ownership: "EXCLUSIVE" } },
  deadline: { none: {}, "1 s": { deadlineMs: 1000 }, "100 ms": { deadlineMs: 100 } },
  "liveliness kind": Object.fromEntries(
    (["AUTOMATIC", "MANUAL_BY_PARTICIPANT", "MANUAL_BY_TOPIC"] as const).map((kind) => [
      kind,
      { liveliness: { kind, leaseMs: 10_000 } },
    ]),
  ),
  "liveliness lease": Object.fromEntries(
    [10_000, 20_000].map((leaseMs) => [
      `${leaseMs / 1000} s`,
      { liveliness: { kind: "AUTOMATIC", leaseMs } },
    ]),
  ),
  partition: {
    none: {},
    north: { partition: "north" },
    south: { partition: "south" },
    "n*": { partition: "n*" },
  },
  "destination order": {
    BY_RECEPTION_TIMESTAMP: { destinationOrder: "BY_RECEPTION_TIMESTAMP" },
    BY_SOURCE_TIMESTAMP: { destinationOrder: "BY_SOURCE_TIMESTAMP" },
  },
};

const isTen = loadLibrary().series === "0.10";
let pairs = 0;

/** One row: the result for a writer that offers a value and a reader that requests one. */
function meet(participant: Participant, policy: string, offered: string, asked: string): string[] {
  const values = POLICIES[policy] as Readonly<Record<string, Qos>>;
  const topic = participant.topic(`Pair${pairs++}`, Reading);
  const reader = participant.reader(topic, values[asked]);
  const writer = participant.writer(topic, values[offered]);
  // Within one process, endpoints match before the constructor returns.
  const match = writer.matched.current === 1 && reader.matched.current === 1 ? "yes" : "no";
  const names = [writer, reader].map(({ incompatibleQos }) => incompatibleQos.lastPolicy ?? "");
  if (policy === "partition" && match === "no") {
    expect(names).toEqual(isTen ? ["PARTITION", "PARTITION"] : ["", ""]);
    names.fill("PARTITION (0.10)");
  }
  return [policy, offered, asked, match, ...names];
}

function page(rows: readonly (readonly string[])[]): string {
  const titles = [
    "policy",
    "writer offers",
    "reader asks",
    "match",
    "writer names",
    "reader names",
  ];
  const widths = titles.map((_, i) =>
    Math.max(...[titles, ...rows].map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [
    "# Which writers and readers match",
    "",
    "Measured on the library by `qos-matrix.test.ts`, which fails when this page says something else. All other policies have",
    "their defaults. The last two columns are `incompatibleQos.lastPolicy` of the writer and of the reader. Cyclone 0.10 names",
    "different partitions there too, which the standard does not call incompatible; 11 does not.",
    "",
    line(titles),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
    "",
  ].join("\n");
}

test("the table of QoS pairs is what the library does", async () => {
  await using participant = testParticipant();
  const rows = Object.entries(POLICIES).flatMap(([policy, values]) =>
    Object.keys(values).flatMap((offered) =>
      Object.keys(values).map((asked) => meet(participant, policy, offered, asked)),
    ),
  );
  const found = page(rows);
  if (process.env["FFI_WRITE_QOS_MATRIX"] === "1") await Bun.write(PAGE, found);
  expect(found).toBe(await Bun.file(PAGE).text());
});

test("a writer matches those readers only that ask for what it offers", async () => {
  await using participant = testParticipant();
  const topic = participant.topic("Readings", Reading);
  const writer = participant.writer(topic, { ownership: "EXCLUSIVE" });
  const readers = (["SHARED", "EXCLUSIVE"] as const).map((ownership) =>
    participant.reader(topic, { ownership }),
  );
  await until("the match", () => writer.matched.current === 1);
  expect(readers.map(({ matched }) => matched.current)).toEqual([0, 1]);
});

test("what a writer or a reader does not say is what its topic says", async () => {
  await using participant = testParticipant();
  const exclusive = participant.topic("Readings", Reading, { ownership: "EXCLUSIVE" });
  const [reader, writer] = [participant.reader(exclusive), participant.writer(exclusive)];
  const other = participant.writer(exclusive, { ownership: "SHARED" });
  await until("the match", () => reader.matched.current === 1);
  expect([writer.matched.current, other.matched.current]).toEqual([1, 0]);
  expect(reader.incompatibleQos.lastPolicy).toBe("OWNERSHIP");
});

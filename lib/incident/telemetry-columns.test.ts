/** Packs small stores by columns and unpacks them, and breaks packed ones. */
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packTelemetry, textsOfTelemetry, unpackTelemetry } from "./telemetry-columns.ts";

const folder = mkdtempSync(join(tmpdir(), "telemetry-columns-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FROZEN_MS = 1_767_225_600_000;
const FROZEN_NS = BigInt(FROZEN_MS) * 1_000_000n;

type Row = readonly (string | bigint)[];
/** id, trace, span, parent, origin, start, duration. */
const span = (
  id: bigint,
  own: string,
  parent: string,
  startNs: bigint,
  durationNs = 1000n,
): Row => [id, "21e6c32b6ab10b42e67b688f1d90ce4e", own, parent, 1n, startNs, durationNs];

const TABLES = {
  spans:
    "id INTEGER PRIMARY KEY, trace_id TEXT, span_id TEXT, parent_id TEXT, origin INTEGER, start_ns INTEGER, duration_ns INTEGER",
  logs: "id INTEGER PRIMARY KEY, stream INTEGER, time_ns INTEGER, line TEXT",
  origins: "id INTEGER PRIMARY KEY, service TEXT UNIQUE",
  streams: "id INTEGER PRIMARY KEY, labels TEXT",
  markers: "id INTEGER PRIMARY KEY, text TEXT",
};

const ROWS: Readonly<Record<keyof typeof TABLES, readonly Row[]>> = {
  spans: [
    span(3n, "00000000000000a1", "", FROZEN_NS - 9000n),
    span(4n, "00000000000000a2", "00000000000000a1", FROZEN_NS - 8000n, 70n),
    // Its parent comes later, the next one's parent is not in the store.
    span(7n, "00000000000000a3", "00000000000000a4", FROZEN_NS - 8500n),
    span(8n, "00000000000000a4", "00000000000000ff", FROZEN_NS - 8500n),
    // A span that names itself, and one that ends after the freeze.
    span(9n, "00000000000000a5", "00000000000000a5", FROZEN_NS - 7000n, -5n),
    span(10n, "00000000000000a6", "00000000000000a1", FROZEN_NS - 10n),
  ],
  logs: [
    [1n, 2n, FROZEN_NS, "two\nlines, a \u0000, é and 日本"],
    [2n, 1n, FROZEN_NS - 1n, ""],
    [3n, 1n, FROZEN_NS + 1n, "after the freeze"],
  ],
  origins: [
    [1n, "radar-sensor"],
    [2n, "sent nothing yet"],
  ],
  streams: [
    [1n, "{}"],
    [2n, '{"service_name":"eo-sensor"}'],
  ],
  markers: [[1n, "a fault was injected"]],
};

let stores = 0;
function store(rows: typeof ROWS): string {
  const path = join(folder, `${++stores}.sqlite`);
  using database = new Database(path, { create: true, safeIntegers: true });
  for (const [name, columns] of Object.entries(TABLES)) {
    database.run(`CREATE TABLE ${name} (${columns})`);
    for (const row of rows[name as keyof typeof TABLES]) {
      database.run(`INSERT INTO ${name} VALUES (${row.map(() => "?").join()})`, [...row]);
    }
  }
  database.run("PRAGMA user_version = 7");
  return path;
}

/** All tables of a store, by name. */
function tablesOf(path: string): Record<string, unknown> {
  using database = new Database(path, { readonly: true, safeIntegers: true });
  const names = database.query("SELECT name FROM sqlite_master").values().flat() as string[];
  return Object.fromEntries(
    names.map((name) => [name, database.query(`SELECT * FROM ${name}`).values()]),
  );
}

function unpacked(content: Uint8Array): string {
  const path = join(folder, `${++stores}.sqlite`);
  unpackTelemetry(content, path);
  return path;
}

const packed = packTelemetry(store(ROWS), FROZEN_MS);

test("what is unpacked is what was stored up to the freeze, from allowed tables", () => {
  const path = unpacked(packed);
  expect(tablesOf(path)).toEqual({
    spans: ROWS.spans.slice(0, -1),
    logs: ROWS.logs.slice(0, -1),
    origins: ROWS.origins.slice(0, 1),
    streams: ROWS.streams,
  });
  using database = new Database(path, { readonly: true });
  expect(database.query("PRAGMA user_version").get()).toEqual({ user_version: 7 });
});

test("a store without a row comes back as one", () => {
  const none = { spans: [], logs: [], origins: [], streams: [], markers: [] };
  const tables = tablesOf(unpacked(packTelemetry(store(none), FROZEN_MS)));
  expect(tables).toEqual({ spans: [], logs: [], origins: [], streams: [] });
});

test("ids that are not hexadecimal come back as they were", () => {
  const spans = [
    span(1n, "root", "", FROZEN_NS - 9000n),
    span(2n, "child", "root", FROZEN_NS - 9000n),
    span(3n, "other", "unknown", FROZEN_NS - 9000n),
  ];
  const path = unpacked(packTelemetry(store({ ...ROWS, spans }), FROZEN_MS));
  expect(tablesOf(path)["spans"]).toEqual(spans);
});

test("every text can be looked through, with its place", () => {
  const texts = [...textsOfTelemetry(packed)];
  expect(texts).toContainEqual({ where: "logs 1", text: ROWS.logs[0]?.[3] as string });
  expect(texts).toContainEqual({ where: "origins 1", text: "radar-sensor" });
  expect(texts.map(({ text }) => text).join("\n")).not.toMatch(/injected|after the freeze/);
});

interface Head {
  schema_version: number;
  tables: {
    name: string;
    rows: number;
    columns: { name: string; type: string; form: string; parts: number[] }[];
  }[];
}

/** The packed store with another head. */
function withHead(change: (head: Head) => unknown): Buffer {
  const end = 4 + packed.readUInt32LE(0);
  const head = JSON.parse(packed.toString("utf8", 4, end)) as Head;
  const json = Buffer.from(JSON.stringify(change(head) ?? head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, packed.subarray(end)]);
}

function table(head: Head, index: number): Head["tables"][number] {
  const found = head.tables[index];
  if (found === undefined) throw new RangeError(`no table ${index}`);
  return found;
}

function column(
  head: Head,
  index: number,
  name: string,
): { name: string; type: string; form: string } {
  const found = table(head, index).columns.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`no column ${name}`);
  return found;
}

describe("refuses, and writes nothing for,", () => {
  test.each<[string, () => Buffer, RegExp]>([
    ["nothing", () => Buffer.alloc(0), /its head is no JSON/],
    ["half of it", () => packed.subarray(0, packed.length / 2), /must|head/],
    ["a byte more", () => Buffer.concat([packed, Buffer.from("x")]), /must have \d+ bytes, but/],
    [
      "another table",
      () => withHead((head) => void (table(head, 0).name = "markers")),
      /tables\.0\.name/,
    ],
    ["a table less", () => withHead((head) => void head.tables.pop()), /tables: /],
    [
      "a name that is SQL",
      () =>
        withHead((head) => void (column(head, 0, "trace_id").name = 'a" TEXT); DROP TABLE x; --')),
      /must be a name in lower case/,
    ],
    [
      "a name that stands twice",
      () => withHead((head) => void (column(head, 0, "trace_id").name = "id")),
      /a column of spans must be named once/,
    ],
    [
      "another number of rows",
      () => withHead((head) => void (table(head, 0).rows = 4)),
      /spans\.\w+ must have 4 values/,
    ],
    [
      "integers that are text",
      () => withHead((head) => void (column(head, 1, "line").type = "INTEGER")),
      /logs\.line must have 2 values of type INTEGER/,
    ],
    [
      "rows of a column that nothing refers to",
      () => withHead((head) => void (column(head, 0, "parent_id").name = "other_id")),
      /spans\.other_id must refer to a row that exists/,
    ],
    [
      "text in place of numbers",
      () => withHead((head) => void (column(head, 1, "line").form = "rows")),
      /logs\.line must/,
    ],
  ])("%s", (_, make, rule) => {
    const target = join(folder, "refused.sqlite");
    expect(() => unpackTelemetry(make(), target)).toThrow(rule);
    expect(existsSync(target)).toBe(false);
  });
});

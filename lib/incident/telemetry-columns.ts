/**
 * The telemetry store in a bundle: rows up to one moment, from allowed tables, column by column.
 *
 * Spans are most of a bundle, and random ids most of a span. Pages of SQLite mix the columns, write
 * ids as text and repeat the id of each parent, which makes a bundle twice as large.
 *
 * | bytes | what                                                                    |
 * | ----- | ----------------------------------------------------------------------- |
 * | 4     | length of the head, little-endian                                       |
 * | …     | the head, JSON: tables, their columns, form and sizes of their parts    |
 * | …     | the parts, one after the other                                          |
 */
import { Database } from "bun:sqlite";
import { z } from "zod";

interface TableRule {
  /** The rows to copy: those from before the freeze. */
  readonly condition: string;
  /** Columns whose values mostly stand in another column of the same table. */
  readonly refersTo?: Readonly<Record<string, string>>;
}

const SPANS = "start_ns + duration_ns <= $ns";
const LOGS = "time_ns <= $ns";

/**
 * The tables in a bundle. `markers` is not among them: they contain the time of the injection,
 * which is part of the truth.
 */
const TABLES = {
  spans: { condition: SPANS, refersTo: { parent_id: "span_id" } },
  logs: { condition: LOGS },
  origins: { condition: `id IN (SELECT origin FROM spans WHERE ${SPANS})` },
  streams: { condition: `id IN (SELECT stream FROM logs WHERE ${LOGS})` },
} as const satisfies Readonly<Record<string, TableRule>>;
type TableName = keyof typeof TABLES;
const TABLE_NAMES = Object.keys(TABLES) as TableName[];

const TYPES = ["INTEGER PRIMARY KEY", "INTEGER", "TEXT"] as const;
/**
 * Integers as they are or as differences from the one before; texts or the bytes of hexadecimal
 * ones, after their lengths; or distances to the row whose other column has the same value, where 0
 * stands for the next of the texts that follow.
 */
const FORMS = ["integers", "differences", "texts", "hexadecimal", "rows"] as const;

const identifier = z.string().regex(/^[a-z][a-z_]{0,30}$/, "it must be a name in lower case");
const whole = z.number().int().nonnegative();
const MAX_ROWS = 5_000_000;

const ColumnSchema = z.strictObject({
  name: identifier,
  type: z.enum(TYPES),
  form: z.enum(FORMS),
  /** Size of each part, in bytes. */
  parts: z.array(whole).min(1).max(3),
});
const HeadSchema = z.strictObject({
  /** `user_version` of the store. */
  schema_version: whole,
  tables: z
    .array(
      z.strictObject({
        name: z.enum(TABLE_NAMES),
        rows: whole.max(MAX_ROWS),
        columns: z.array(ColumnSchema).min(1).max(40),
      }),
    )
    .length(TABLE_NAMES.length),
});
type Head = z.infer<typeof HeadSchema>;
type Column = z.infer<typeof ColumnSchema>;

/** An integer is a number where that is exact. */
type Value = bigint | number | string;
interface Table {
  readonly name: TableName;
  readonly columns: readonly (Pick<Column, "name" | "type"> & { readonly values: Value[] })[];
}

/** Content that is not what this file writes; the message states the rule. */
export class MalformedColumnsError extends Error {
  override readonly name = "MalformedColumnsError";
}

/** The rows of the store at `source` up to `frozenUnixMs`, read in one transaction. */
export function packTelemetry(source: string, frozenUnixMs: number): Buffer {
  using database = new Database(source, { readonly: true, strict: true, safeIntegers: true });
  return database.transaction(() => {
    const { user_version: version } = database.query("PRAGMA user_version").get() as {
      user_version: bigint;
    };
    const ns = BigInt(frozenUnixMs) * 1_000_000n;
    const tables = TABLE_NAMES.map((name) => readTable(database, name, ns));
    return write(Number(version), tables);
  })();
}

function readTable(database: Database, name: TableName, ns: bigint): Table {
  const described = database.query(`PRAGMA table_info(${name})`).all() as {
    name: string;
    type: string;
    pk: bigint;
  }[];
  if (described.length === 0) throw new Error(`The telemetry store has no table ${name}`);
  const columns = described.map((column) => ({
    name: column.name,
    type: ColumnSchema.shape.type.parse(
      column.pk === 1n ? `${column.type} PRIMARY KEY` : column.type,
    ),
    values: [] as Value[],
  }));
  const rows = database
    .query(`SELECT * FROM ${name} WHERE ${TABLES[name].condition} ORDER BY id`)
    .values({ ns }) as Value[][];
  for (const row of rows) {
    for (const [i, { values }] of columns.entries()) values.push(row[i] ?? "");
  }
  return { name, columns };
}

function write(schemaVersion: number, tables: readonly Table[]): Buffer {
  const contents: Buffer[] = [];
  const head: Head = {
    schema_version: schemaVersion,
    tables: tables.map((table) => ({
      name: table.name,
      rows: table.columns[0]?.values.length ?? 0,
      columns: table.columns.map((column) => {
        const { form, parts } = formOf(table, column);
        contents.push(...parts);
        const { name, type } = column;
        return { name, type, form, parts: parts.map(({ length }) => length) };
      }),
    })),
  };
  const json = Buffer.from(JSON.stringify(HeadSchema.parse(head)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, ...contents]);
}

interface Packed {
  readonly form: Column["form"];
  readonly parts: readonly Buffer[];
}

function formOf({ name, columns }: Table, column: Table["columns"][number]): Packed {
  const { refersTo = {} }: TableRule = TABLES[name];
  const other = columns.find((one) => one.name === refersTo[column.name]);
  if (other !== undefined) {
    return packReferences(column.values as string[], other.values as string[]);
  }
  return column.type === "TEXT"
    ? packTexts(column.values as string[])
    : packIntegers(column.values as bigint[]);
}

function packIntegers(values: readonly bigint[]): Packed {
  const steps = values.map((value, i) => value - (values[i - 1] ?? 0n));
  return steps.every((step) => step >= 0n)
    ? { form: "differences", parts: [lines(steps)] }
    : { form: "integers", parts: [lines(values)] };
}

const HEXADECIMAL = /^([0-9a-f]{2})*$/;

function packTexts(values: readonly string[]): Packed {
  const isHex = values.every((value) => HEXADECIMAL.test(value));
  const contents = values.map((value) => Buffer.from(value, isHex ? "hex" : "utf8"));
  return {
    form: isHex ? "hexadecimal" : "texts",
    parts: [lines(contents.map(({ length }) => length)), Buffer.concat(contents)],
  };
}

function packReferences(values: readonly string[], others: readonly string[]): Packed {
  const rowOf = new Map(others.map((value, row) => [value, row]));
  const distances = values.map((value, row) => (rowOf.get(value) ?? row) - row);
  const rest = packTexts(values.filter((_, row) => distances[row] === 0));
  // Texts that are not hexadecimal would need a form of their own; ids are.
  if (rest.form !== "hexadecimal") return packTexts(values);
  return { form: "rows", parts: [lines(distances), ...rest.parts] };
}

const lines = (numbers: readonly (bigint | number)[]): Buffer => Buffer.from(numbers.join("\n"));

/**
 * Writes a new database at `target` with the tables of `content`, without indexes, which are
 * created when it is opened. Throws MalformedColumnsError before it writes anything.
 */
export function unpackTelemetry(content: Uint8Array, target: string): void {
  const { schemaVersion, tables } = read(content);
  using database = new Database(target, { create: true, strict: true, safeIntegers: true });
  database.run("PRAGMA journal_mode = OFF");
  database.transaction(() => {
    for (const { name, columns } of tables) {
      const described = columns.map((column) => `"${column.name}" ${column.type} NOT NULL`);
      database.run(`CREATE TABLE ${name} (${described.join(", ")})`);
      const insert = database.query(
        `INSERT INTO ${name} VALUES (${columns.map(() => "?").join(", ")})`,
      );
      const rows = columns[0]?.values.length ?? 0;
      for (let row = 0; row < rows; row++) {
        insert.run(...columns.map(({ values }) => values[row] ?? ""));
      }
    }
  })();
  database.run(`PRAGMA user_version = ${schemaVersion}`);
}

/**
 * All texts of a packed store: the names of a table and its columns, then the texts of each row.
 */
export function* textsOfTelemetry(content: Uint8Array): Generator<{ where: string; text: string }> {
  for (const { name, columns } of read(content).tables) {
    yield { where: name, text: [name, ...columns.map((column) => column.name)].join("\n") };
    const texts = columns.filter(({ type }) => type === "TEXT");
    const rows = texts[0]?.values.length ?? 0;
    for (let row = 0; row < rows; row++) {
      yield {
        where: `${name} ${row + 1}`,
        text: texts.map(({ values }) => values[row]).join("\n"),
      };
    }
  }
}

function read(content: Uint8Array): { schemaVersion: number; tables: Table[] } {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const head = readHead(bytes);
  let at = 4 + bytes.readUInt32LE(0);
  const tables = head.tables.map(({ name, rows, columns }) => {
    const taken = columns.map(({ parts, ...column }) => ({
      ...column,
      parts: parts.map((length) => bytes.subarray(at, (at += length))),
    }));
    return { name, columns: columnsOf(name, rows, taken) };
  });
  if (at !== bytes.length) {
    throw new MalformedColumnsError(`it must have ${at} bytes, but has ${bytes.length}`);
  }
  return { schemaVersion: head.schema_version, tables };
}

function readHead(bytes: Buffer): Head {
  const end = bytes.length < 4 ? 0 : 4 + bytes.readUInt32LE(0);
  try {
    const head = HeadSchema.safeParse(JSON.parse(bytes.toString("utf8", 4, end)));
    if (head.success) return head.data;
    const [issue] = head.error.issues;
    throw new MalformedColumnsError(`its head: ${issue?.path.join(".")}: ${issue?.message}`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MalformedColumnsError("its head is no JSON", { cause: error });
  }
}

type Taken = Omit<Column, "parts"> & { readonly parts: readonly Buffer[] };

function columnsOf(table: TableName, rows: number, columns: readonly Taken[]): Table["columns"] {
  const names = columns.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    throw new MalformedColumnsError(`a column of ${table} must be named once`);
  }
  const found = new Map<string, Value[]>();
  const { refersTo = {} }: TableRule = TABLES[table];
  // A column that others refer to comes first, wherever it stands.
  const order = columns.toSorted((a, b) => Number(a.form === "rows") - Number(b.form === "rows"));
  for (const column of order) {
    const where = `${table}.${column.name}`;
    const values = valuesOf(column, found.get(refersTo[column.name] ?? ""), where);
    const isText = values.every((value) => typeof value === "string");
    if (values.length !== rows || (rows > 0 && isText !== (column.type === "TEXT"))) {
      throw new MalformedColumnsError(`${where} must have ${rows} values of type ${column.type}`);
    }
    if (column.type === "INTEGER PRIMARY KEY" && !isRising(values)) {
      throw new MalformedColumnsError(`${where} must rise from row to row`);
    }
    found.set(column.name, values);
  }
  return columns.map(({ name, type }) => ({ name, type, values: found.get(name) ?? [] }));
}

const isRising = (values: readonly Value[]): boolean =>
  values.every((value, i) => i === 0 || value > (values[i - 1] ?? value));

function valuesOf({ form, parts }: Taken, others: Value[] | undefined, where: string): Value[] {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = parts;
  if (form === "integers") return integersOf(first, where);
  if (form === "differences") return sums(integersOf(first, where), where);
  if (form !== "rows") return textsOf(first, second, form, where);
  const rest = textsOf(second, third, "hexadecimal", where);
  let next = 0;
  return integersOf(first, where).map((distance, row) => {
    const value = distance === 0 ? rest[next++] : others?.[row + Number(distance)];
    if (value !== undefined) return value;
    throw new MalformedColumnsError(`${where} must refer to a row that exists, in row ${row + 1}`);
  });
}

function sums(steps: readonly (bigint | number)[], where: string): (bigint | number)[] {
  let sum = 0n;
  return steps.map((step) => {
    sum += BigInt(step);
    if (step < 0 || sum > MAX_INTEGER) {
      throw new MalformedColumnsError(`${where} must rise, to at most ${MAX_INTEGER}`);
    }
    return sum <= Number.MAX_SAFE_INTEGER ? Number(sum) : sum;
  });
}

/** What SQLite stores has 64 bits. */
const MAX_INTEGER = 2n ** 63n - 1n;
const INTEGER = /^-?\d{1,18}$|^[1-8]\d{18}$/;
const EXACT_DIGITS = 15;

function integersOf(part: Buffer, where: string): (bigint | number)[] {
  if (part.length === 0) return [];
  return part
    .toString("latin1")
    .split("\n")
    .map((line) => {
      if (INTEGER.test(line)) return line.length > EXACT_DIGITS ? BigInt(line) : Number(line);
      throw new MalformedColumnsError(`${where} must be integers, but has "${line.slice(0, 40)}"`);
    });
}

function textsOf(
  lengths: Buffer,
  contents: Buffer,
  form: "texts" | "hexadecimal",
  where: string,
): string[] {
  const encoding = form === "texts" ? "utf8" : "hex";
  // One conversion for all values is much faster; positions in text are known if none is wider than
  // its bytes.
  const all = contents.toString(encoding);
  const width = all.length / Math.max(1, contents.length);
  let at = 0;
  const texts = integersOf(lengths, where).map((length) => {
    const end = at + Number(length);
    if (end < at || end > contents.length) {
      throw new MalformedColumnsError(`${where} must end within its ${contents.length} bytes`);
    }
    const text = Number.isInteger(width)
      ? all.slice(at * width, end * width)
      : contents.toString(encoding, at, end);
    at = end;
    return text;
  });
  if (at === contents.length) return texts;
  throw new MalformedColumnsError(`${where} must use all of its ${contents.length} bytes`);
}

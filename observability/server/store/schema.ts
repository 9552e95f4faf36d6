/**
 * The tables. Two choices make it fast:
 *
 * - A random trace id in a big index costs a page write per span. Here the index starts with a
 *   bucket of the arrival time, so that inserts stay in one small part of the tree; a look-up asks
 *   every bucket there is.
 * - Who sent an item (resource and scope, a stream's labels) is stored once and referred to by
 *   number.
 */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EnvironmentError } from "../../../lib/base/errors.ts";

/** Incremented when a table changes; a file of another version is refused. */
const SCHEMA_VERSION = 1;

const TABLES = `
CREATE TABLE IF NOT EXISTS origins (
  id INTEGER PRIMARY KEY,
  service TEXT NOT NULL,
  resource TEXT NOT NULL,
  scope TEXT NOT NULL,
  UNIQUE (service, resource, scope)
);
CREATE TABLE IF NOT EXISTS spans (
  id INTEGER PRIMARY KEY,
  bucket INTEGER NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  parent_id TEXT NOT NULL,
  origin INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  status INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  rest TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS spans_by_trace ON spans (bucket, trace_id);
CREATE INDEX IF NOT EXISTS spans_by_origin ON spans (origin, start_ns);
CREATE TABLE IF NOT EXISTS streams (
  id INTEGER PRIMARY KEY,
  labels TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS logs (
  id INTEGER PRIMARY KEY,
  bucket INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  line TEXT NOT NULL,
  metadata TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS logs_by_stream ON logs (stream, time_ns);
CREATE TABLE IF NOT EXISTS markers (
  id INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  end_ms INTEGER,
  kind TEXT NOT NULL,
  text TEXT NOT NULL
);
`;

/** Deletes senders without stored rows. */
const FORGET_UNUSED = `
DELETE FROM origins WHERE NOT EXISTS (SELECT 1 FROM spans WHERE spans.origin = origins.id);
DELETE FROM streams WHERE NOT EXISTS (SELECT 1 FROM logs WHERE logs.stream = streams.id);
`;

/** A connection for writing and one for reading, which never waits for the first. */
export interface Connections {
  readonly writer: Database;
  readonly reader: Database;
}

/**
 * Opens the store in `folder` for reading. Creates the indexes first, because a copy has none.
 * Throws EnvironmentError.
 */
export function openFrozenDatabase(folder: string): Connections {
  const file = join(folder, "telemetry.sqlite");
  try {
    const indexer = new Database(file, { readwrite: true, strict: true });
    mustHaveThisVersion(indexer);
    indexer.run("PRAGMA journal_mode = DELETE");
    indexer.run("PRAGMA synchronous = OFF");
    indexer.run(TABLES);
    indexer.close();
    const writer = new Database(file, { readonly: true, strict: true });
    const reader = new Database(file, { readonly: true, strict: true, safeIntegers: true });
    return { writer, reader };
  } catch (error) {
    throw cannotOpen(file, error);
  }
}

const cannotOpen = (file: string, error: unknown): EnvironmentError =>
  new EnvironmentError(`Cannot open the telemetry store ${file}: ${(error as Error).message}`, {
    cause: error,
  });

function mustHaveThisVersion(database: Database): void {
  const { user_version: version } = database.query("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (version !== 0 && version !== SCHEMA_VERSION) {
    throw new Error(`its format must be ${SCHEMA_VERSION}, but is ${version}; delete the file`);
  }
}

/** Opens the store in `folder`, and creates it if necessary; throws EnvironmentError. */
export function openDatabase(folder: string): Connections {
  const file = join(folder, "telemetry.sqlite");
  try {
    mkdirSync(folder, { recursive: true });
    const writer = new Database(file, { create: true, strict: true });
    // NORMAL in WAL mode: a commit survives the end of the process, and a crash of the machine
    // after the next checkpoint. That is sufficient for a lab's telemetry.
    writer.run("PRAGMA auto_vacuum = INCREMENTAL");
    writer.run("PRAGMA journal_mode = WAL");
    writer.run("PRAGMA synchronous = NORMAL");
    writer.run("PRAGMA cache_size = -32000");
    writer.run("PRAGMA journal_size_limit = 67108864");
    mustHaveThisVersion(writer);
    writer.run("PRAGMA busy_timeout = 2000");
    writer.run(TABLES);
    writer.run(FORGET_UNUSED);
    writer.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    const reader = new Database(file, { readonly: true, strict: true, safeIntegers: true });
    reader.run("PRAGMA cache_size = -32000");
    return { writer, reader };
  } catch (error) {
    throw cannotOpen(file, error);
  }
}

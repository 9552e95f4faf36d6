/**
 * Copies the telemetry server's store for a bundle: its rows up to one moment, from allowed tables
 * only.
 */
import { Database } from "bun:sqlite";

/**
 * The tables in a bundle. `markers` is not among them: they contain the time of the injection,
 * which is part of the truth. A row with a time is copied if it is from before the freeze.
 */
const TABLES: Readonly<Record<string, string>> = {
  spans: "WHERE start_ns + duration_ns <= $ns",
  logs: "WHERE time_ns <= $ns",
  origins: "WHERE id IN (SELECT origin FROM main.spans)",
  streams: "WHERE id IN (SELECT stream FROM main.logs)",
};

/**
 * Writes a new database at `target` with the rows of the one at `source` up to `frozenUnixMs`, in
 * one read transaction. Leaves out the indexes, which are a third of the size and are created when
 * it is opened.
 */
export function copyTelemetry(source: string, target: string, frozenUnixMs: number): void {
  const database = new Database(target, { create: true, strict: true, safeIntegers: true });
  try {
    database.run("PRAGMA journal_mode = OFF");
    database.run("ATTACH DATABASE ? AS live", [source]);
    const { user_version: version } = database.query("PRAGMA live.user_version").get() as {
      user_version: bigint;
    };
    database.transaction(() => {
      for (const [table, condition] of Object.entries(TABLES)) {
        const found = database
          .query("SELECT sql FROM live.sqlite_master WHERE type = 'table' AND name = ?")
          .get(table) as { sql: string } | null;
        if (found === null) throw new Error(`The telemetry store has no table ${table}`);
        database.run(found.sql);
        const copy = database.query(
          `INSERT INTO main.${table} SELECT * FROM live.${table} ${condition}`,
        );
        if (condition.includes("$ns")) copy.run({ ns: BigInt(frozenUnixMs) * 1_000_000n });
        else copy.run();
      }
    })();
    database.run(`PRAGMA user_version = ${version}`);
    database.run("DETACH DATABASE live");
  } finally {
    database.close();
  }
}

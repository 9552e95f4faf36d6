/** Copies the telemetry server's store for a bundle: what it knew at one moment, table by table, by an allow-list. */
import { Database } from "bun:sqlite";

/**
 * The tables that a bundle may have. `markers` is not among them: they say when a fault was injected, which is
 * the truth. A row with a time is copied if it lies before the freeze.
 */
const TABLES: Readonly<Record<string, string>> = {
  spans: "WHERE start_ns + duration_ns <= $ns",
  logs: "WHERE time_ns <= $ns",
  origins: "WHERE id IN (SELECT origin FROM main.spans)",
  streams: "WHERE id IN (SELECT stream FROM main.logs)",
};

/**
 * Writes a new database at `target` with what the one at `source` holds up to `frozenUnixMs`, in one read transaction and
 * without indexes, which cost a third of the size and are made anew when it is opened.
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

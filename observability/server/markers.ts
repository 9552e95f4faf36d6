/**
 * The owner's markers: times of injections and investigations. They are ground truth: only the
 * holder of the lab's owner token can read them, and no API for investigators shows them.
 */
import type { Database } from "bun:sqlite";
import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { z } from "zod";

const MarkerSchema = z.strictObject({
  /** Unix milliseconds. */
  time: z.number().int().nonnegative(),
  /** Unix milliseconds; absent for a marker that has not ended, or for a point in time. */
  endTime: z.number().int().nonnegative().optional(),
  kind: z.enum(["fault", "cleanup", "investigation", "note"]),
  text: z.string().min(1).max(500),
});
export type Marker = z.infer<typeof MarkerSchema>;

const MAX_MARKERS = 10_000;

interface Row {
  readonly time_ms: number;
  readonly end_ms: number | null;
  readonly kind: Marker["kind"];
  readonly text: string;
}

/** Stores markers in the telemetry store's file, so that they survive a restart. */
export class MarkerStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a marker; deletes the oldest when there are too many. */
  add({ time, endTime, kind, text }: Marker): void {
    this.#database
      .query("INSERT INTO markers (time_ms, end_ms, kind, text) VALUES (?, ?, ?, ?)")
      .run(time, endTime ?? null, kind, text);
    this.#database
      .query("DELETE FROM markers WHERE id <= (SELECT max(id) FROM markers) - ?")
      .run(MAX_MARKERS);
  }

  /** All markers, oldest first. */
  list(): Marker[] {
    const rows = this.#database
      .query("SELECT time_ms, end_ms, kind, text FROM markers ORDER BY time_ms, id")
      .all() as Row[];
    return rows.map(({ time_ms: time, end_ms: endTime, kind, text }) => ({
      time,
      ...(endTime === null ? {} : { endTime }),
      kind,
      text,
    }));
  }
}

/** The route `/owner/markers`; it exists only if the server has an owner token. */
export function markerApp(markers: MarkerStore, ownerToken: string | undefined): Hono {
  const app = new Hono();
  if (ownerToken === undefined || ownerToken === "") return app;
  const message = { message: "the owner's token is needed: Authorization: Bearer <token>" };
  app.use(
    "/owner/*",
    bearerAuth({
      token: ownerToken,
      noAuthenticationHeader: { message },
      invalidAuthenticationHeader: { message },
      invalidToken: { message },
    }),
  );
  app.get("/owner/markers", (c) => c.json(markers.list()));
  app.post("/owner/markers", async (c) => {
    const parsed = MarkerSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return c.json({ message: `not a marker: ${issue?.path.join(".")}: ${issue?.message}` }, 400);
    }
    markers.add(parsed.data);
    return c.json({ message: "Marker added" }, 201);
  });
  return app;
}

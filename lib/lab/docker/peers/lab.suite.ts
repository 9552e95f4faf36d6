/** Runs the common lab suite on a real container engine, and tests of this engine alone. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { waitUntil } from "../../../base/wait.ts";
import { createLab } from "../../create-lab.ts";
import type { Lab } from "../../lab.ts";
import { runLabSuite } from "../../testing/lab.case.ts";
import { LAB_INDEX } from "./lab-index.ts";

const TIMEOUT_MS = 180_000;
const makeLab = (): Lab =>
  createLab({ engine: "docker", index: LAB_INDEX, lifetime: "with-caller" });

describe("docker lab", () => {
  runLabSuite({ makeLab: () => Promise.resolve(makeLab()) });
});

describe("docker lab, its own", () => {
  test(
    "copies what is stored out of the containers: blocks of Prometheus, lines and spans",
    async () => {
      await using lab = makeLab();
      await lab.up();
      // The first lines and spans have yet to arrive.
      await waitUntil(
        async () => {
          using stored = await lab.snapshot();
          const blocks = readdirSync(stored.prometheusBlocks);
          expect(readdirSync(`${stored.prometheusBlocks}/${blocks[0]}`)).toContain("meta.json");
          using store = new Database(await stored.telemetryStore(), { readonly: true });
          const count = (table: string): number =>
            (store.query(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
          const [logs, spans] = [count("logs"), count("spans")];
          return { ok: logs > 0 && spans > 0, seen: `${logs} lines, ${spans} spans` };
        },
        { what: "lines and spans in a snapshot", deadlineMs: TIMEOUT_MS / 3, intervalMs: 2000 },
      );
    },
    TIMEOUT_MS,
  );

  test(
    "lets nobody on the host write to Prometheus or delete from it",
    async () => {
      await using lab = makeLab();
      await lab.up();
      const base = `http://127.0.0.1:${lab.ports.prometheus}`;
      for (const path of ["/api/v1/admin/tsdb/snapshot", "/api/v1/write", "/-/quit"]) {
        const reply = await fetch(base + path, { method: "POST" });
        expect([path, reply.status]).toEqual([path, 403]);
      }
    },
    TIMEOUT_MS,
  );
});

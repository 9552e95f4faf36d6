/** Six kinds on real labs: each bites, shows in its own signature, and heals. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QUICK } from "../../../scenarios/space.ts";
import { createRunContext } from "../context.ts";
import { silent } from "../testing/silent.ts";
import { verifyKinds } from "./verify-kinds.ts";

const TIMEOUT_MS = 10 * 60_000;
const folder = mkdtempSync(join(tmpdir(), "quick-kinds-"));
afterAll(() => rmSync(folder, { recursive: true }));

test(
  "six quick kinds bite and heal, and a ledger says where to go on",
  async () => {
    const signal = new AbortController().signal;
    const lines: string[] = [];
    const progress = () => ({ ...silent, line: (text: string) => void lines.push(text) });
    const context = createRunContext({ signal, progress });
    const ledger = join(folder, "kinds.jsonl");
    const request = { names: [], quick: true, labs: { engine: "native", count: 2 }, ledger };
    const pairs = await verifyKinds(context, request);
    expect(pairs.map(({ name, end, reason }) => `${name} ${end} ${reason}`).toSorted()).toEqual(
      QUICK.map((name) => `${name} bites `).toSorted(),
    );
    for (const { kind, holds } of pairs) expect(holds).toContain(kind);
    lines.length = 0;
    expect(await verifyKinds(context, request)).toHaveLength(QUICK.length);
    expect(lines).toEqual(["0 of 6 pairs to prove"]);
  },
  TIMEOUT_MS,
);

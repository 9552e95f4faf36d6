import { expect, test } from "bun:test";
import { mustRun } from "../../base/shell.ts";
import { peerEnv } from "./harness.ts";

test("writing and visiting a message leave next to nothing on the heap", async () => {
  const argv = [process.execPath, `${import.meta.dir}/peer.ts`, "allocation", "20000"];
  const figures = JSON.parse(
    await mustRun(argv, { env: peerEnv({ BUN_JSC_useGC: "0" }), timeoutMs: 60_000 }),
  ) as Record<string, number>;
  expect(figures["write_bytes"]).toBeLessThan(8);
  expect(figures["view_bytes"]).toBeLessThan(32);
  expect(figures["object_bytes"]).toBeGreaterThan(100);
}, 60_000);

import { expect, test } from "bun:test";
import { TestServer } from "./testing/server.ts";

test("with a full disk, queries answer with what was committed before", async () => {
  await using lab = await TestServer.start();
  const { markerDatabase: database } = lab.server.store;
  const limitPages = (pages: number): void => {
    database.run(`PRAGMA max_page_count = ${pages}`);
  };
  const ask = () =>
    lab.get("loki", "/loki/api/v1/query_range", { query: '{service_name="radar-sensor"}' });
  await lab.pushLogs([{ body: "before", at: -2 }]);
  await lab.pushSpans([{ trace: "1", id: "1", name: "n", at: -2 }]);
  expect((await ask()).text).toContain("before");

  const { page_count: pages } = database.query("PRAGMA page_count").get() as { page_count: number };
  limitPages(pages);
  const full = Array.from({ length: 500 }, () => ({ body: "after".repeat(100), at: -1 }));
  await lab.pushLogs(full);
  const reply = await ask();
  expect(reply.status).toBe(200);
  expect(reply.text).toContain("before");
  expect(reply.text).not.toContain("after");
  expect((await lab.get("loki", "/loki/api/v1/labels")).text).toContain("service_name");
  expect((await lab.get("tempo", "/api/traces/1")).status).toBe(200);
  expect((await lab.get("tempo", "/api/search", { q: "{}" })).status).toBe(200);

  limitPages(1_000_000);
  // The next commit writes the queued rows.
  lab.server.store.flush();
  expect((await ask()).text).toContain("after");
});

import { describe, expect, test } from "bun:test";
import { Budget } from "./budget.ts";
import { runLogQuery } from "./loki/log-query.ts";
import { parseLogQl } from "./loki/parse.ts";
import { NOW_NS, TestServer } from "./testing/server.ts";

const lab = await TestServer.forFile();
const labels = '{"service_name":"many"}';
for (let batch = 0; batch < 30; batch += 1) {
  lab.server.store.addLogs(
    Array.from({ length: 5000 }, (_, index) => ({
      labels,
      timeNs: NOW_NS - BigInt(batch * 5000 + index + 1) * 1000n,
      line: `{"n":${index},"text":"${"some words ".repeat(10)}"}`,
      metadata: "{}",
    })),
  );
}

describe("a query over very many lines", () => {
  const heavy = (text: string) =>
    lab.get("loki", "/loki/api/v1/query_range", { query: `{service_name="many"} ${text}` });

  test.each(['|~ "(some )+nowhere"', '|= "nowhere"', "| json | n = -1"])(
    "gives way to ingest: %s",
    async (text) => {
      const finished: string[] = [];
      const query = heavy(text).then(({ status }) => finished.push(`query ${status}`));
      for (let push = 0; push < 3; push += 1) {
        await lab.pushLogs([{ service: "urgent", body: "x" }]);
        finished.push("push");
      }
      await query;
      // Data that was sent during the query did not wait for its end.
      expect(finished[0]).toBe("push");
      expect(finished).toContain("query 200");
    },
  );

  test("ends at its deadline with a timeout that says so, and leaves the store usable", async () => {
    const query = parseLogQl('{service_name="many"} |~ "(some )+nowhere"');
    if (query.kind !== "log") throw new Error("this is a log query");
    const options = {
      window: { startNs: 0n, endNs: NOW_NS },
      limit: 10,
      direction: "backward",
      categorize: false,
    } as const;
    const run = runLogQuery(lab.server.store, query, options, new Budget(0));
    await expect(run).rejects.toThrow("the query must end within 0 s");
    expect((await heavy("| json | n = 1")).status).toBe(200);
  });
});

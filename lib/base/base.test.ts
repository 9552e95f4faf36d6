import { describe, expect, test } from "bun:test";
import { ManualClock } from "./clock.ts";
import { httpUrl, integerBetween, numberBetween, oneOf, readEnv } from "./env.ts";
import { DeadlineError, EnvironmentError, UsageError } from "./errors.ts";
import { createPrng } from "./prng.ts";
import { createPrometheusClient } from "./prometheus.ts";
import { mustRun, run } from "./shell.ts";
import { waitUntil } from "./wait.ts";

describe("readEnv()", () => {
  const rate = numberBetween(0.1, 1000, "hertz");
  const read = (text: string | undefined): number => readEnv({ RATE: text }, "RATE", 10, rate);

  test("returns the fallback only when the variable is unset or empty", () => {
    expect(read(undefined)).toBe(10);
    expect(read("")).toBe(10);
    expect(read("2.5")).toBe(2.5);
  });

  test.each(["abc", "0", "-1", "1e9", "NaN", "Infinity", "0x10", " 5", "5 Hz"])(
    "refuses %p with the rule and the value",
    (text) => {
      expect(() => read(text)).toThrow(
        new UsageError(
          `Cannot use RATE: it must be a number of hertz from 0.1 to 1000, but is "${text}"`,
        ),
      );
    },
  );

  test("whole numbers, words and URLs have rules of their own", () => {
    expect(readEnv({ N: "7" }, "N", 0, integerBetween(0, 9, "things"))).toBe(7);
    expect(() => readEnv({ N: "7.5" }, "N", 0, integerBetween(0, 9, "things"))).toThrow("whole");
    expect(() => readEnv({ W: "c" }, "W", "a", oneOf(["a", "b"]))).toThrow("one of a, b");
    expect(readEnv({ U: "http://h:1" }, "U", "", httpUrl)).toBe("http://h:1");
    expect(readEnv({ U: "HttpS://H:1/P" }, "U", "", httpUrl)).toBe("https://H:1/P");
    for (const url of ["ftp://h", "http:4317", "http:/h:1", "https:h"]) {
      expect(() => readEnv({ U: url }, "U", "", httpUrl)).toThrow("http://");
    }
  });
});

describe("waitUntil()", () => {
  test("returns the value of the first look that holds", async () => {
    let looks = 0;
    const value = await waitUntil(() => ({ ok: ++looks === 3, seen: `${looks}`, value: looks }), {
      what: "three looks",
      deadlineMs: 1000,
      clock: new ManualClock(),
    });
    expect(value).toBe(3);
  });

  test("gives up with what it saw last, also when looking failed", async () => {
    const waiting = waitUntil(
      () => {
        throw new Error("connection refused");
      },
      { what: "the port", deadlineMs: 1000, clock: new ManualClock() },
    );
    await expect(waiting).rejects.toThrow(
      new DeadlineError("Gave up waiting for the port after 1.0 s: last seen connection refused"),
    );
  });

  test.each([-3_600_000, 31_536_000_000])(
    "keeps its deadline when the machine's clock is set by %d ms",
    async (jumpMs) => {
      const clock = new ManualClock(1_000_000);
      let looks = 0;
      const waiting = waitUntil(
        () => {
          if (++looks === 2) clock.setWall(jumpMs);
          return { ok: false, seen: `${looks}` };
        },
        { what: "ten looks", deadlineMs: 900, intervalMs: 100, clock },
      );
      await expect(waiting).rejects.toThrow("last seen 10");
    },
  );

  test("stops at once when its signal is aborted", async () => {
    const abort = new AbortController();
    const waiting = waitUntil(() => ({ ok: false, seen: "no" }), {
      what: "nothing",
      deadlineMs: 60_000,
      signal: abort.signal,
    });
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

describe("createPrng()", () => {
  test("the same seed gives the same numbers, another one others", () => {
    const draw = (seed: number): number[] => {
      const prng = createPrng(seed);
      return [prng.next(), prng.next(), prng.gaussian()];
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test("a child depends on seed and label, not on what was drawn before", () => {
    const fresh = createPrng(5);
    const used = createPrng(5);
    used.next();
    expect(used.child("a").next()).toBe(fresh.child("a").next());
    expect(fresh.child("a").next()).not.toBe(fresh.child("b").next());
  });

  test("gaussian() has mean 0 and standard deviation 1", () => {
    const prng = createPrng(7);
    const draws = Array.from({ length: 20_000 }, () => prng.gaussian());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});

describe("run()", () => {
  test("returns exit code and output, and takes standard input", async () => {
    expect(await run(["cat"], { stdin: "hello" })).toMatchObject({ code: 0, stdout: "hello" });
    expect(await run(["sh", "-c", "echo no >&2; exit 3"])).toMatchObject({
      code: 3,
      stderr: "no\n",
    });
  });

  test("kills a program that outlasts its time", async () => {
    const result = await run(["sleep", "30"], { timeoutMs: 50 });
    expect(result.timedOut).toBe(true);
    expect(result.code).not.toBe(0);
  });

  test("mustRun() says which command failed and what it printed", async () => {
    await expect(mustRun(["sh", "-c", "echo broken >&2; exit 4"])).rejects.toThrow(
      "it exited with 4: broken",
    );
    await expect(mustRun(["no-such-program-here"])).rejects.toThrow(EnvironmentError);
  });
});

describe("createPrometheusClient()", () => {
  const reply = (body: unknown): Response => Response.json(body);

  test("reads vectors, ranges and alerts, and passes refusals on", async () => {
    using server = Bun.serve({
      port: 0,
      fetch: (request) => {
        const url = new URL(request.url);
        if (url.searchParams.get("query") === "bad(") {
          return reply({ status: "error", error: "parse error" });
        }
        if (url.pathname === "/api/v1/query") {
          const result = [{ metric: { a: "b" }, value: [1, "2.5"] }];
          return reply({ status: "success", data: { resultType: "vector", result } });
        }
        if (url.pathname === "/api/v1/query_range") {
          const result = [
            {
              metric: {},
              values: [
                [1, "NaN"],
                [2, "3"],
              ],
            },
          ];
          return reply({ status: "success", data: { resultType: "matrix", result } });
        }
        if (url.pathname === "/api/v1/rules") {
          const groups = [{ rules: [{ name: "a" }] }, { rules: [{ name: "b" }] }];
          return reply({ status: "success", data: { groups } });
        }
        return reply({ status: "success", data: { alerts: [{ state: "firing" }] } });
      },
    });
    const client = createPrometheusClient(server.url.origin);
    expect(await client.instant("up")).toEqual([{ labels: { a: "b" }, value: 2.5 }]);
    expect(await client.range("up", 0, 1000, 1)).toEqual([
      {
        labels: {},
        points: [
          [1000, Number.NaN],
          [2000, 3],
        ],
      },
    ]);
    expect((await client.alerts())[0]?.state).toBe("firing");
    expect((await client.rules()).map(({ name }) => name)).toEqual(["a", "b"]);
    await expect(client.instant("bad(")).rejects.toThrow("parse error");
  });

  test("says what a proxy answered in Prometheus' place", async () => {
    using server = Bun.serve({
      port: 0,
      fetch: () => new Response("<html>bad gateway</html>", { status: 502 }),
    });
    const client = createPrometheusClient(server.url.origin);
    await expect(client.instant("up")).rejects.toThrow("HTTP 502: <html>bad gateway");
  });

  test("leaves the request to its caller, who may record it", async () => {
    const asked: string[] = [];
    const client = createPrometheusClient("http://x", (url) => {
      asked.push(url);
      return Promise.resolve({ data: { resultType: "scalar", result: [1, "7"] } });
    });
    expect(await client.instant("7", 2500)).toEqual([{ labels: {}, value: 7 }]);
    expect(asked).toEqual(["http://x/api/v1/query?query=7&time=2.5"]);
  });

  test("says which address did not answer", async () => {
    const client = createPrometheusClient("http://127.0.0.1:1");
    await expect(client.instant("up")).rejects.toThrow(
      "Cannot ask http://127.0.0.1:1/api/v1/query",
    );
  });
});

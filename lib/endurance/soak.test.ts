/** A soak of one look, at a lab and a Prometheus that are played. */
import { afterEach, describe, expect, test } from "bun:test";
import { labPorts } from "../contract/topology.ts";
import type { Lab } from "../lab/lab.ts";
import { passes } from "./figure.ts";
import { soak } from "./soak.ts";

const servers: { stop(force: boolean): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

const ALERT = {
  labels: { alertname: "Sensor down", instance: "radar-sensor:9101" },
  annotations: {},
  state: "firing",
  activeAt: "2026-01-01T00:00:00Z",
  value: "1",
};

/**
 * Soaks for no time; Prometheus answers as `answer` says. Returns the figures by name, and what was
 * done to the lab.
 */
async function soakWith(answer: (path: string, query: string) => unknown) {
  const server = Bun.serve({
    port: 0,
    fetch: (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const data = answer(pathname, searchParams.get("query") ?? "");
      return data === undefined
        ? new Response("Service Unavailable", { status: 503 })
        : Response.json({ status: "success", data });
    },
  });
  servers.push(server);
  const done: string[] = [];
  const lab = {
    ports: { ...labPorts(0), prometheus: server.port },
    up: () => Promise.resolve(void done.push("up")),
    down: () => Promise.resolve(void done.push("down")),
    status: () =>
      Promise.resolve({ services: [{ service: "eo-sensor", pid: process.pid }], parts: [] }),
  } as unknown as Lab;
  const { signal } = new AbortController();
  const options = { lab, index: 9, projectDir: "/nonexistent", hours: 0, signal, say: () => {} };
  const figures = await soak(options);
  return { of: (name: string) => figures.find((figure) => figure.name.startsWith(name)), done };
}

describe("soak()", () => {
  test("counts an alert as it is seen and as Prometheus recorded it", async () => {
    const { of, done } = await soakWith((path, query) => {
      if (path.endsWith("/tsdb")) return { headStats: { numSeries: 7 } };
      if (path.endsWith("/alerts")) return { alerts: [ALERT] };
      const series = { metric: ALERT.labels, values: [[1, query.startsWith("min") ? "3" : "1"]] };
      const isAsked = query.startsWith("ALERTS") || query.startsWith("min");
      return { resultType: "matrix", result: isAsked ? [series] : [] };
    });
    const seen = of("alerts that were seen firing");
    expect(seen).toMatchObject({ value: 1, limit: 0 });
    expect(seen?.note).toMatch(/^Sensor down radar-sensor:9101 after 0 min at load \d+$/);
    expect(of("alerts that fired")).toMatchObject({ value: 1 });
    expect(of("fewest tracks")).toMatchObject({ value: 3 });
    expect(of("steps of 5 s with a failed scrape")).toMatchObject({ value: 0 });
    expect(of("looks that failed")).toMatchObject({ value: 0 });
    expect(done).toEqual(["up", "down"]);
  });

  test("a Prometheus that is gone is a figure that fails; the table and the end of the lab come all the same", async () => {
    const { of, done } = await soakWith(() => undefined);
    expect(of("looks that failed")).toMatchObject({ value: 1 });
    const unanswered = of("questions about the whole time");
    expect(unanswered).toMatchObject({ value: 1, note: expect.stringContaining("503") });
    expect(unanswered !== undefined && passes(unanswered)).toBe(false);
    expect(done).toEqual(["up", "down"]);
  });
});

import { expect, test } from "bun:test";
import { applyHooks } from "./hooks.ts";
import { FakeService } from "./testing/fake-service.ts";

const start = (env: Readonly<Record<string, string>>): FakeService => {
  const service = new FakeService("eo-sensor", env);
  applyHooks(service);
  return service;
};

test("without a hook nothing happens", () => {
  const service = start({});
  service.clock.advance(60_000);
  expect(service.logged("loop_debug")).toEqual([]);
});

test("CMS_DEBUG_LINES writes that many records per second", () => {
  const service = start({ CMS_DEBUG_LINES: "120" });
  service.clock.advance(1000);
  expect(service.logged("loop_debug")).toHaveLength(120);
});

test("CMS_HOLD_BYTES takes its memory once the service works", () => {
  const service = start({ CMS_HOLD_BYTES: String(96 * 2 ** 20) });
  const before = process.memoryUsage.rss();
  service.clock.advance(4999);
  expect(process.memoryUsage.rss() - before).toBeLessThan(48 * 2 ** 20);
  service.clock.advance(1);
  expect(process.memoryUsage.rss() - before).toBeGreaterThan(64 * 2 ** 20);
});

test("CMS_BUSY_SHARE spins for its share of each second", () => {
  const service = start({ CMS_BUSY_SHARE: "0.5" });
  // A clock that goes on by itself while somebody looks at it, a millisecond a look.
  const { clock } = service;
  let looks = 0;
  const monotonicMs = clock.monotonicMs.bind(clock);
  clock.monotonicMs = () => monotonicMs() + looks++;
  clock.advance(5000);
  expect(looks).toBeGreaterThanOrEqual(500);
  expect(looks).toBeLessThan(520);
});

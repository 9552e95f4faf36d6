import { expect, test } from "bun:test";
import { CONTAINER_METRICS } from "../../../contract/telemetry.ts";
import { SERVICES } from "../../../contract/topology.ts";
import { Engine } from "../engine.ts";
import { LABEL } from "../layout.ts";
import { containerOf, FakeEngine } from "../testing/fake-engine.ts";
import { FactReader } from "./facts.ts";

const RUNNING_STATS = {
  cpu_stats: {
    cpu_usage: { total_usage: 3e9 },
    throttling_data: { periods: 10, throttled_periods: 4, throttled_time: 2e9 },
  },
  memory_stats: { usage: 1000, stats: { total_rss: 700 } },
  networks: { eth0: { rx_bytes: 11, tx_bytes: 22 } },
};

/** An engine with one container per service; the first can be ended. */
function engine(): { fake: FakeEngine; end: () => void } {
  let ended = false;
  const idOf = (at: number): string => String(at).repeat(64);
  const fake = new FakeEngine(({ path }) => {
    if (path.startsWith("/containers/json")) {
      return Response.json(
        SERVICES.map((service, at) => ({
          Id: idOf(at),
          Names: [service],
          State: "running",
          Labels: { [LABEL.service]: service },
        })),
      );
    }
    const at = Number(path[12]);
    const isEnded = ended && at === 0;
    if (path.includes("/stats")) return Response.json(isEnded ? {} : RUNNING_STATS);
    const state = isEnded ? { Running: false, ExitCode: 137, OOMKilled: true } : {};
    return Response.json(containerOf(SERVICES[at] ?? "", { id: idOf(at), state }));
  });
  return { fake, end: () => void (ended = true) };
}

test("shows every fact of every service, under the names of the native lab", async () => {
  const { fake } = engine();
  using _ = fake;
  const text = await new FactReader(new Engine(fake.endpoint), "p").render(5000);
  for (const metric of Object.keys(CONTAINER_METRICS)) {
    if (metric === "container_exit_code") continue;
    for (const service of SERVICES) expect(text).toContain(`${metric}{name="${service}"`);
  }
  expect(text).toContain('container_cpu_cfs_throttled_seconds_total{name="track-fusion"} 2');
  expect(text).toContain('container_memory_rss{name="track-fusion"} 700');
  expect(text).toContain('container_spec_cpu_quota{name="track-fusion"} 0');
  expect(text).toContain('container_last_seen{name="track-fusion"} 5');
  expect(text).toContain('container_state{name="track-fusion",state="running"} 1');
});

test("an ended process keeps its last counters, and shows its exit code and its kill", async () => {
  const { fake, end } = engine();
  using _ = fake;
  const reader = new FactReader(new Engine(fake.endpoint), "p");
  await reader.render(0);
  end();
  const text = await reader.render(0);
  expect(text).toContain('container_cpu_usage_seconds_total{name="radar-sensor"} 3');
  expect(text).toContain('container_memory_usage_bytes{name="radar-sensor"} 0');
  expect(text).toContain('container_exit_code{name="radar-sensor"} 137');
  expect(text).toContain('container_oom_events_total{name="radar-sensor"} 1');
  expect(text).toContain('container_state{name="radar-sensor",state="exited"} 1');
  expect(text).not.toContain('container_last_seen{name="radar-sensor"}');
});

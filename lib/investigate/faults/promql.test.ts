/**
 * Tests the more complex queries of claims: Prometheus itself evaluates them over made-up series.
 */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FaultClass } from "../../contract/fault-classes.ts";
import { type Entailment, entailmentQuery } from "../hypotheses/entailment.ts";
import { ENTAILMENTS } from "./registry.ts";

const STEP_SECONDS = 10;

interface Case {
  readonly name: string;
  readonly claim: Entailment;
  readonly service: "track-fusion" | "esm-sensor" | "radar-sensor";
  /** Series in promtool's notation, a value every ten seconds. */
  readonly series: Readonly<Record<string, string>>;
  readonly atSeconds: number;
  readonly holds: boolean;
}

function claimOf(faultClass: FaultClass, claim: string): Entailment {
  const found = ENTAILMENTS[faultClass].find((one) => one.claim === claim);
  if (found === undefined) throw new Error(`${faultClass} has no claim "${claim}"`);
  return found;
}

const LEAKS = claimOf("memory_leak", "its memory grows without a pause");
const FLOODS = claimOf("message_flood", "it publishes many times its nominal rate");
const NOBODY_FLOODS = claimOf("none", "no sensor publishes many times its nominal rate");

const MUTE = claimOf("slow_publisher", "far less of it arrives than it should send");
const UNMONITORED = claimOf(
  "monitoring_fault",
  "it answers scrapes or pushes its telemetry, but not both",
);
const CONTENT = claimOf(
  "data_quality",
  "fusion refuses content, or makes more tracks than there are targets",
);

const MEMORY = 'container_memory_usage_bytes{name="track-fusion"}';
const started = (second: number): Record<string, string> => ({
  'container_start_time_seconds{name="track-fusion"}': `${second}x90`,
  'container_oom_events_total{name="track-fusion"}': "0x90",
});
const publishedBy = (sensor: string, name: string): string =>
  `cms_sensor_published_total{job="cms-services",sensor_id="${sensor}",instance="${name}:9101"}`;
const RADAR = publishedBy("RADAR-1", "radar-sensor");
const ESM = publishedBy("ESM-2", "esm-sensor");

const UP = 'up{job="cms-services",instance="esm-sensor:9102"}';
const OTHER_UP = 'up{job="cms-services",instance="radar-sensor:9101"}';
const ARRIVING =
  'cms_fusion_ingested_total{job="cms-services",sensor_id="ESM-2",instance="track-fusion:9104"}';
const pushedBy = (name: string): string => `otlp_cms_dds_matched_endpoints{service_name="${name}"}`;
const TRACKS = 'cms_fusion_active_tracks{job="cms-services"}';
const REFUSED = 'cms_fusion_refused_total{job="cms-services",reason="not_finite"}';

const CASES: readonly Case[] = [
  {
    name: "a sensor of which a fifth arrives is mute or slow",
    claim: MUTE,
    service: "esm-sensor",
    series: { [ARRIVING]: "0+30x30", [UP]: "1x30", [OTHER_UP]: "1x30" },
    atSeconds: 120,
    holds: true,
  },
  {
    name: "a sensor of which nine tenths arrive is not",
    claim: MUTE,
    service: "esm-sensor",
    series: { [ARRIVING]: "0+135x30", [UP]: "1x30", [OTHER_UP]: "1x30" },
    atSeconds: 120,
    holds: false,
  },
  {
    name: "what arrives of one sensor says nothing of another",
    claim: MUTE,
    service: "radar-sensor",
    series: { [ARRIVING]: "0+30x30", [UP]: "1x30", [OTHER_UP]: "1x30" },
    atSeconds: 120,
    holds: false,
  },
  ...(
    [
      ["a service that pushes and answers no scrape is not monitored", 0, true, true],
      ["a service that answers scrapes and pushes nothing is not monitored", 1, false, true],
      ["a service that does both is monitored", 1, true, false],
      ["a service that does neither is gone", 0, false, false],
    ] as const
  ).map(([name, up, pushes, holds]): Case => ({
    name,
    claim: UNMONITORED,
    service: "esm-sensor",
    series: {
      [UP]: `${up}x30`,
      [OTHER_UP]: "1x30",
      [pushedBy("radar-sensor")]: "2x30",
      ...(pushes ? { [pushedBy("esm-sensor")]: "2x30" } : {}),
    },
    atSeconds: 120,
    holds,
  })),
  {
    name: "where nobody pushes, no service is to blame",
    claim: UNMONITORED,
    service: "esm-sensor",
    series: { [UP]: "1x30", [OTHER_UP]: "1x30" },
    atSeconds: 120,
    holds: false,
  },
  ...(
    [
      ["tracks beyond the targets are content that is wrong", 6, 0, true],
      ["refused content is wrong too", 3, 50, true],
      ["as many tracks as targets, and nothing refused, is right", 3, 0, false],
    ] as const
  ).map(([name, tracks, refused, holds]): Case => ({
    name,
    claim: CONTENT,
    service: "radar-sensor",
    series: { [TRACKS]: `${tracks}x30`, [REFUSED]: `0+${refused}x30` },
    atSeconds: 120,
    holds,
  })),
  {
    name: "memory that has grown by 460 kB/s for minutes leaks",
    claim: LEAKS,
    service: "track-fusion",
    series: { [MEMORY]: "100000000+4600000x90", ...started(0) },
    atSeconds: 300,
    holds: true,
  },
  {
    name: "the same growth in the first minutes of a process is no leak",
    claim: LEAKS,
    service: "track-fusion",
    series: { [MEMORY]: "100000000+4600000x90", ...started(150) },
    atSeconds: 300,
    holds: false,
  },
  {
    name: "growth with a pause of a minute is no leak",
    claim: LEAKS,
    service: "track-fusion",
    series: { [MEMORY]: "100000000+4600000x21 196600000x6 196600000+4600000x60", ...started(0) },
    atSeconds: 330,
    holds: false,
  },
  {
    name: "a sensor at twenty times its nominal rate floods",
    claim: FLOODS,
    service: "radar-sensor",
    series: { [RADAR]: "0+6000x90", [ESM]: "0+135x90" },
    atSeconds: 120,
    holds: true,
  },
  {
    name: "the loudest sensor does not flood because the others fell silent",
    claim: FLOODS,
    service: "radar-sensor",
    series: { [RADAR]: "0+285x90" },
    atSeconds: 120,
    holds: false,
  },
  {
    name: "another sensor's flood is not its own",
    claim: FLOODS,
    service: "esm-sensor",
    series: { [RADAR]: "0+6000x90", [ESM]: "0+135x90" },
    atSeconds: 120,
    holds: false,
  },
  {
    name: "nobody floods at the usual rates",
    claim: NOBODY_FLOODS,
    service: "radar-sensor",
    series: { [RADAR]: "0+285x90", [ESM]: "0+135x90" },
    atSeconds: 120,
    holds: true,
  },
];

/** promtool's output for a case: empty when the result is as expected. */
function evaluate({ claim, service, series, atSeconds, holds }: Case): string {
  const { op, value } = claim.holds;
  const cases = {
    evaluation_interval: `${STEP_SECONDS}s`,
    tests: [
      {
        interval: `${STEP_SECONDS}s`,
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `count((${entailmentQuery(claim, service)}) ${op} ${value}) or vector(0)`,
            eval_time: `${atSeconds}s`,
            exp_samples: [{ labels: "{}", value: Number(holds) }],
          },
        ],
      },
    ],
  };
  const folder = mkdtempSync(join(tmpdir(), "promql-"));
  try {
    const file = join(folder, "cases.json");
    writeFileSync(file, JSON.stringify(cases));
    const { exitCode, stdout, stderr } = Bun.spawnSync(["promtool", "test", "rules", file]);
    return exitCode === 0 ? "" : `${stdout.toString()}${stderr.toString()}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each(CASES.map((one) => [one.name, one] as const))("%s", (_, one) => {
  expect(evaluate(one)).toBe("");
});

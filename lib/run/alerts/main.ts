/**
 * Checks that every alert rule fires and resolves on a live lab: `bun lib/run/alerts/main.ts [--lab
 * n] [name part …]`. Prints a table of alerts and services. About three minutes for each
 * provocation; needs the native lab.
 */
import { parseArgs } from "node:util";
import { messageOf } from "../../base/errors.ts";
import { type ActiveAlert, createPrometheusClient } from "../../base/prometheus.ts";
import { waitUntil } from "../../base/wait.ts";
import { createLab } from "../../lab/create-lab.ts";
import type { Lab } from "../../lab/lab.ts";
import { type Provocation, PROVOCATIONS } from "./provocations.ts";

/** The longest wait of a rule, its window, and a reserve for a busy machine. */
const FIRES_MS = 420_000;
const QUIET_MS = 420_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The active alerts of `uid` that have `value` among their labels, if given. */
function isOf({ labels }: ActiveAlert, uid: string, value: string | undefined): boolean {
  return labels["uid"] === uid && (value === undefined || Object.values(labels).includes(value));
}

async function quiet(lab: Lab): Promise<void> {
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  await waitUntil(
    async () => {
      const active = await prometheus.alerts();
      const names = [...new Set(active.map(({ labels }) => labels["alertname"]))];
      return { ok: active.length === 0, seen: names.join(", ") };
    },
    { what: "no alert", deadlineMs: QUIET_MS, intervalMs: 2000 },
  );
}

/** Applies the change until all of its alerts have fired; returns those that did not. */
async function provoke(lab: Lab, provocation: Provocation): Promise<string[]> {
  const prometheus = createPrometheusClient(`http://localhost:${lab.ports.prometheus}`);
  const missing = new Set(
    Object.entries(provocation.fires).flatMap(([uid, values]) =>
      values.length === 0 ? [uid] : values.map((value) => `${uid} ${value}`),
    ),
  );
  let isFirst = true;
  try {
    await waitUntil(
      async () => {
        await provocation.change(lab, isFirst);
        isFirst = false;
        const firing = (await prometheus.alerts()).filter(({ state }) => state === "firing");
        for (const row of missing) {
          const [uid = "", value] = row.split(" ");
          if (firing.some((alert) => isOf(alert, uid, value))) missing.delete(row);
        }
        return { ok: missing.size === 0, seen: [...missing].join(", ") };
      },
      { what: "every alert", deadlineMs: FIRES_MS, intervalMs: 2000 },
    );
  } catch (error) {
    say(`  ${messageOf(error)}`);
  }
  return [...missing];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { lab: { type: "string", default: "0" } },
    allowPositionals: true,
  });
  const chosen = PROVOCATIONS.filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  let failed = 0;
  await using lab = createLab({
    engine: "native",
    index: Number(values.lab),
    lifetime: "with-caller",
  });
  await lab.up();
  for (const provocation of chosen) {
    await quiet(lab);
    const startedMs = performance.now();
    const missing = await provoke(lab, provocation);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    await Promise.all(provocation.changes.map((service) => lab.replace(service)));
    for (const [uid, of] of Object.entries(provocation.fires)) {
      const rows = of.length === 0 ? [uid] : of.map((value) => `${uid} ${value}`);
      for (const row of rows) {
        const fired = !missing.includes(row);
        if (!fired) failed++;
        say(`| ${row} | ${provocation.name} | ${fired ? `fired within ${seconds} s` : "silent"} |`);
      }
    }
    await quiet(lab);
    say(`  resolved: ${provocation.name}`);
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();

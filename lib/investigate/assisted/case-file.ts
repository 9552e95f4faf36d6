/**
 * The table of facts that the agent shows a model. Each fact has a number for citations.
 *
 * Rows are sorted by the size of their change. Runtime state, scrapes and DDS status come first,
 * because they indicate the kind of fault. Text that a service wrote is never shown (see
 * `harmless`).
 */
import { CONTAINER_METRICS, LOGS, METRICS } from "../../contract/telemetry.ts";
import type { ServiceName } from "../../contract/topology.ts";
import { harmless } from "../harmless.ts";
import { estimateTokens } from "../model/text.ts";
import type { Call, Fact } from "../toolbox.ts";

/** A fact with a number, and the value before the incident if one is known. */
export interface Row {
  readonly id: string;
  readonly callId: string;
  readonly fact: Fact;
  readonly before?: Fact;
  readonly score: number;
}

export interface Rendered {
  readonly text: string;
  /** Numbers of the rows in the text. */
  readonly shown: readonly string[];
  /** Rows that did not fit. */
  readonly cut: number;
}

/** Collects facts under stable numbers. */
export class CaseFile {
  readonly #rows: Row[] = [];
  readonly #contrast: boolean;
  readonly #seen = new Set<string>();

  /** Without `contrast`, values from before the incident are left out. */
  constructor(options: { readonly contrast: boolean }) {
    this.#contrast = options.contrast;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  row(id: string): Row | undefined {
    return this.#rows.find((row) => row.id === id);
  }

  /** Adds the facts of a call. Facts of `before` go into the second column of their row. */
  add(call: Call): void {
    const before = new Map<string, Fact>();
    for (const fact of call.facts) if (fact.when === "before") before.set(keyOf(fact), fact);
    for (const fact of call.facts) {
      if (fact.when === "before") continue;
      const key = keyOf(fact);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const earlier = before.get(key);
      const id = `F${this.#rows.length + 1}`;
      const score = scoreOf(fact, this.#contrast ? earlier : undefined);
      const row = { id, callId: call.id, fact, score };
      this.#rows.push(earlier === undefined || !this.#contrast ? row : { ...row, before: earlier });
    }
  }

  /** The row of a service that changed most, as text; undefined when none changed. */
  greatestChange(service: ServiceName): string | undefined {
    const [row] = this.#rows
      .filter(({ fact, before }) => fact.service === service && before !== undefined)
      .toSorted((a, b) => b.score - a.score);
    if (row?.before === undefined) return undefined;
    return `${row.fact.signal} went from ${harmless(row.before.value)} to ${harmless(row.fact.value)}`;
  }

  /**
   * The table with the greatest changes first, cut to the room. A last line counts the cut rows.
   */
  render(roomTokens: number, mostRows: number): Rendered {
    const ranked = this.#rows
      .filter((row) => !this.#contrast || isTelling(row))
      .toSorted((a, b) => b.score - a.score);
    const lines: string[] = [];
    const shown: string[] = [];
    let used = 0;
    for (const row of ranked) {
      const line = lineOf(row);
      const tokens = estimateTokens(`${line}\n`);
      if (lines.length >= mostRows || used + tokens > roomTokens) break;
      lines.push(line);
      shown.push(row.id);
      used += tokens;
    }
    const cut = ranked.length - lines.length;
    if (cut > 0) lines.push(`(${cut} lesser rows are left out)`);
    return { text: lines.join("\n"), shown, cut };
  }
}

function keyOf({ signal, service, labels }: Fact): string {
  const named = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([signal, service, named]);
}

/** A row that did not change is shown only if its value is a state. */
function isTelling({ fact, before }: Row): boolean {
  if (before === undefined) return true;
  return before.value !== fact.value || isState(fact.signal);
}

const isState = (signal: string): boolean => signal === "up" || signal === "container_state";

/** Durations of spans on a shared machine vary by this much without a cause, milliseconds. */
const JITTER_MS = 20;

const STATUS = /^(up|container_(state|exit_code|oom|cpu_cfs_throttled|spec)|cms_dds_)/;

function scoreOf(fact: Fact, before: Fact | undefined): number {
  const bonus = STATUS.test(fact.signal) ? 3 : 0;
  if (before === undefined) return bonus + 0.5;
  if (before.value === fact.value) return bonus === 0 ? 0 : 0.4;
  const [a, b] = [Number(before.value), Number(fact.value)];
  if (!Number.isFinite(a) || !Number.isFinite(b)) return bonus + 4;
  // Symmetric: a fall to a tenth counts as much as a tenfold rise.
  const small = fact.labels["measure"] === "p95_ms" ? JITTER_MS : 1e-3;
  const change = Math.abs(Math.log((Math.abs(b) + small) / (Math.abs(a) + small)));
  return bonus + Math.min(6, change);
}

const declared = new Set<string>([
  "up",
  "ALERTS",
  "alert_state",
  ...Object.keys(METRICS),
  ...Object.keys(CONTAINER_METRICS),
  ...Object.keys(LOGS),
]);

/** A name that is not declared is untrusted text. */
const shownName = (signal: string): string =>
  declared.has(signal) || /^[a-z][\w.:<>-]{0,70}$/i.test(signal) ? signal : harmless(signal);

function lineOf({ id, fact, before }: Row): string {
  const labels = Object.entries(fact.labels)
    .filter(([name]) => !["instance", "job", "name", "service", "__name__"].includes(name))
    .map(([name, value]) => `${name}=${harmless(value)}`)
    .join(" ");
  const who: ServiceName | "system" = fact.service ?? "system";
  const change = before === undefined ? "" : `${harmless(before.value)} -> `;
  const head = [id, who, shownName(fact.signal), labels].filter((part) => part !== "").join(" ");
  return `${head}: ${change}${harmless(fact.value)}`;
}

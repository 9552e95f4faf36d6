/**
 * Pins the time of a query to the moment of the freeze.
 *
 * A query without a time is evaluated at that moment. A window that begins after it is moved back
 * with its length kept: "the last 15 minutes" by an agent's own clock become the last 15 minutes of
 * the recording. A window that ends after it is cut. Earlier times are unchanged, including their
 * text.
 */
import { type Clock, systemClock } from "../base/clock.ts";

/** Names of the parameters that contain a time, by meaning. */
interface TimeNames {
  /** One instant. */
  readonly instant?: string;
  /** A window. */
  readonly start?: string;
  readonly end?: string;
}

/** Writes a changed time in the format of an API. */
type Format = (ns: bigint) => string;

/** The APIs of a restored incident. */
export type PinnedApi = "prometheus" | "loki" | "tempo" | "grafana";

const WINDOW: TimeNames = { start: "start", end: "end" };

const ROUTES: Readonly<Record<PinnedApi, readonly (readonly [RegExp, TimeNames])[]>> = {
  prometheus: [
    [/^\/api\/v1\/query$/, { instant: "time" }],
    [/^\/api\/v1\/(query_range|query_exemplars|series|labels|label\/[^/]+\/values)$/, WINDOW],
  ],
  loki: [
    [/^\/loki\/api\/v1\/query$/, { instant: "time" }],
    [/^\/loki\/api\/v1\//, WINDOW],
  ],
  tempo: [[/^\/api\//, WINDOW]],
  grafana: [[/^\/api\//, { start: "from", end: "to" }]],
};

const FORMATS: Readonly<Record<PinnedApi, Format>> = {
  // Prometheus has a resolution of milliseconds.
  prometheus: (ns) => decimal(ns / 1_000_000n, 3),
  loki: String,
  tempo: String,
  grafana: (ns) => String(ns / 1_000_000n),
};

/** A number divided by a power of ten, exactly. */
function decimal(value: bigint, digits: number): string {
  const text = String(value).padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const NS_PER: Readonly<Record<string, bigint>> = {
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/**
 * A time in any format that agents use: seconds (whole or not), milliseconds, microseconds or
 * nanoseconds by the number of digits; RFC 3339; Grafana's `now`, `now-15m`. Returns nanoseconds
 * since the Unix epoch; undefined for other text.
 */
export function parseTime(text: string, nowNs: bigint): bigint | undefined {
  const number = /^(\d{1,19})(?:\.(\d+))?$/.exec(text);
  if (number !== null) return numberNs(number[1] ?? "", number[2] ?? "");
  const exponent = /^\d(\.\d+)?e\+?\d{1,2}$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(exponent)) return numberNs(String(Math.round(exponent)), "");
  const relative = /^now(?:([+-])(\d{1,9})(ms|s|m|h|d|w))?$/.exec(text);
  if (relative !== null) {
    const [, sign, amount = "0", unit = "s"] = relative;
    const distance = BigInt(amount) * (NS_PER[unit] ?? 0n);
    return sign === "+" ? nowNs + distance : nowNs - distance;
  }
  const date =
    /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  const ms =
    date === null ? Number.NaN : Date.parse(`${date[1]}T${date[2]}${date[4]?.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt((date?.[3] ?? "").padEnd(9, "0"));
}

/** Seconds until the year 5138 have at most 11 digits; each finer unit has three more. */
function numberNs(whole: string, fraction: string): bigint {
  const digits = whole.replace(/^0+/, "").length;
  const power = digits <= 11 ? 9 : digits <= 14 ? 6 : digits <= 17 ? 3 : 0;
  return (
    BigInt(whole) * 10n ** BigInt(power) +
    BigInt(fraction.slice(0, power).padEnd(power, "0") || "0")
  );
}

/** Whether the API accepts the time's original text. */
function isNative(api: PinnedApi, text: string): boolean {
  if (text.startsWith("now")) return false;
  if (!/^\d/.test(text) || text.includes("-")) return true;
  const digits = text.replace(/\..*$/, "").length;
  switch (api) {
    case "prometheus":
      return digits <= 11;
    case "loki":
    case "tempo":
      return digits <= 10 || digits >= 18;
    case "grafana":
      return true;
  }
}

export class PinnedTime {
  readonly #frozenNs: bigint;
  readonly #clock: Clock;

  /** `clock` is the agents' clock, which defines the end of a window without one. */
  constructor(frozenUnixMs: number, clock: Clock = systemClock) {
    this.#frozenNs = BigInt(frozenUnixMs) * 1_000_000n;
    this.#clock = clock;
  }

  /**
   * The parameters of a request to `path` with pinned times; other parameters are unchanged and in
   * order.
   */
  pin(api: PinnedApi, path: string, params: URLSearchParams): URLSearchParams {
    const names = ROUTES[api].find(([route]) => route.test(path))?.[1];
    const pinned = new URLSearchParams(params);
    if (names?.instant !== undefined) this.#pinInstant(api, names.instant, pinned);
    if (names?.start !== undefined && names.end !== undefined) {
      this.#pinWindow(api, { start: names.start, end: names.end }, pinned);
    }
    return pinned;
  }

  #pinInstant(api: PinnedApi, name: string, params: URLSearchParams): void {
    const asked = this.#read(params, name);
    if (asked === "unreadable") return;
    const ns = asked === undefined || asked > this.#frozenNs ? this.#frozenNs : asked;
    this.#write(api, params, name, ns, asked);
  }

  #pinWindow(
    api: PinnedApi,
    { start, end }: { readonly start: string; readonly end: string },
    params: URLSearchParams,
  ): void {
    const first = this.#read(params, start);
    const last = this.#read(params, end);
    if (first === "unreadable" || last === "unreadable") return;
    if (first === undefined && last === undefined) return;
    const isAfter = first !== undefined && first >= this.#frozenNs;
    // A start without an end means "until now", by the agent's clock.
    const until = last ?? (isAfter ? BigInt(this.#clock.nowMs()) * 1_000_000n : this.#frozenNs);
    const by = isAfter && until > this.#frozenNs ? until - this.#frozenNs : 0n;
    if (first !== undefined) this.#write(api, params, start, first - by, first);
    const cut = until - by > this.#frozenNs ? this.#frozenNs : until - by;
    this.#write(api, params, end, cut, last);
  }

  #read(params: URLSearchParams, name: string): bigint | undefined | "unreadable" {
    const text = params.get(name);
    if (text === null || text === "") return undefined;
    return parseTime(text, this.#frozenNs) ?? "unreadable";
  }

  #write(
    api: PinnedApi,
    params: URLSearchParams,
    name: string,
    ns: bigint,
    asked: bigint | undefined,
  ): void {
    const text = params.get(name) ?? "";
    if (ns === asked && isNative(api, text)) params.set(name, text);
    else params.set(name, FORMATS[api](ns));
  }
}

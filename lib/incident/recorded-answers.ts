/**
 * Paths of Prometheus' API that a restored one cannot answer correctly: answered from the record if
 * it has them, refused otherwise. All other paths go to the engine.
 */
import { RECORDED_ANSWERS } from "./bundle-format.ts";

export type ApiAnswer =
  | { readonly kind: "engine" }
  | { readonly kind: "recorded"; readonly body: unknown }
  | { readonly kind: "refused"; readonly why: string };

/** Paths with Prometheus' own state, or that ignore the requested time. */
const REFUSED = /^\/(federate|metrics|api\/v1\/status\/walreplay)$/;

interface Envelope {
  readonly status: string;
  readonly data: unknown;
}

type Filter = (data: unknown, value: string) => unknown;

const FILTERS: Readonly<Record<string, Readonly<Record<string, Filter>>>> = {
  "/api/v1/rules": { type: rulesOfType },
  "/api/v1/targets": { state: targetsOfState },
  "/api/v1/metadata": { metric: metadataOf, limit: firstEntries },
};

/** The answer to a GET of `path`; `recorded` are the answers by file name. */
export function answerFor(
  path: string,
  params: URLSearchParams,
  recorded: Readonly<Record<string, unknown>>,
): ApiAnswer {
  if (REFUSED.test(path)) {
    return { kind: "refused", why: `${path} cannot be answered truly of a recorded incident` };
  }
  const name = Object.entries(RECORDED_ANSWERS).find(
    ([, recordedPath]) => recordedPath === path,
  )?.[0];
  if (name === undefined) return { kind: "engine" };
  const { status, data } = recorded[name] as Envelope;
  let filtered = data;
  for (const [param, value] of params) {
    const filter = FILTERS[path]?.[param];
    if (filter === undefined) {
      const why = `${path} of a recorded incident cannot be asked with the parameter ${param}`;
      return { kind: "refused", why };
    }
    filtered = filter(filtered, value);
  }
  return { kind: "recorded", body: { status, data: filtered } };
}

function rulesOfType(data: unknown, value: string): unknown {
  const type = value === "alert" ? "alerting" : "recording";
  const { groups } = data as { groups: { rules: { type: string }[] }[] };
  const kept = groups.map((group) => ({
    ...group,
    rules: group.rules.filter((rule) => rule.type === type),
  }));
  return { groups: kept.filter(({ rules }) => rules.length > 0) };
}

function targetsOfState(data: unknown, value: string): unknown {
  const all = data as Record<string, unknown>;
  if (value === "active") return { ...all, droppedTargets: [] };
  return value === "dropped" ? { ...all, activeTargets: [] } : all;
}

function metadataOf(data: unknown, metric: string): unknown {
  const all = data as Record<string, unknown>;
  return Object.hasOwn(all, metric) ? { [metric]: all[metric] } : {};
}

function firstEntries(data: unknown, limit: string): unknown {
  const count = Number(limit);
  return Object.fromEntries(Object.entries(data as object).slice(0, count > 0 ? count : undefined));
}

/**
 * Makes scenarios from kinds, targets and amounts.
 *
 * The name is the definition: `sensor-slow-rate.eo-sensor.0.1` is one fault, and several are joined
 * by `+` in the order of their injection. They are healed in reverse order.
 */
import { readdir } from "node:fs/promises";
import { UsageError } from "../lib/base/errors.ts";
import type { Observation } from "../lib/base/wait.ts";
import { MAX_FAULTS } from "../lib/contract/answer.ts";
import { ALERT_RULES_FILE, alertedService, parseAlertRules } from "../lib/contract/alert-rules.ts";
import { FAULT_CLASSES } from "../lib/contract/fault-classes.ts";
import type { ServiceName } from "../lib/contract/topology.ts";
import type { ExpectedEvidence, Truth, TrueFault } from "../lib/truth/truth.ts";
import { allOf } from "./conditions.ts";
import {
  type AlertChoice,
  DEFAULT_DEADLINES,
  type Deadlines,
  type Fault,
  type Healer,
  type Scenario,
  type SignatureView,
} from "./define.ts";
import {
  checkDraw,
  checkKind,
  checkTogether,
  type Draw,
  type Kind,
  type NamedKind,
} from "./kind.ts";

const RULES = parseAlertRules(
  await Bun.file(new URL(`../${ALERT_RULES_FILE}`, import.meta.url)).text(),
);
/** More than an answer may name, to allow for harmless parts. */
const MAX_PARTS = MAX_FAULTS + 2;

export const KINDS_FOLDER = `${import.meta.dir}/kinds`;

/** Whether a name is composed of kinds instead of naming a folder. */
export const isComposed = (name: string): boolean => name.includes(".") && !name.includes("/");

const loaded = new Map<string, Promise<ReadonlyMap<string, NamedKind>>>();

/** All kinds in a folder by name, validated. */
export function loadKinds(folder = KINDS_FOLDER): Promise<ReadonlyMap<string, NamedKind>> {
  const kinds = loaded.get(folder) ?? readKinds(folder);
  loaded.set(folder, kinds);
  return kinds;
}

async function readKinds(folder: string): Promise<ReadonlyMap<string, NamedKind>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts")).toSorted();
  const kinds = new Map<string, NamedKind>();
  for (const file of files) {
    const name = file.slice(0, -".ts".length);
    const module = (await import(`${folder}/${file}`)) as { readonly kind?: Kind };
    if (module.kind === undefined) {
      throw new UsageError(`Cannot load scenarios/kinds/${file}: kind: it must be exported`);
    }
    const kind = { ...module.kind, name };
    checkKind(kind);
    checkAlerts(kind);
    kinds.set(name, kind);
  }
  return kinds;
}

function checkAlerts(kind: NamedKind): void {
  const uids = new Set(RULES.map(({ uid }) => uid));
  const unknown = kind.targets.flatMap((service) =>
    kind.alerts(service).filter(({ uid }) => !uids.has(uid)),
  )[0];
  if (unknown === undefined) return;
  throw new UsageError(
    `Cannot load scenarios/kinds/${kind.name}.ts: alerts: it must name rules of ${ALERT_RULES_FILE}, not ${unknown.uid}`,
  );
}

/** The name of a scenario with these faults. */
export const nameOfDraws = (draws: readonly Draw[]): string => draws.map(nameOfDraw).join("+");

const nameOfDraw = ({ kind, service, amount }: Draw): string =>
  [kind.name, service, ...(kind.intensity === null ? [] : [String(amount)])].join(".");

const PART = /^([a-z-]+)\.([a-z-]+)(?:\.(-?\d+(?:\.\d+)?))?$/;

/** The faults in a name. Throws UsageError for an invalid or impossible one. */
export async function drawsOf(name: string, folder = KINDS_FOLDER): Promise<Draw[]> {
  const kinds = await loadKinds(folder);
  const parts = name.split("+");
  if (parts.length > MAX_PARTS) {
    throw new UsageError(
      `Cannot load scenario ${name}: it must have at most ${MAX_PARTS} parts, but has ${parts.length}`,
    );
  }
  const draws = parts.map((part): Draw => {
    const [, word = "", service = "", amount = "0"] = PART.exec(part) ?? [];
    const kind = kinds.get(word);
    if (kind === undefined) {
      throw new UsageError(
        `Cannot load scenario ${JSON.stringify(part)}: it must be <kind>.<service>[.<amount>] with one of the kinds ${[...kinds.keys()].join(", ")}`,
      );
    }
    const draw = { kind, service: service as ServiceName, amount: Number(amount) };
    checkDraw(draw);
    return draw;
  });
  checkTogether(draws);
  const faults = draws.filter(({ kind }) => kind.faultClass !== "none");
  if (faults.length === 0 || faults.length > MAX_FAULTS) {
    throw new UsageError(
      `Cannot load scenario ${name}: it must have 1 to ${MAX_FAULTS} faults, but has ${faults.length}`,
    );
  }
  return draws;
}

/** The scenario of a name such as `process-exit.eo-sensor`. */
export async function composeScenario(name: string, folder = KINDS_FOLDER): Promise<Scenario> {
  return scenarioOf(await drawsOf(name, folder));
}

export function scenarioOf(draws: readonly Draw[]): Scenario {
  const name = nameOfDraws(draws);
  const alerts = alertsOf(draws);
  const signs = draws.flatMap(({ kind, service, amount }) => kind.signature(service, amount));
  const [first] = signs;
  const [alert] = alerts;
  if (first === undefined || alert === undefined) throw new Error(`${name} has no signature`);
  const signature = { describe: draws.map(titleOf).join("; "), holds: signatureOf(draws) };
  return {
    name,
    title: signature.describe,
    control: false,
    fault: together(draws),
    signature,
    harm: { describe: signature.describe, holds: signatureOf(draws, "some") },
    alerts,
    investigate: "while-firing",
    deadlines: deadlinesOf(draws),
    metric: { title: first.what, query: first.query },
    truth: truthOf(draws),
    alertTemplate: templateOf(name, alert),
  };
}

const titleOf = ({ kind, service, amount }: Draw): string =>
  kind.title.replaceAll("$service", service).replaceAll("$amount", String(amount));

/** The signatures of all faults, all of which must hold; or, for harm, at least one. */
function signatureOf(
  draws: readonly Draw[],
  quantifier: "every" | "some" = "every",
): Scenario["signature"]["holds"] {
  const own = draws.map(({ kind, service, amount }) => allOf(...kind.signature(service, amount)));
  return async (view: SignatureView): Promise<Observation<unknown>> => {
    const seen = await Promise.all(own.map((holds) => holds(view)));
    const oks = seen.map(({ ok }) => ok);
    const ok = quantifier === "every" ? oks.every(Boolean) : oks.some(Boolean);
    return { ok, seen: seen.map((one) => one.seen).join("; ") };
  };
}

/** Combines faults: injected in order, healed in reverse order. */
function together(draws: readonly Draw[]): Fault {
  const faults = draws.map(({ kind, service, amount }) => kind.fault(service, amount));
  const parameters = draws.map(({ service, amount, kind }, i) => {
    const place = i === 0 ? "" : String(i + 1);
    return {
      ...Object.fromEntries(
        Object.entries(faults[i]?.parameters ?? {}).map(([key, value]) => [key + place, value]),
      ),
      [`service${place}`]: service,
      ...(kind.intensity === null ? {} : { [`amount${place}`]: amount }),
    };
  });
  return {
    kind: draws.map(({ kind }) => kind.name).join("+"),
    parameters: Object.assign({}, ...parameters) as Fault["parameters"],
    inject: async (context) => {
      const healers: Healer[] = [];
      const healAll: Healer = async (log) => {
        for (const heal of healers.toReversed()) await heal(log);
      };
      try {
        for (const fault of faults) healers.push(await fault.inject(context));
      } catch (error) {
        await healAll(context.log);
        throw error;
      }
      return healAll;
    },
    probe: async (context) => {
      const seen = [];
      for (const fault of faults) seen.push(await fault.probe(context));
      return { ok: seen.every(({ ok }) => ok), seen: seen.map((one) => one.seen).join("; ") };
    },
    remedied: (action, target) => {
      const undoings = faults.flatMap((fault) => fault.remedied?.(action, target) ?? []);
      if (undoings.length === 0) return undefined;
      return async (context) => {
        for (const undo of undoings.toReversed()) await undo(context);
      };
    },
  };
}

/** The expected alerts of the faults; any alert if no rule is known to detect them. */
function alertsOf(draws: readonly Draw[]): AlertChoice[] {
  const expected = draws.flatMap(({ kind, service }) => kind.alerts(service));
  return expected.length > 0 ? expected : RULES.map(({ uid }) => ({ uid, labels: {} }));
}

/** The longest deadline of the kinds for each step. */
function deadlinesOf(draws: readonly Draw[]): Deadlines {
  const all = [DEFAULT_DEADLINES, ...draws.map(({ kind }) => kind.deadlines ?? {})];
  const keys = Object.keys(DEFAULT_DEADLINES) as (keyof Deadlines)[];
  return Object.fromEntries(
    keys.map((key) => [key, Math.max(...all.map((one) => one[key] ?? 0)) + slackOf(key, draws)]),
  ) as unknown as Deadlines;
}

/** Each further fault needs time to be injected and healed. */
const slackOf = (key: keyof Deadlines, draws: readonly Draw[]): number =>
  key === "injectMs" || key === "healMs" ? 60_000 * (draws.length - 1) : 0;

function truthOf(draws: readonly Draw[]): Truth {
  const guilty = draws.filter(({ kind }) => kind.faultClass !== "none");
  return {
    faults: guilty.map(faultOf),
    mechanism: guilty.map(titleOf).join("; "),
    evidence: guilty.flatMap((draw, i) => evidenceOf(draw, guilty.length === 1 ? "" : `-${i + 1}`)),
    misattributions: [],
  };
}

function faultOf({ kind, service, amount }: Draw): TrueFault {
  const { faultClass, culprit = service, alsoAccept = [], remedies } = kind;
  if (faultClass === "none") throw new Error(`${kind.name} is no fault`);
  const own = remedies ?? FAULT_CLASSES[faultClass].remedies;
  // The fault came with another release of the service.
  const isReleased = kind.fault(service, amount).kind === "replace-service";
  const actions = [...own, ...(isReleased ? (["roll_back"] as const) : [])];
  return {
    culprit,
    fault_class: faultClass,
    also_accept: [...alsoAccept],
    remediation: { actions, target: culprit },
  };
}

function evidenceOf({ kind, service, amount }: Draw, suffix: string): ExpectedEvidence[] {
  const shown = kind.signature(service, amount).filter(({ shows }) => shows !== undefined);
  return shown.map(({ what, op, value, shows }, i) => {
    if (shows === undefined) throw new Error("filtered above");
    const { kind: pillar, asUsual, ...signal } = shows;
    return {
      id: `sign-${i + 1}${suffix}`,
      kind: pillar,
      describe: `${what} ${op} ${value}`,
      any_of: [{ ...signal, holds: { op, value } }],
      ...(asUsual === true ? { as_usual: true } : {}),
      ...(i === 0 ? { shows_mechanism: true } : {}),
    };
  });
}

/** The payload before an alert has fired; the firing alert replaces all of it except the name. */
function templateOf(name: string, { uid, labels }: AlertChoice): Scenario["alertTemplate"] {
  const rule = RULES.find((one) => one.uid === uid);
  if (rule === undefined) throw new UsageError(`Cannot load ${name}: alerts: no rule is ${uid}`);
  const pipeline_name = alertedService(uid, labels) ?? "tactical-display";
  const commonLabels = {
    alertname: rule.title,
    severity: rule.severity,
    alert_source: "grafana",
    pipeline_name,
    ...labels,
  };
  return {
    alert_source: "grafana",
    title: `[FIRING:1] ${rule.title}`,
    alert_name: rule.title,
    state: "alerting",
    severity: rule.severity,
    pipeline_name,
    message: rule.annotations["summary"] ?? rule.title,
    commonLabels,
    commonAnnotations: { scenario: name },
    alerts: [
      {
        status: "firing",
        labels: commonLabels,
        annotations: {},
        startsAt: "2026-01-01T00:00:00.000Z",
        endsAt: null,
      },
    ],
  };
}

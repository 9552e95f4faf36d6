/** Investigators by name, as written on the command line. */
import { type Env, processEnv } from "../base/env.ts";
import { UsageError } from "../base/errors.ts";
import { createAssistedInvestigator } from "./assisted/agent.ts";
import { baseline } from "./baseline/baseline.ts";
import { createExecInvestigator } from "./external/exec.ts";
import { latestChange } from "./floors/latest-change.ts";
import { lookup } from "./floors/lookup.ts";
import { loudest } from "./floors/loudest.ts";
import { random } from "./floors/random.ts";
import type { Investigator } from "./investigator.ts";
import { agentSettings, type GivenToAgents } from "./confined/settings.ts";
import { connectTo } from "./model/connect.ts";
import { createOpenSreInvestigator } from "./opensre/opensre.ts";
import { createReactInvestigator, DEFAULT_CALLS, MAX_CALLS } from "./react/agent.ts";
import { toolboxOf, toolsetFor } from "./toolbox.ts";
import type { Withheld } from "./tools/withhold.ts";

/** The values of `--investigator`. */
export const INVESTIGATOR_NAMES = [
  "react[:<model>][+calls-<n>]",
  "alone[:<model>]",
  "assisted[:<model>][+no-contrast][+no-refutation]",
  "assisted:random",
  "baseline",
  "random",
  "lookup",
  "latest-change",
  "loudest",
  "opensre[:<model>]",
  "exec:<command>",
] as const;

/** Settings for every model and every examined program of a command. */
export interface ModelSettings extends GivenToAgents {
  /** Maximum number of tool calls of `react`; absent: the default. */
  readonly calls?: number | undefined;
  /** Endpoint in OpenAI's wire format for `react` and `alone`; absent: Ollama. */
  readonly modelUrl?: string | undefined;
  readonly env?: Env;
}

const WITHOUT_MODEL: Readonly<Record<string, Investigator>> = {
  baseline,
  random,
  lookup,
  "latest-change": latestChange,
  loudest,
};

/** Returns the investigator of this name; throws UsageError that lists them otherwise. */
export function createInvestigator(name: string, settings: ModelSettings = {}): Investigator {
  const found = Object.hasOwn(WITHOUT_MODEL, name) ? WITHOUT_MODEL[name] : undefined;
  const created =
    found ??
    plainAgent(name, settings) ??
    assistedAgent(name, settings) ??
    externalAgent(name, settings);
  if (created !== undefined) return created;
  throw new UsageError(
    `Cannot choose investigator ${JSON.stringify(name)}: it must be one of ${INVESTIGATOR_NAMES.join(", ")}`,
  );
}

function plainAgent(name: string, settings: ModelSettings): Investigator | undefined {
  const match = /^(react|alone)(?::([^+]+))?(?:\+calls-(\d+))?$/.exec(name);
  if (match === null) return undefined;
  const [, kind, model, stated] = match;
  const calls = kind === "alone" ? 0 : Number(stated ?? settings.calls ?? DEFAULT_CALLS);
  if (kind === "alone" ? stated !== undefined : calls < 1 || calls > MAX_CALLS) {
    throw new UsageError(
      `Cannot choose investigator ${JSON.stringify(name)}: react takes +calls-1 to +calls-${MAX_CALLS}, alone takes none`,
    );
  }
  const { model: asked, connect } = connectTo({
    env: settings.env ?? processEnv(),
    ...(model === undefined ? {} : { model }),
    ...(settings.modelUrl === undefined ? {} : { url: settings.modelUrl }),
  });
  const suffix = calls === DEFAULT_CALLS || calls === 0 ? "" : `+calls-${calls}`;
  return createReactInvestigator({ name: `${kind}:${asked}${suffix}`, calls, connect });
}

/** `ollama` is the former name. */
function assistedAgent(name: string, { env }: ModelSettings): Investigator | undefined {
  const match = /^(?:assisted|ollama)(?::(.+?))?((?:\+no-contrast|\+no-refutation)*)$/.exec(name);
  if (match === null) return undefined;
  const [, model, ablations = ""] = match;
  return createAssistedInvestigator({
    ...(model === undefined ? {} : { model }),
    ...(env === undefined ? {} : { env }),
    contrast: !ablations.includes("+no-contrast"),
    refutation: !ablations.includes("+no-refutation"),
    toolbox: (input) => toolboxOf(toolsetFor(input)),
  });
}

function externalAgent(name: string, given: ModelSettings): Investigator | undefined {
  const [, opensre, model] = /^(opensre)(?::(.+))?$/.exec(name) ?? [];
  const [, command] = /^exec:(.*\S.*)$/.exec(name) ?? [];
  if (opensre === undefined && command === undefined) return undefined;
  const { env = processEnv() } = given;
  const settings = agentSettings(given, env);
  if (command !== undefined) return createExecInvestigator(command.trim(), { settings });
  return createOpenSreInvestigator({ ...(model === undefined ? {} : { model }), env, settings });
}

/**
 * The same investigator without some pillars of telemetry; its name says so. Throws UsageError for
 * a program that reads the APIs itself.
 */
export function withoutPillars(
  investigator: Investigator,
  withheld: readonly Withheld[],
): Investigator {
  const { name } = investigator;
  if (/^(exec|opensre|mcp)\b/.test(name)) {
    throw new UsageError(
      `Cannot withhold ${withheld.join(",")} from ${name}: it must be an investigator of this project, because others read the APIs themselves`,
    );
  }
  return {
    name: `${name}+without-${withheld.join("-")}`,
    investigate: (input) => investigator.investigate({ ...input, withheld }),
  };
}

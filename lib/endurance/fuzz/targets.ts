/** Everything that is fuzzed. */
import { alerts, answers, definitions, environments, loadSeeds } from "./documents.ts";
import { otlpJson, otlpProtobuf } from "./otlp.ts";
import { logql, regex, SmallStore, traceql } from "./queries.ts";
import type { Target } from "./target.ts";

/** A target whose own inputs only it knows. */
export type AnyTarget = Target;

/** Inputs of a target come from itself alone. */
const any = <Input>(target: Target<Input>): AnyTarget => target;

export interface Targets extends Disposable {
  readonly all: readonly AnyTarget[];
}

export async function createTargets(): Promise<Targets> {
  const scenarios = await loadSeeds();
  const small = new SmallStore();
  return {
    all: [
      any(otlpProtobuf()),
      any(otlpJson()),
      any(logql(small)),
      any(traceql(small)),
      any(regex()),
      alerts(scenarios),
      definitions(scenarios),
      answers(),
      any(environments()),
    ],
    [Symbol.dispose]: () => small[Symbol.dispose](),
  };
}

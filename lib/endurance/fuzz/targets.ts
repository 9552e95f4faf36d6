/** All fuzz targets. */
import { alerts, answers, definitions, environments, loadSeeds } from "./documents.ts";
import { BundleTarget, goodBundle, manifests, telemetryColumns } from "./bundles.ts";
import { otlpJson, otlpProtobuf } from "./otlp.ts";
import { logql, regex, SmallStore, traceql } from "./queries.ts";
import type { Target } from "./target.ts";

/** A target of any input type. */
export type AnyTarget = Target;

/** Safe, because a target gets only its own inputs. */
const any = <Input>(target: Target<Input>): AnyTarget => target;

export interface Targets extends Disposable {
  readonly all: readonly AnyTarget[];
}

export async function createTargets(): Promise<Targets> {
  const scenarios = await loadSeeds();
  const good = await goodBundle();
  const small = new SmallStore();
  const bundles = new BundleTarget(good);
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
      manifests(good),
      any(telemetryColumns(small.path)),
      any(bundles),
    ],
    [Symbol.dispose]: () => {
      small[Symbol.dispose]();
      bundles[Symbol.dispose]();
    },
  };
}

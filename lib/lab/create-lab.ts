/** Chooses the engine of a lab by name. */
import { UsageError } from "../base/errors.ts";
import type { Lab, Lifetime } from "./lab.ts";
import { NativeLab } from "./native/native-lab.ts";

const ENGINES = ["native"] as const;

export interface LabChoice {
  readonly engine: string;
  readonly index: number;
  readonly lifetime: Lifetime;
}

/** Creates a lab (which starts nothing yet); throws UsageError for an engine that does not exist. */
export function createLab({ engine, index, lifetime }: LabChoice): Lab {
  if (engine !== "native") {
    throw new UsageError(
      `Cannot choose engine ${JSON.stringify(engine)}: it must be one of ${ENGINES.join(", ")}`,
    );
  }
  return new NativeLab({
    index,
    lifetime,
    projectDir: new URL("../..", import.meta.url).pathname.replace(/\/$/, ""),
  });
}

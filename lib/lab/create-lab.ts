/** Chooses the engine of a lab by name. */
import { UsageError } from "../base/errors.ts";
import { DockerLab } from "./docker/docker-lab.ts";
import type { Lab, Lifetime } from "./lab.ts";
import { NativeLab } from "./native/native-lab.ts";

const PROJECT_DIR = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

export interface LabChoice {
  readonly engine: string;
  readonly index: number;
  readonly lifetime: Lifetime;
}

/**
 * Creates a lab (which starts nothing yet); throws UsageError for an engine that does not exist.
 */
export function createLab({ engine, index, lifetime }: LabChoice): Lab {
  const options = { index, lifetime, projectDir: PROJECT_DIR };
  switch (engine) {
    case "native":
      return new NativeLab(options);
    case "docker":
      return new DockerLab(options);
    default:
      throw new UsageError(
        `Cannot choose engine ${JSON.stringify(engine)}: it must be one of native, docker`,
      );
  }
}

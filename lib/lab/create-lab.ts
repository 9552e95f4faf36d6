/** Creates a lab by the name of its engine. */
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

/** Creates a lab without starting it. Throws UsageError for an unknown engine. */
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

/**
 * The images in the compose file: which are present, which can be pulled, and what replaces the
 * others.
 */
import { EnvironmentError } from "../../../base/errors.ts";
import { run } from "../../../base/shell.ts";
import { readComposeFile } from "../testing/compose-file.ts";

/** Images that the project's own telemetry server can replace. */
const REPLACEABLE: ReadonlySet<string> = new Set(["tempo", "grafana"]);
const STAND_IN = "docker-compose.yml:lib/lab/docker/testing/compose.stand-in.yml";
const PULL_TIMEOUT_MS = 300_000;

export interface Images {
  /** COMPOSE_FILE for the following steps; undefined if every image is the real one. */
  readonly composeFile: string | undefined;
  /** One line per image: its state, and whether it runs. */
  readonly lines: readonly string[];
}

/**
 * Finds every image and pulls missing ones. Throws EnvironmentError for one without a replacement.
 */
export async function findImages(projectDir: string): Promise<Images> {
  const { services } = readComposeFile(`${projectDir}/docker-compose.yml`);
  const lines: string[] = [];
  let isComplete = true;
  for (const [name, { image, profiles }] of Object.entries(services)) {
    if (profiles !== undefined || image.startsWith("cms-lab:")) continue;
    const found = await isThere(image);
    if (found) {
      lines.push(`${name}: ${image}, the image runs`);
    } else if (REPLACEABLE.has(name)) {
      isComplete = false;
      lines.push(
        `${name}: ${image} is not available here; the project's own telemetry server replaces it, and its configuration was only checked`,
      );
    } else {
      throw new EnvironmentError(
        `Cannot test the containers: the image ${image} must be here or be pulled, but cannot be`,
      );
    }
  }
  return { composeFile: isComplete ? undefined : STAND_IN, lines };
}

async function isThere(image: string): Promise<boolean> {
  const found = await run(["docker", "image", "inspect", image]);
  if (found.code === 0) return true;
  return (
    (await run(["docker", "pull", "--quiet", image], { timeoutMs: PULL_TIMEOUT_MS })).code === 0
  );
}

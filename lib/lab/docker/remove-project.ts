/** Removes all containers, networks and volumes of a compose project, found by Compose's labels. */
import { waitUntil } from "../../base/wait.ts";
import type { Engine } from "./engine.ts";

/**
 * A container that is being created or removed keeps its network and volumes in use for a moment.
 */
const SETTLE_DEADLINE_MS = 20_000;

/** Removes containers, networks and volumes of the project; idempotent. */
export async function removeProject(engine: Engine, project: string): Promise<void> {
  await waitUntil(
    async () => {
      const containers = await engine.list(project);
      await Promise.all(containers.map(({ Id }) => engine.remove(Id)));
      await engine.removeNetworksAndVolumes(project);
      const left = await engine.list(project);
      return { ok: left.length === 0, seen: `${left.length} containers` };
    },
    { what: `nothing to be left of ${project}`, deadlineMs: SETTLE_DEADLINE_MS },
  );
}

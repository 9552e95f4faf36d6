/** Resource use of all containers of a lab. */
import type { Engine } from "./engine.ts";
import { LABEL } from "./layout.ts";

export interface ContainerUse {
  readonly name: string;
  readonly cpuSeconds: number;
  /** Without the page cache, which the kernel can reclaim. */
  readonly memoryBytes: number;
}

export interface StackUse {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly containers: readonly ContainerUse[];
}

export async function useOf(engine: Engine, project: string): Promise<StackUse> {
  const listed = (await engine.list(project)).filter(({ State }) => State === "running");
  const containers = await Promise.all(
    listed.map(async ({ Id, Labels }): Promise<ContainerUse> => {
      const { cpu_stats, memory_stats } = await engine.stats(Id);
      const { usage = 0, stats = {} } = memory_stats ?? {};
      // Control groups v1 and v2 use different names.
      const cache = stats["total_inactive_file"] ?? stats["inactive_file"] ?? 0;
      return {
        name: Labels[LABEL.service] ?? Id,
        cpuSeconds: (cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e9,
        memoryBytes: Math.max(0, usage - cache),
      };
    }),
  );
  const sum = (pick: (use: ContainerUse) => number): number =>
    containers.reduce((total, use) => total + pick(use), 0);
  return {
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
    containers: containers.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Copies the stored data of a container lab to files of this machine. */
import { mkdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { EnvironmentError } from "../../base/errors.ts";
import type { StoredTelemetry } from "../lab.ts";
import type { ContainerSummary, Engine } from "./engine.ts";
import { LABEL, PROMETHEUS_SNAPSHOTS, TELEMETRY_SNAPSHOT } from "./layout.ts";

const PROGRAM = "lib/lab/docker/snapshot/main.ts";

/**
 * Replaces the snapshot of Prometheus in `folder`, and takes one of the telemetry server on
 * request. Prometheus' admin API has no port on this machine, so a program in a container calls it.
 */
export async function takeSnapshot(
  engine: Engine,
  listed: readonly ContainerSummary[],
  folder: string,
): Promise<StoredTelemetry> {
  const idOf = (service: string): string => {
    const found = listed.find(({ Labels }) => Labels[LABEL.service] === service);
    if (found !== undefined) return found.Id;
    throw new EnvironmentError(`Cannot take a snapshot: ${service} must be there, but is not`);
  };
  const telemetry = idOf("telemetry");
  const prometheus = idOf("prometheus");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  remove();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    const name = (await engine.exec(telemetry, ["bun", PROGRAM, "prometheus"])).trim();
    await extract(await engine.archive(prometheus, `${PROMETHEUS_SNAPSHOTS}/${name}`), folder);
    return {
      prometheusBlocks: `${folder}/${name}`,
      telemetryStore: async () => {
        await engine.exec(telemetry, ["bun", PROGRAM, "telemetry"]);
        await extract(await engine.archive(telemetry, TELEMETRY_SNAPSHOT), folder);
        return `${folder}/${basename(TELEMETRY_SNAPSHOT)}`;
      },
      [Symbol.dispose]: remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

async function extract(archive: Uint8Array, folder: string): Promise<void> {
  const child = Bun.spawn(["tar", "-x", "-C", folder, "--no-same-owner"], {
    stdin: archive,
    stdout: "ignore",
    stderr: "pipe",
  });
  const [code, said] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (code === 0) return;
  throw new EnvironmentError(
    `Cannot unpack a snapshot: tar must succeed, but failed: ${said.trim()}`,
  );
}

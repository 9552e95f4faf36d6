/** Packages that were unpacked below the project, for a user who may not install any. */
import { existsSync, readdirSync } from "node:fs";
import { processEnv, setEnv } from "../base/env.ts";

export const unpackedFolder = (root: string): string => `${root}/.packages`;

/**
 * Lets this process, and all that it starts, find what is unpacked; the machine's own programs come
 * first. Does nothing where nothing is unpacked.
 */
export function useUnpacked(root: string): void {
  const folder = unpackedFolder(root);
  if (!existsSync(folder)) return;
  append(
    "PATH",
    ["usr/bin", "usr/sbin", "bin", "sbin"].map((name) => `${folder}/${name}`),
  );
  const libraries = ["usr/lib", "lib"].flatMap((name) => librariesIn(`${folder}/${name}`));
  append("LD_LIBRARY_PATH", libraries);
  const hasDds = libraries.some((path) =>
    readdirSync(path).some((name) => name.startsWith("libddsc.so")),
  );
  if (hasDds && (processEnv()["CYCLONEDDS_HOME"] ?? "") === "") {
    setEnv("CYCLONEDDS_HOME", `${folder}/usr`);
  }
}

/** The folders of an architecture's libraries, such as usr/lib/x86_64-linux-gnu. */
function librariesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith("-linux-gnu"));
  return names.map((name) => `${folder}/${name}`);
}

function append(name: string, paths: readonly string[]): void {
  const had = (processEnv()[name] ?? "").split(":").filter(Boolean);
  const all = [...new Set([...had, ...paths])];
  if (all.length > 0) setEnv(name, all.join(":"));
}

/**
 * The person behind sudo: what root writes into that person's checkout is given back, or the person
 * could neither change nor remove it.
 */
import { lchownSync, lstatSync, readdirSync } from "node:fs";
import { type Env, processEnv } from "./env.ts";

/** A user and a group, by their ids. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who called sudo in a folder of their own; undefined without sudo, and for a folder of somebody
 * else.
 */
export function personBehindSudo(
  folder: string,
  env: Env = processEnv(),
  uid: number | undefined = process.getuid?.(),
): Owner | undefined {
  const [user, group] = [Number(env["SUDO_UID"]), Number(env["SUDO_GID"])];
  if (uid !== 0 || !(user > 0) || !Number.isInteger(group)) return undefined;
  return lstatSync(folder).uid === user ? { uid: user, gid: group } : undefined;
}

/**
 * Gives the files and folders, with all in them that belongs to one of the users `from`, to
 * `owner`. Links are given, never followed; what is not there is left out.
 */
export function giveBack(
  paths: readonly string[],
  owner: Owner,
  from: readonly number[] = [0],
): void {
  for (const path of paths) give(path, owner, from);
}

function give(path: string, owner: Owner, from: readonly number[]): void {
  try {
    const stat = lstatSync(path);
    if (from.includes(stat.uid)) lchownSync(path, owner.uid, owner.gid);
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(path)) give(`${path}/${name}`, owner, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Finds the installed OpenSRE and its files. */
import { dirname, resolve } from "node:path";
import { existsSync, realpathSync } from "node:fs";
import type { Env } from "../../base/env.ts";
import { EnvironmentError } from "../../base/errors.ts";
import { pythonOf } from "../confined/settings.ts";

export interface Found {
  readonly program: string;
  /** Its files: the program, its virtual environment, and the Python installation. */
  readonly files: readonly string[];
}

/** `OPENSRE_BIN`, else `opensre` on PATH; throws EnvironmentError when there is none. */
export function mustFind(env: Env): Found {
  const { OPENSRE_BIN: named = "opensre", PATH = "" } = env;
  const program = named.includes("/") ? resolve(named) : Bun.which(named, { PATH });
  if (program === null || !existsSync(program)) {
    throw new EnvironmentError(`Cannot start ${named}: there is no such program`);
  }
  const real = realpathSync(program);
  const environment = dirname(dirname(real));
  const whole = existsSync(`${environment}/pyvenv.cfg`)
    ? [environment, ...pythonOf(environment)]
    : [real];
  return { program: real, files: whole.filter((path) => !path.startsWith("/usr/")) };
}

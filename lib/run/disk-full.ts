/** A full disk ends a campaign or an examination: what follows could not be kept either. What is kept is whole. */
import { EnvironmentError, messageOf } from "../base/errors.ts";

export const diskFull = (error: unknown): EnvironmentError =>
  new EnvironmentError(
    `Cannot go on: the disk is full (${messageOf(error)}); make room, and the same command goes on where this one stopped`,
    { cause: error },
  );

/**
 * Ends a campaign or an examination when the disk is full, because no further result could be kept.
 * Kept results are complete.
 */
import { EnvironmentError, messageOf } from "../base/errors.ts";

export const diskFull = (error: unknown): EnvironmentError =>
  new EnvironmentError(
    `Cannot go on: the disk is full (${messageOf(error)}); make room, and the same command goes on where this one stopped`,
    { cause: error },
  );

/**
 * The errors that a user may meet, each with the exit code that the command line gives it.
 *
 * Messages follow one grammar: what could not be done, the rule, the value that broke it, and, where
 * there is one, the next step. Anything that is not one of these classes is a defect of ours.
 */

/** Base of all errors whose message is meant for the user and needs no stack trace. */
export abstract class UserFacingError extends Error {
  /** Exit code of the process that ends because of this error. */
  abstract readonly exitCode: number;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The command, a flag, a file or a variable that the user wrote breaks a rule. */
export class UsageError extends UserFacingError {
  readonly exitCode = 1;
}

/** The machine or the lab cannot do what was asked (a port in use, no library, a full disk). */
export class EnvironmentError extends UserFacingError {
  readonly exitCode = 2;
}

/** A condition did not come true in time; the message carries the last value that was seen. */
export class DeadlineError extends EnvironmentError {}

/** The work was stopped on purpose (Ctrl-C, SIGTERM). */
export class CancelledError extends UserFacingError {
  readonly exitCode = 130;
}

/** The exit code of a defect of ours: an error of no known class. */
export const EXIT_DEFECT = 3;

/** Returns the message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Returns `thrown` as an Error, keeping the original as its cause when it was none. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/**
 * The errors that users see, each with its exit code. Messages follow one grammar: what failed, the
 * rule, the value that breaks it, and the next step if there is one. An error of any other class is
 * a defect of the project.
 */

/** Base of all errors whose message is for the user and needs no stack trace. */
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

/** A condition did not become true in time; the message has the last observed value. */
export class DeadlineError extends EnvironmentError {}

/** A person or the system stopped the work (Ctrl-C, SIGTERM). */
export class CancelledError extends UserFacingError {
  readonly exitCode = 130;
}

/** Exit code of a defect of the project: an error of no known class. */
export const EXIT_DEFECT = 3;

/** Returns the message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Returns `thrown` as an Error; a value that is no Error becomes the cause of one. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** Runs a program; an error that is for the user ends it with one line and the error's exit code. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

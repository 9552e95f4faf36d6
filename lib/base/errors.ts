/**
 * The errors that users see, each with its exit code. Every message has the same parts: what
 * failed, the rule, the value that breaks it, and the next step if there is one. An error of
 * another class is a defect of the project.
 */

/** Base class of errors with a message for the user and without a stack trace. */
export abstract class UserFacingError extends Error {
  /** Exit code of the process that ends because of this error. */
  abstract readonly exitCode: number;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The user's command, flag, file or variable breaks a rule. */
export class UsageError extends UserFacingError {
  readonly exitCode = 1;
}

/** The machine or the lab cannot do what was asked (a port in use, no library, a full disk). */
export class EnvironmentError extends UserFacingError {
  readonly exitCode = 2;
}

/**
 * This machine or this user cannot do it, now or at a second attempt: a permission, a program or a
 * kernel feature is missing. Nobody tries again, and it is no outcome of a run.
 */
export class UnfitMachineError extends EnvironmentError {}

/** A condition did not become true in time; the message has the last observed value. */
export class DeadlineError extends EnvironmentError {}

/** A person or the system stopped the work (Ctrl-C, SIGTERM). */
export class CancelledError extends UserFacingError {
  readonly exitCode = 130;
}

/** Exit code of a defect of the project: an error of no known class. */
export const EXIT_DEFECT = 3;

const DISK_FULL = /ENOSPC|EDQUOT|no space left on device|quota exceeded|database or disk is full/i;

/** Whether an error was caused by a full disk, according to its code, message or causes. */
export function isDiskFull(thrown: unknown): boolean {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 10; depth++) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (DISK_FULL.test(code) || DISK_FULL.test(error.message)) return true;
    error = error.cause;
  }
  return false;
}

/** Returns the message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Returns `thrown` as an Error; a value of another type becomes the cause of one. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** Runs a program. A UserFacingError ends it with its message and exit code. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

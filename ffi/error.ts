/** Error classes of DDS calls; each error has the C return code. */

/** Return codes of the DDS C API, by absolute value. Source: dds/ddsrt/retcode.h. */
const RETCODES: Readonly<Record<number, string>> = {
  1: "ERROR",
  2: "UNSUPPORTED",
  3: "BAD_PARAMETER",
  4: "PRECONDITION_NOT_MET",
  5: "OUT_OF_RESOURCES",
  6: "NOT_ENABLED",
  7: "IMMUTABLE_POLICY",
  8: "INCONSISTENT_POLICY",
  9: "ALREADY_DELETED",
  10: "TIMEOUT",
  11: "NO_DATA",
  12: "ILLEGAL_OPERATION",
  13: "NOT_ALLOWED_BY_SECURITY",
};

/** A DDS call failed. */
export class DdsError extends Error {
  /** Negative, as the C API returned it. */
  readonly code: number;
  /** Name of the code, such as `TIMEOUT`. */
  readonly retcode: string;
  /** The C function. */
  readonly operation: string;

  constructor(code: number, operation: string, context: string) {
    const retcode = RETCODES[-code] ?? `UNKNOWN (${code})`;
    super(`Cannot ${context}: ${operation} returned ${retcode}`);
    this.name = "DdsError";
    this.code = code;
    this.retcode = retcode;
    this.operation = operation;
  }
}

/** The library is missing, or its version is not supported. */
export class DdsLibraryError extends Error {
  override readonly name = "DdsLibraryError";
}

/** A method was called on an entity that is closed. */
export class DdsClosedError extends Error {
  override readonly name = "DdsClosedError";
}

/** Returns `code` unless it is an error; no other function interprets return codes. */
export function check(code: number, operation: string, context: string): number {
  if (code < 0) throw new DdsError(code, operation, context);
  return code;
}

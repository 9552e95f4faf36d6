/** Errors of the query APIs, each with its HTTP status. */

/** The query breaks a rule of its language or uses an unsupported construct: HTTP 400. */
export class QueryError extends Error {
  readonly httpStatus: number = 400;
}

/** The query exceeds its maximum time: HTTP 504, as in Loki and Tempo. */
export class QueryTimeout extends QueryError {
  override readonly httpStatus = 504;
}

/** Error for an unsupported construct of the language; the message names it. */
export function unsupported(language: string, construct: string): QueryError {
  return new QueryError(`${language}: ${construct} is not supported by this server`);
}

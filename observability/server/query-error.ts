/** Errors of the query APIs, each with its HTTP status. */

/** The query breaks a rule of its language or asks for what is not supported: HTTP 400. */
export class QueryError extends Error {
  readonly httpStatus: number = 400;
}

/** The query would take longer than a query may: HTTP 504, as Loki and Tempo answer. */
export class QueryTimeout extends QueryError {
  override readonly httpStatus = 504;
}

/** A construct of the language that is not supported here; the message names it. */
export function unsupported(language: string, construct: string): QueryError {
  return new QueryError(`${language}: ${construct} is not supported by this server`);
}

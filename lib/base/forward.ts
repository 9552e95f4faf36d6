/** Forwards an HTTP request to the server behind a door. */
import { messageOf } from "./errors.ts";

/** A forwarded request: what the server gets, and what of its answer the client gets. */
export interface Forwarding {
  readonly url: string;
  readonly headers: Headers;
  readonly body?: string | Promise<ArrayBuffer> | undefined;
  /** Names of the answer's headers that the client gets; no others are passed on. */
  readonly answered: readonly string[];
  readonly timeoutMs: number;
  /** Names the server in the answer 502, when it does not answer. */
  readonly server: string;
}

/** Sends `request` on with its method, until its client leaves or the time is over. */
export async function forward(request: Request, forwarding: Forwarding): Promise<Response> {
  const { url, headers, body, answered, timeoutMs, server } = forwarding;
  try {
    const sent = await body;
    const reply = await fetch(url, {
      method: request.method,
      headers,
      redirect: "manual",
      ...(sent === undefined ? {} : { body: sent }),
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]),
    });
    const passed = onlyHeaders(reply.headers, answered);
    return new Response(reply.body, { status: reply.status, headers: passed });
  } catch (error) {
    return new Response(`${server} does not answer: ${messageOf(error)}\n`, { status: 502 });
  }
}

/** The headers of these names, as far as they are there. */
export function onlyHeaders(headers: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}

/**
 * The fetch function for Ollama's client: it has a time limit, and throws where the client would
 * only print.
 */
import { ModelFailure } from "./failure.ts";
import { findJsonObject } from "./text.ts";

/**
 * The fetch that the client uses, with a size limit. It throws on errors and broken lines of the
 * stream; the client by itself prints both to standard output and continues.
 */
export function boundFetch(limit: AbortSignal): typeof fetch {
  const bound = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const own = init?.signal;
    const signal = own ? AbortSignal.any([limit, own]) : limit;
    const response = await fetch(input, { ...init, signal });
    if (!response.ok) {
      const text = await response.text();
      const said = findJsonObject(text)?.["error"] ?? (text.slice(0, 300) || response.statusText);
      return Response.json({ error: said }, { status: response.status });
    }
    if (response.body === null || !response.headers.get("content-type")?.includes("ndjson")) {
      return response;
    }
    return new Response(response.body.pipeThrough(strictLines()), { headers: response.headers });
  };
  return bound as typeof fetch;
}

/** Forwards a stream of JSON lines; throws at the first line that is not JSON. */
function strictLines(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.trim() === "") continue;
        if (findJsonObject(line) === undefined) {
          throw new ModelFailure(
            "cut-off",
            `a line of the stream is no JSON: ${line.slice(0, 80)}`,
          );
        }
        controller.enqueue(encoder.encode(`${line}\n`));
      }
    },
    flush() {
      if (rest.trim() !== "") {
        throw new ModelFailure("cut-off", `the stream ends within a line: ${rest.slice(0, 80)}`);
      }
    },
  });
}

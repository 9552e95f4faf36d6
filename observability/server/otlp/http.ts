/** OTLP over HTTP: protobuf and JSON, plain or gzip. */
import { gunzipSync } from "node:zlib";
import { Hono } from "hono";
import { RPC_STATUS, type Signal, SIGNALS } from "./descriptor.ts";
import { type Ingress, MAX_PAYLOAD_BYTES, responseFields } from "./ingress.ts";
import { MalformedError } from "./values.ts";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";

/** google.rpc.Code values that are used here. */
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

class HttpError extends Error {
  constructor(
    readonly httpStatus: number,
    readonly rpcCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** The routes `/v1/traces`, `/v1/logs` and `/v1/metrics`. */
export function otlpHttpApp(ingress: Ingress): Hono {
  const app = new Hono();
  for (const signal of Object.keys(SIGNALS) as Signal[]) {
    app.post(SIGNALS[signal].httpPath, async ({ req }) => {
      const type = (req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
      const json = type === JSON_TYPE;
      try {
        if (type !== PROTOBUF && !json) {
          throw new HttpError(
            415,
            INVALID_ARGUMENT,
            `Content-Type must be ${PROTOBUF} or ${JSON_TYPE}, but is "${type}"`,
          );
        }
        const bytes = decompress(
          new Uint8Array(await req.arrayBuffer()),
          req.header("content-encoding"),
        );
        const partial = json
          ? ingress.acceptJson(signal, new TextDecoder().decode(bytes))
          : ingress.acceptProtobuf(signal, bytes);
        const fields = responseFields(signal, partial);
        return json
          ? Response.json(fields)
          : protobuf(SIGNALS[signal].response.encode(fields).finish());
      } catch (error) {
        return errorResponse(error as Error, json);
      }
    });
  }
  return app;
}

function decompress(bytes: Uint8Array, encoding: string | undefined): Uint8Array {
  if (bytes.length > MAX_PAYLOAD_BYTES) throw tooLarge();
  if (encoding === undefined || encoding === "" || encoding === "identity") return bytes;
  if (encoding !== "gzip") {
    throw new HttpError(
      415,
      INVALID_ARGUMENT,
      `Content-Encoding must be gzip, but is "${encoding}"`,
    );
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_PAYLOAD_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new HttpError(400, INVALID_ARGUMENT, "the body is not valid gzip");
  }
}

const tooLarge = (): HttpError =>
  new HttpError(413, RESOURCE_EXHAUSTED, `the body must have at most ${MAX_PAYLOAD_BYTES} bytes`);

function protobuf(bytes: Uint8Array, httpStatus = 200): Response {
  return new Response(new Uint8Array(bytes), {
    status: httpStatus,
    headers: { "content-type": PROTOBUF },
  });
}

function errorResponse(error: Error, json: boolean): Response {
  const known =
    error instanceof HttpError
      ? error
      : error instanceof MalformedError
        ? new HttpError(400, INVALID_ARGUMENT, error.message)
        : new HttpError(503, UNAVAILABLE, error.message);
  const fields = { code: known.rpcCode, message: known.message };
  return json
    ? Response.json(fields, { status: known.httpStatus })
    : protobuf(RPC_STATUS.encode(fields).finish(), known.httpStatus);
}

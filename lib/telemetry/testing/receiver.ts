/**
 * An OTLP/gRPC receiver for tests, on plain HTTP/2: it records the bytes on the wire, headers,
 * compression and the sender's certificate.
 */
import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { gunzipSync } from "node:zlib";

/** Compression flag, and length of the following message. */
const PREFIX_BYTES = 5;

export interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  /** Whether the message was compressed, according to its own flag. */
  readonly isCompressed: boolean;
  /** The message, decompressed. */
  readonly body: Buffer;
  /** Common name in the sender's certificate. */
  readonly sender: string | undefined;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** The gRPC status of every answer; 0 is OK. */
  refuseWith: number;
}

/** Starts a receiver on a free port; with `tls` it accepts TLS only. */
export async function startReceiver(tls?: SecureServerOptions): Promise<Receiver> {
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on("error", () => sessions.delete(session));
  });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const isCompressed = bytes[0] === 1;
      const message = bytes.subarray(PREFIX_BYTES);
      receiver.requests.push({
        headers,
        isCompressed,
        body: isCompressed ? gunzipSync(message) : message,
        sender: tls === undefined ? undefined : senderOf(stream),
      });
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () =>
        stream.sendTrailers({ "grpc-status": String(receiver.refuseWith) }),
      );
      stream.end(Buffer.alloc(PREFIX_BYTES));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `${tls === undefined ? "http" : "https"}://localhost:${port}`,
    requests: [],
    refuseWith: 0,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
  return receiver;
}

function senderOf({ session }: ServerHttp2Stream): string | undefined {
  const name = (session?.socket as TLSSocket | undefined)?.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}

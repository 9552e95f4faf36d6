/** OTLP over gRPC. */
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import { EnvironmentError } from "../../../lib/base/errors.ts";
import { type Signal, SIGNALS } from "./descriptor.ts";
import { type Ingress, MAX_PAYLOAD_BYTES, responseFields } from "./ingress.ts";
import { MalformedError } from "./values.ts";

export interface GrpcServer {
  readonly port: number;
  /** Ends every connection. */
  close(): void;
}

const raw = (bytes: Buffer): Buffer => bytes;

function definition(signal: Signal): ServiceDefinition {
  const { grpcService } = SIGNALS[signal];
  return {
    Export: {
      path: `/${grpcService}/Export`,
      requestStream: false,
      responseStream: false,
      // The handler decodes the bytes, so that a malformed payload gets its own status and message.
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    },
  };
}

function handler(ingress: Ingress, signal: Signal): handleUnaryCall<Buffer, Buffer> {
  const { response } = SIGNALS[signal];
  return (call, answer) => {
    try {
      const partial = ingress.acceptProtobuf(signal, call.request);
      answer(null, Buffer.from(response.encode(responseFields(signal, partial)).finish()));
    } catch (error) {
      const malformed = error instanceof MalformedError;
      answer({
        code: malformed ? status.INVALID_ARGUMENT : status.UNAVAILABLE,
        details: (error as Error).message,
      });
    }
  };
}

/** Listens on `host:port` (0 for any free one). Throws EnvironmentError when the port is in use. */
export async function startGrpc(ingress: Ingress, host: string, port: number): Promise<GrpcServer> {
  const server = new Server({ "grpc.max_receive_message_length": MAX_PAYLOAD_BYTES });
  for (const signal of Object.keys(SIGNALS) as Signal[]) {
    server.addService(definition(signal), { Export: handler(ingress, signal) });
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, actual) => {
      if (error === null) resolve(actual);
      else {
        const said = `Cannot listen for OTLP/gRPC on ${host}:${port}: ${error.message}`;
        reject(new EnvironmentError(said, { cause: error }));
      }
    });
  });
  return { port: bound, close: () => server.forceShutdown() };
}

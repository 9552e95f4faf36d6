/** Sends spans that are in their binary form already over gRPC. */
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { systemClock } from "../base/clock.ts";
import type { EncodedSpans } from "./span-encoder.ts";

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

export interface SpanExporterOptions {
  /** The OTLP endpoint, http:// or https://. */
  readonly url: string;
  readonly timeoutMillis: number;
  /** gRPC shares a connection between clients of one address and one name. */
  readonly userAgent?: string;
}

export class EncodedSpanExporter {
  readonly #client: Client;
  readonly #timeoutMillis: number;

  constructor({ url, timeoutMillis, userAgent }: SpanExporterOptions) {
    const { host, protocol } = new URL(url);
    this.#timeoutMillis = timeoutMillis;
    this.#client = new Client(
      host,
      protocol === "https:" ? credentials.createSsl() : credentials.createInsecure(),
      userAgent === undefined ? {} : { "grpc.primary_user_agent": userAgent },
    );
  }

  /** A failure's error has gRPC's code. */
  export({ bytes }: EncodedSpans, done: (result: ExportResult) => void): void {
    this.#client.makeUnaryRequest(
      EXPORT,
      asBuffer,
      asBuffer,
      bytes,
      { deadline: systemClock.nowMs() + this.#timeoutMillis },
      (error: ServiceError | null) => {
        done(
          error === null
            ? { code: ExportResultCode.SUCCESS }
            : { code: ExportResultCode.FAILED, error },
        );
      },
    );
  }

  shutdown(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}

/** The same memory. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

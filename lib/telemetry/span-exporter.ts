/** Sends encoded spans over gRPC. */
import {
  type ChannelCredentials,
  Client,
  compressionAlgorithms,
  type Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { systemClock } from "../base/clock.ts";
import type { EncodedSpans } from "./span-encoder.ts";

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

export interface SpanExporterOptions {
  readonly url: string;
  readonly timeoutMillis: number;
  readonly compression: CompressionAlgorithm;
  /** Sent with every request. */
  readonly metadata: Metadata;
  readonly credentials: ChannelCredentials;
  /** gRPC shares a connection between clients of one address and one name. */
  readonly userAgent?: string;
}

export class EncodedSpanExporter {
  readonly #client: Client;
  readonly #options: SpanExporterOptions;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    const { url, compression, userAgent } = options;
    this.#client = new Client(new URL(url).host, options.credentials, {
      "grpc.default_compression_algorithm":
        compressionAlgorithms[compression === CompressionAlgorithm.GZIP ? "gzip" : "identity"],
      ...(userAgent === undefined ? {} : { "grpc.primary_user_agent": userAgent }),
    });
  }

  /** A failure's error has gRPC's code. */
  export({ bytes }: EncodedSpans, done: (result: ExportResult) => void): void {
    const { metadata, timeoutMillis } = this.#options;
    this.#client.makeUnaryRequest(
      EXPORT,
      asBuffer,
      asBuffer,
      bytes,
      metadata,
      { deadline: systemClock.nowMs() + timeoutMillis },
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

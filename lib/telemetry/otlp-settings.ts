/**
 * OTLP settings: OpenTelemetry's variables OTEL_EXPORTER_OTLP_*, and for one signal
 * OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_*, which has precedence. The SDK's exporters read them,
 * too, but only warn about an invalid value; here it is an error at start.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { type Env, httpUrl, integerBetween, oneOf, type Parser, readEnv } from "../base/env.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { SignalName } from "./exporters.ts";

export interface OtlpSettings {
  /** http:// or https://, without a path. */
  readonly url: string;
  readonly compression: CompressionAlgorithm;
  /** Maximum time of one export, milliseconds. */
  readonly timeoutMs: number;
  /** Headers of each request. */
  readonly metadata: Metadata;
  readonly credentials: ChannelCredentials;
}

/** The default of the standard. */
const DEFAULT_ENDPOINT = "http://localhost:4317";
/** Less than the standard's 10 s: a stopping service waits this long for its last batch. */
const DEFAULT_TIMEOUT_MS = 2000;
const MAX_TIMEOUT_MS = 60_000;

type Option =
  | "ENDPOINT"
  | "PROTOCOL"
  | "HEADERS"
  | "COMPRESSION"
  | "TIMEOUT"
  | "CERTIFICATE"
  | "CLIENT_KEY"
  | "CLIENT_CERTIFICATE";

/** Reads the settings of one signal; throws UsageError for an invalid variable. */
export function otlpSettings(env: Env, signal: SignalName): OtlpSettings {
  const general = (option: Option): string => `OTEL_EXPORTER_OTLP_${option}`;
  const special = (option: Option): string =>
    `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${option}`;
  const nameOf = (option: Option): string =>
    (env[special(option)] ?? "") === "" ? general(option) : special(option);
  const read = <T>(option: Option, fallback: T, parse: Parser<T>): T =>
    readEnv(env, nameOf(option), fallback, parse);

  read("PROTOCOL", "grpc", grpcOnly);
  const url = read("ENDPOINT", DEFAULT_ENDPOINT, grpcUrl);
  const metadata = new Metadata();
  for (const option of [general("HEADERS"), special("HEADERS")]) {
    for (const [name, value] of headersFrom(env, option)) metadata.set(name, value);
  }
  const root = read<Buffer | null>("CERTIFICATE", null, certificateFile);
  const key = read<Buffer | null>("CLIENT_KEY", null, keyFile);
  const chain = read<Buffer | null>("CLIENT_CERTIFICATE", null, certificateFile);
  checkPair(
    { name: nameOf("CLIENT_KEY"), bytes: key },
    { name: nameOf("CLIENT_CERTIFICATE"), bytes: chain },
  );
  return {
    url,
    compression: read("COMPRESSION", CompressionAlgorithm.NONE, compressionNamed),
    timeoutMs: read(
      "TIMEOUT",
      DEFAULT_TIMEOUT_MS,
      integerBetween(1, MAX_TIMEOUT_MS, "milliseconds"),
    ),
    metadata,
    credentials: url.startsWith("https:")
      ? credentials.createSsl(root, key, chain)
      : credentials.createInsecure(),
  };
}

interface PemFile {
  /** The variable with the file's path. */
  readonly name: string;
  readonly bytes: Buffer | null;
}

/** A client's key and certificate must both be set, and match. */
function checkPair(key: PemFile, certificate: PemFile): void {
  if (key.bytes === null && certificate.bytes === null) return;
  if (key.bytes === null || certificate.bytes === null) {
    const [given, missing] = key.bytes === null ? [certificate, key] : [key, certificate];
    throw new UsageError(`Cannot use ${given.name} without ${missing.name}`);
  }
  if (!new X509Certificate(certificate.bytes).checkPrivateKey(createPrivateKey(key.bytes))) {
    throw new UsageError(`Cannot use ${key.name}: it is not the key of ${certificate.name}`);
  }
}

/**
 * Reads comma-separated `name=value` pairs with percent-encoding. The error for an invalid variable
 * does not repeat the value, because headers contain secrets.
 */
export function pairsFrom(env: Env, variable: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const part of (env[variable] ?? "").split(",")) {
    if (part.trim() === "") continue;
    const at = part.indexOf("=");
    const name = decoded(part.slice(0, at));
    const value = decoded(part.slice(at + 1));
    if (at < 0 || name === undefined || name === "" || value === undefined) {
      throw new UsageError(
        `Cannot use ${variable}: it must be name=value pairs between commas, percent-encoded, but pair ${pairs.size + 1} is not`,
      );
    }
    pairs.set(name, value);
  }
  return pairs;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}

/**
 * Checks what gRPC accepts: names in its alphabet, without `-bin`, which marks binary values;
 * values in ASCII.
 */
function headersFrom(env: Env, variable: string): ReadonlyMap<string, string> {
  const headers = pairsFrom(env, variable);
  for (const [name, value] of headers) {
    if (!/^[0-9a-z_.-]+$/i.test(name) || /^grpc-|-bin$/i.test(name)) {
      throw new UsageError(
        `Cannot use ${variable}: ${JSON.stringify(name)} is not the name of a gRPC text header`,
      );
    }
    if (!/^[\x20-\x7e]*$/.test(value)) {
      throw new UsageError(`Cannot use ${variable}: the value of ${name} must be printable ASCII`);
    }
  }
  return headers;
}

const compressionNamed: Parser<CompressionAlgorithm> = (text, reject) =>
  oneOf(["gzip", "none"])(text, reject) === "gzip"
    ? CompressionAlgorithm.GZIP
    : CompressionAlgorithm.NONE;

const grpcOnly: Parser<string> = (text, reject) =>
  text === "grpc" ? text : reject("grpc (OTLP over HTTP is not sent)");

const grpcUrl: Parser<string> = (text, reject) => {
  const url = httpUrl(text, reject);
  const { pathname, search, username } = new URL(url);
  if (`${pathname}${search}` !== "/" || username !== "") {
    reject("an http:// or https:// URL of a host and a port alone, since gRPC takes no path");
  }
  return url;
};

/**
 * Returns a parser that reads the file at the given path; `check` must throw for invalid content.
 */
const fileOf =
  (what: string, check: (bytes: Buffer) => unknown): Parser<Buffer> =>
  (path, reject) => {
    try {
      const bytes = readFileSync(path);
      check(bytes);
      return bytes;
    } catch (error) {
      return reject(`the path of a readable file with ${what} in PEM (${messageOf(error)})`);
    }
  };

const certificateFile = fileOf("a certificate", (bytes) => new X509Certificate(bytes));
const keyFile = fileOf("a private key", (bytes) => createPrivateKey(bytes));

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import type { Env } from "../base/env.ts";
import { otlpSettings } from "./otlp-settings.ts";
import { createTelemetry } from "./telemetry.ts";
import { makeCertificates, pem } from "./testing/certificates.ts";
import { type ReceivedRequest, startReceiver } from "./testing/receiver.ts";

const folder = mkdtempSync(join(tmpdir(), "otlp-settings-"));
let files: ReturnType<typeof makeCertificates>;
const nonsense = join(folder, "nonsense.pem");

beforeAll(() => {
  files = makeCertificates(folder);
  writeFileSync(nonsense, "nonsense");
});
afterAll(() => rmSync(folder, { recursive: true }));

const SIGNALS = { traces: "TraceService", logs: "LogsService", metrics: "MetricsService" } as const;

/**
 * Sends a span, a log record and metrics with these variables; returns the log on standard output.
 */
async function send(env: Env): Promise<string> {
  const lines: string[] = [];
  const telemetry = createTelemetry({
    service: "track-fusion",
    env,
    write: (line) => void lines.push(line),
  });
  telemetry.inSpan("fusion.ingest", "fusion.ingest", ROOT_CONTEXT, {}, () => {
    telemetry.logger.log("fusion_queue_full_dropping", { dropped_total: 2, queue_depth: 1 });
  });
  await telemetry.shutdown();
  return lines.join("");
}

const of = (
  requests: readonly ReceivedRequest[],
  signal: keyof typeof SIGNALS,
): ReceivedRequest => {
  const found = requests.find(({ headers }) => headers[":path"]?.includes(SIGNALS[signal]));
  if (found === undefined) throw new Error(`no ${signal} among ${requests.length} requests`);
  return found;
};

describe("what is sent", () => {
  test("all signals carry the headers and are compressed as they are told", async () => {
    await using receiver = await startReceiver();
    await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20a%2Cb, x-tenant=all",
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-tenant=logs",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "none",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    });
    const seen = (["traces", "logs", "metrics"] as const).map((signal) => {
      const { headers, isCompressed } = of(receiver.requests, signal);
      return [signal, headers["authorization"], headers["x-tenant"], isCompressed];
    });
    expect(seen).toEqual([
      ["traces", "Bearer a,b", "all", true],
      ["logs", "Bearer a,b", "logs", true],
      ["metrics", "Bearer a,b", "all", false],
    ]);
  });

  test("each signal may have a receiver of its own", async () => {
    await using spans = await startReceiver();
    await using others = await startReceiver();
    await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: others.url,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: spans.url,
    });
    expect(spans.requests.map(({ headers }) => headers[":path"])).toEqual([
      "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    ]);
    expect(of(others.requests, "logs").body.toString()).toContain("fusion_queue_full_dropping");
    expect(of(others.requests, "metrics").body.length).toBeGreaterThan(100);
  });

  test("TLS: the receiver is held to the certificate that is trusted, and sees the client's", async () => {
    await using receiver = await startReceiver({
      ...pem(files.server),
      ca: readFileSync(files.ca.certificate),
      requestCert: true,
      rejectUnauthorized: true,
    });
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_CERTIFICATE: files.ca.certificate,
      OTEL_EXPORTER_OTLP_CLIENT_KEY: files.client.key,
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: files.client.certificate,
    };
    await send(env);
    for (const signal of ["traces", "logs", "metrics"] as const) {
      expect(of(receiver.requests, signal).sender).toBe("client");
    }
    receiver.requests.length = 0;
    // Another certificate authority: nothing may be sent to this receiver.
    const said = await send({ ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: files.client.certificate });
    expect(receiver.requests).toEqual([]);
    expect(said).toContain("telemetry_export_failing");
  });

  test("the resource names the SDK, and what the environment says of the service", async () => {
    await using receiver = await startReceiver();
    await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_SERVICE_NAME: "fusion-of-mine",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=a%2Cb,service.name=overridden",
    });
    for (const signal of ["traces", "logs", "metrics"] as const) {
      const text = of(receiver.requests, signal).body.toString();
      for (const part of ["fusion-of-mine", "a,b", "telemetry.sdk.name", "telemetry.sdk.version"]) {
        expect(text).toContain(part);
      }
      expect(text).not.toContain("overridden");
      expect(text).not.toContain("unknown_service");
    }
  });
});

test("a scheme in capitals asks for encryption all the same", () => {
  const { url } = otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "HTTPS://receiver:4317" }, "traces");
  expect(url).toBe("https://receiver:4317");
});

describe("a bad variable is an error at start that names it and the rule", () => {
  test.each([
    ["ENDPOINT", "localhost:4317", "an http:// or https:// URL"],
    ["ENDPOINT", "http://h:4318/v1/traces", "gRPC takes no path"],
    ["PROTOCOL", "http/protobuf", "must be grpc"],
    ["COMPRESSION", "zstd", "one of gzip, none"],
    ["TIMEOUT", "2s", "a whole number of milliseconds from 1 to 60000"],
    ["TIMEOUT", "0", "a whole number of milliseconds"],
    ["HEADERS", "authorization", "name=value pairs between commas, percent-encoded, but pair 1"],
    ["HEADERS", "a=b,c=%zz", "but pair 2 is not"],
    ["HEADERS", "a b=c", '"a b" is not the name of a gRPC text header'],
    ["HEADERS", "grpc-timeout=1", "is not the name of a gRPC text header"],
    ["HEADERS", "x=%0Ay", "must be printable ASCII"],
    ["CERTIFICATE", "/nowhere.pem", "the path of a readable file with a certificate in PEM"],
    ["CERTIFICATE", nonsense, "the path of a readable file with a certificate in PEM"],
    ["CLIENT_KEY", nonsense, "the path of a readable file with a private key in PEM"],
  ])("%s=%s", (option, value, rule) => {
    for (const name of [`OTEL_EXPORTER_OTLP_${option}`, `OTEL_EXPORTER_OTLP_METRICS_${option}`]) {
      const make = () => createTelemetry({ service: "eo-sensor", env: { [name]: value } });
      expect(make).toThrow(`Cannot use ${name}`);
      expect(make).toThrow(rule);
    }
  });

  test("a header's value is never repeated: it may be a secret", () => {
    expect(() => otlpSettings({ OTEL_EXPORTER_OTLP_HEADERS: "k=s3cret%zz" }, "logs")).toThrow(
      /^(?!.*s3cret)/,
    );
  });

  test("a client's key and certificate come together, and belong together", () => {
    const env = { OTEL_EXPORTER_OTLP_CLIENT_KEY: files.client.key };
    expect(() => otlpSettings(env, "logs")).toThrow(
      "Cannot use OTEL_EXPORTER_OTLP_CLIENT_KEY without OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    );
    const other = {
      ...env,
      OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE: files.server.certificate,
    };
    expect(() => otlpSettings(other, "logs")).toThrow(
      "it is not the key of OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE",
    );
  });

  test("resource attributes are checked, too", () => {
    const env = { OTEL_SDK_DISABLED: "true", OTEL_RESOURCE_ATTRIBUTES: "team" };
    expect(() => createTelemetry({ service: "eo-sensor", env })).toThrow(
      "Cannot use OTEL_RESOURCE_ATTRIBUTES: it must be name=value pairs",
    );
  });
});

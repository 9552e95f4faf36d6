import { expect, test } from "bun:test";
import { boundedText } from "./bounded-body.ts";
import { EnvironmentError } from "./errors.ts";
import { createPrometheusClient } from "./prometheus.ts";

/** Sends 64 KiB chunks until the reader cancels. */
function endless() {
  const sent = { bytes: 0, cancelled: false };
  const chunk = new Uint8Array(65_536).fill(0x20);
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent.bytes += chunk.length;
      controller.enqueue(chunk);
    },
    cancel: () => void (sent.cancelled = true),
  });
  return { body, sent };
}

test("a short body is read whole, also when a character is cut in two", async () => {
  const bytes = new TextEncoder().encode("Grüße");
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  expect(await boundedText(new Response(body), bytes.length)).toBe("Grüße");
  expect(await boundedText(new Response(null))).toBe("");
});

test("a body without an end is given up at the limit, and read no further", async () => {
  const { body, sent } = endless();
  const reading = boundedText(new Response(body), 1_000_000);
  await expect(reading).rejects.toThrow(EnvironmentError);
  await expect(reading).rejects.toThrow("it must have at most 1000000 bytes");
  expect(sent.cancelled).toBe(true);
  expect(sent.bytes).toBeLessThan(1_500_000);
});

test("a Prometheus that never stops answering is an error, not memory", async () => {
  using server = Bun.serve({ port: 0, fetch: () => new Response(endless().body) });
  const client = createPrometheusClient(server.url.origin);
  await expect(client.instant("up")).rejects.toThrow("it must have at most");
}, 20_000);

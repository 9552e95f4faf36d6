import { expect, test } from "bun:test";
import { ServiceGraph } from "./service-graph.ts";
import type { SpanRecord } from "./telemetry-reader.ts";

const span = (
  service: string,
  kind: string,
  spanId: string,
  parentSpanId = "",
  traceId = "t",
): SpanRecord => ({ service, name: "n", kind, traceId, spanId, parentSpanId, attributes: {} });
const PRODUCER = "SPAN_KIND_PRODUCER";
const CONSUMER = "SPAN_KIND_CONSUMER";
const edges = (...spans: SpanRecord[]): string[] => {
  const graph = new ServiceGraph();
  graph.add(spans);
  return graph.edges;
};

test("an edge is a producer's span and a consumer's that is its child, in either order", () => {
  const [sent, heard] = [span("a", PRODUCER, "1"), span("b", CONSUMER, "2", "1")];
  expect(edges(sent, heard)).toEqual(["a -> b"]);
  expect(edges(heard, sent)).toEqual(["a -> b"]);
});

test("no edge: other kinds, another trace, a grandchild", () => {
  expect(edges(span("a", "SPAN_KIND_INTERNAL", "1"), span("b", CONSUMER, "2", "1"))).toEqual([]);
  expect(edges(span("a", PRODUCER, "1"), span("b", CONSUMER, "2", "1", "u"))).toEqual([]);
  expect(edges(span("a", PRODUCER, "1"), span("b", CONSUMER, "3", "2"))).toEqual([]);
});

test("of two consumers of one span the first to arrive makes the edge", () => {
  const sent = span("a", PRODUCER, "1");
  const [b, c] = [span("b", CONSUMER, "2", "1"), span("c", CONSUMER, "3", "1")];
  expect(edges(sent, b, c)).toEqual(["a -> b"]);
  expect(edges(sent, c, b)).toEqual(["a -> c"]);
});

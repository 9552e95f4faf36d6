// Trace search and a waterfall that crosses the DDS hops.
import { element, searchTraces, spansOf, svg } from "./api.js";

const ROW = 20;
const LEFT = 360;
const WIDTH = 1000;
const MOST_SPANS = 60;

/** Searches and lists what was found. */
export async function search(into, traceql, onTrace) {
  const found = await searchTraces(traceql, 20);
  if (found.length === 0) {
    into.replaceChildren(element("li", "no trace matches", "dim"));
    return;
  }
  into.replaceChildren(
    ...found.map(({ traceID, rootServiceName, rootTraceName, durationMs, startTimeUnixNano }) => {
      const item = element("li");
      const open = element("button", traceID.slice(0, 12), "link");
      open.type = "button";
      open.addEventListener("click", () => onTrace(traceID));
      const at = new Date(Number(startTimeUnixNano) / 1e6).toLocaleTimeString();
      item.append(open, ` ${at} ${rootServiceName} ${rootTraceName} ${durationMs ?? 0} ms`);
      return item;
    }),
  );
}

/** Draws a trace: a bar for each span, children below their parents. */
export async function drawTrace(into, traceId) {
  const spans = ordered(await spansOf(traceId));
  if (spans.length === 0) {
    into.replaceChildren(element("p", `trace ${traceId} is not stored`, "dim"));
    return;
  }
  const start = Math.min(...spans.map(({ startMs }) => startMs));
  const total = Math.max(...spans.map(({ endMs }) => endMs)) - start || 1;
  const services = new Set(spans.map(({ service }) => service)).size;
  const title = `trace ${traceId}: ${spans.length} spans, ${services} services, ${total.toFixed(1)} ms`;
  const shown = spans.slice(0, MOST_SPANS);
  const picture = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${shown.length * ROW + 4}`,
    role: "img",
    "aria-label": title,
  });
  shown.forEach(({ name, service, startMs, endMs, depth }, i) => {
    const room = WIDTH - LEFT - 70;
    const x = LEFT + ((startMs - start) / total) * room;
    const width = Math.max(2, ((endMs - startMs) / total) * room);
    const y = i * ROW + 4;
    picture.append(svg("text", { x: 4 + depth * 12, y: y + 11 }, `${service}: ${name}`));
    picture.append(svg("rect", { x, y, width, height: ROW - 8, rx: 2 }));
    picture.append(
      svg("text", { x: x + width + 5, y: y + 11 }, `${(endMs - startMs).toFixed(1)} ms`),
    );
  });
  const more = spans.length > shown.length ? ` (the first ${MOST_SPANS} are shown)` : "";
  into.replaceChildren(element("p", title + more), picture);
}

/** Depth first from the roots, so that each span stands below its parent. */
function ordered(spans) {
  const known = new Set(spans.map(({ id }) => id));
  const children = Map.groupBy(spans, ({ parent }) => (known.has(parent) ? parent : ""));
  const rows = [];
  const visit = (id, depth) => {
    for (const span of children.get(id) ?? []) {
      rows.push({ ...span, depth });
      visit(span.id, depth + 1);
    }
  };
  visit("", 0);
  return rows;
}

// Trace search and a waterfall that crosses the DDS hops.
import { clockTime, element, searchTraces, spansOf } from "./api.js";

const MAX_SPANS = 60;

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
      const at = clockTime(Number(startTimeUnixNano) / 1e6);
      item.append(open, ` ${at} ${rootServiceName} ${rootTraceName} ${durationMs ?? 0} ms`);
      return item;
    }),
  );
}

/**
 * Draws a trace: a bar for each span, children below their parents; a span opens to show its
 * attributes.
 */
export async function drawTrace(into, traceId) {
  const spans = ordered(await spansOf(traceId));
  if (spans.length === 0) {
    into.replaceChildren(element("p", `trace ${traceId} is not stored`, "dim"));
    return;
  }
  const start = Math.min(...spans.map(({ startMs }) => startMs));
  const total = Math.max(...spans.map(({ endMs }) => endMs)) - start || 1;
  const services = [...new Set(spans.map(({ service }) => service))];
  const hops = spans.filter(({ isHop }) => isHop).length;
  const title = `trace ${traceId}: ${spans.length} spans, ${services.length} services, ${hops} DDS ${hops === 1 ? "hop" : "hops"}, ${total.toFixed(1)} ms`;
  const rows = element("ol");
  rows.setAttribute("aria-label", title);
  for (const span of spans.slice(0, MAX_SPANS)) {
    rows.append(rowOf(span, start, total, services.indexOf(span.service)));
  }
  const more = spans.length > MAX_SPANS ? ` (the first ${MAX_SPANS} are shown)` : "";
  into.replaceChildren(element("p", title + more, "dim"), rows);
}

function rowOf({ name, service, startMs, endMs, depth, isHop, attributes }, start, total, colour) {
  const summary = element("summary");
  const label = element("span", `${service}: ${name}`, "span-name");
  label.style.paddingLeft = `${depth * 0.8}rem`;
  label.title = `${service}: ${name}`;
  if (isHop) label.prepend(element("span", "DDS ", "hop"));
  const track = element("span", "", "track");
  const bar = element("span", "", "bar");
  const from = ((startMs - start) / total) * 100;
  const share = ((endMs - startMs) / total) * 100;
  bar.style.left = `${from}%`;
  bar.style.width = `max(3px, ${share}%)`;
  bar.style.background = `hsl(${(210 + colour * 47) % 360} 60% 52%)`;
  track.append(bar);
  summary.append(label, track, element("span", `${(endMs - startMs).toFixed(1)} ms`, "took"));
  const details = element("details");
  const facts = [["starts after", `${(startMs - start).toFixed(1)} ms`], ...attributes];
  const list = element("p", "", "dim");
  list.textContent = facts.map(([key, value]) => `${key}=${value}`).join("  ");
  details.append(summary, list);
  const row = element("li");
  row.append(details);
  return row;
}

/** Depth first from the roots, so that each span stands below its parent. */
function ordered(spans) {
  const known = new Map(spans.map((span) => [span.id, span]));
  const children = Map.groupBy(spans, ({ parent }) => (known.has(parent) ? parent : ""));
  const rows = [];
  const visit = (id, depth) => {
    for (const span of children.get(id) ?? []) {
      const parent = known.get(span.parent);
      rows.push({ ...span, depth, isHop: parent !== undefined && parent.service !== span.service });
      visit(span.id, depth + 1);
    }
  };
  visit("", 0);
  return rows;
}

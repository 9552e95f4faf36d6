// The log tail with its filters. Log text is shown as text, and a filter's text goes into the query as a quoted string.
import { element, logLines } from "./api.js";

const SECONDS = 600;
const LIMIT = 150;

/** A LogQL query for the filters; everything typed is quoted. */
export function queryOf({ service, level, text }) {
  const selector =
    service === "" ? '{service_name=~".+"}' : `{service_name=${JSON.stringify(service)}}`;
  const contains = text === "" ? "" : ` |= ${JSON.stringify(text)}`;
  const levels = level === "" ? "" : ` |= ${JSON.stringify(`"level":"${level}"`)}`;
  return `${selector}${contains}${levels}`;
}

/** Shows the newest lines; a line with a trace opens it through `onTrace`. */
export async function updateLog(into, filters, onTrace) {
  const lines = await logLines(queryOf(filters), SECONDS, LIMIT);
  into.replaceChildren(
    ...lines.map(({ atMs, line, labels }) => {
      const fields = parsed(line);
      const item = element("li");
      item.append(element("span", `${new Date(atMs).toLocaleTimeString()} `, "dim"));
      item.append(element("span", `${labels.service_name ?? ""} `, "dim"));
      const {
        event = line,
        level = "",
        service: _,
        trace_id: traceId,
        span_id: __,
        ...rest
      } = fields;
      item.append(element("b", String(event), String(level)));
      const detail = Object.entries(rest).map(([name, value]) => `${name}=${show(value)}`);
      item.append(` ${detail.join(" ")} `);
      if (typeof traceId === "string") {
        const open = element("button", "trace", "link");
        open.type = "button";
        open.addEventListener("click", () => onTrace(traceId));
        item.append(open);
      }
      return item;
    }),
  );
}

const show = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function parsed(line) {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

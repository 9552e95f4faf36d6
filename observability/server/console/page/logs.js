// The log tail with its filters. Log text is shown as text, and a filter's text goes into the query
// as a quoted string.
import { clockTime, element, logLines } from "./api.js";

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

/**
 * Shows the newest lines; a line with a trace opens it through `onTrace`. Lines that stay keep
 * their focus and selection.
 */
export async function updateLog(into, filters, onTrace) {
  const lines = await logLines(queryOf(filters), SECONDS, LIMIT);
  const shown = new Map([...into.children].map((item) => [item.dataset.key, item]));
  const wanted = keyed(lines);
  for (const [key, item] of shown) if (!wanted.has(key)) item.remove();
  let before = into.firstElementChild;
  for (const [key, line] of wanted) {
    if (before !== null && before.dataset.key === key) before = before.nextElementSibling;
    else into.insertBefore(shown.get(key) ?? itemOf(line, key, onTrace), before);
  }
  if (lines.length === 0) {
    const none = element("li", "no line matches in the last ten minutes", "dim");
    into.replaceChildren(none);
  }
}

/** Each line by what tells it from all others: equal ones of the same moment are counted. */
function keyed(lines) {
  const wanted = new Map();
  for (const line of lines) {
    const key = `${line.atMs} ${line.labels.service_name ?? ""} ${line.line}`;
    let unique = key;
    for (let i = 2; wanted.has(unique); i++) unique = `${key} ${i}`;
    wanted.set(unique, line);
  }
  return wanted;
}

function itemOf({ atMs, line, labels }, key, onTrace) {
  const item = element("li");
  item.dataset.key = key;
  item.append(element("span", `${clockTime(atMs)} `, "dim"));
  item.append(element("span", `${labels.service_name ?? ""} `, "dim"));
  const {
    event = line,
    level = "",
    service: _,
    trace_id: traceId,
    span_id: __,
    ...rest
  } = parsed(line);
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

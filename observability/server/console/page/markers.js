// What the lab's owner did, for the owner's eyes: faults and investigations, as lines in the charts
// and as a list.
import { clockTime, element } from "./api.js";
import { setMarkers } from "./charts.js";

const SHOWN = 20;

/**
 * With #owner=<token> in the address, the owner's markers are shown; without it the server does not
 * tell them.
 */
const token = new URLSearchParams(location.hash.slice(1)).get("owner");

/**
 * Brings the section `into` and the lines in the charts up to date; the latest marker stands first.
 */
export async function updateMarkers(into) {
  if (token === null) return;
  const response = await fetch("/owner/markers", {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(5000),
  });
  into.hidden = !response.ok;
  if (!response.ok) return;
  const markers = await response.json();
  setMarkers(markers);
  const latest = markers.toReversed().slice(0, SHOWN);
  into.querySelector("ol").replaceChildren(...latest.map(lineOf));
}

function lineOf({ time, endTime, kind, text }) {
  const item = element("li");
  const until = endTime === undefined ? "" : ` to ${clockTime(endTime)}`;
  item.append(
    element("span", `${clockTime(time)}${until} `, "dim"),
    element("b", `${kind} `, kind === "fault" ? "firing" : ""),
    text,
  );
  return item;
}

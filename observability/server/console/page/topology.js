// The services as a picture: who feeds whom, whether each runs, and how much goes through it.
import { clockTime, element, instant, svg } from "./api.js";

const BOX = { width: 168, height: 62 };
/**
 * Distances between the upper left corners of two boxes, and of the first one from the picture's.
 */
const STEP = { x: 210, y: 82, margin: 10 };
/** Space above the row of services that only listen. */
const ROW_GAP = 46;
const RATE = {
  sensor: 'sum by (instance) (rate(cms_sensor_published_total{job="cms-services"}[30s]))',
  "track-fusion": 'sum(rate(cms_fusion_published_total{job="cms-services"}[30s]))',
  "threat-evaluator": 'sum(rate(cms_threat_evaluated_total{job="cms-services"}[30s]))',
  "command-center": 'sum(rate(cms_orders_issued_total{job="cms-services"}[1m]))',
  "effector-manager": 'sum(rate(cms_engagement_transitions_total{job="cms-services"}[1m]))',
  "tactical-display": 'sum(rate(cms_display_received_total{job="cms-services"}[30s]))',
};

const boxes = new Map();

/**
 * Where each service's box goes: a service stands one column to the right of those that feed it.
 * Services that feed nobody stand in a row below the columns, from the middle on: their arrows come
 * from many sides.
 */
export function placesOf(services) {
  const feeders = services.filter(({ feeds }) => feeds.length > 0);
  const columnOf = new Map(feeders.map(({ name }) => [name, 0]));
  // As many rounds as there can be columns, so that a loop of services ends, too.
  for (const _ of feeders) {
    for (const { name, feeds } of feeders) {
      for (const other of feeds.filter((candidate) => columnOf.has(candidate))) {
        const column = Math.min(columnOf.get(name) + 1, feeders.length - 1);
        columnOf.set(other, Math.max(columnOf.get(other), column));
      }
    }
  }
  const columns = [];
  for (const [name, column] of columnOf) (columns[column] ??= []).push(name);
  const tallest = Math.max(1, ...columns.map((names) => names?.length ?? 0));
  const places = {};
  let bottom = 0;
  columns.forEach((names, column) => {
    names.forEach((name, row) => {
      const y = STEP.margin + ((tallest - names.length) / 2 + row) * STEP.y;
      places[name] = [STEP.margin + column * STEP.x, y];
      if (column > 0) bottom = Math.max(bottom, y + BOX.height);
    });
  });
  const listeners = services.filter(({ feeds }) => feeds.length === 0);
  const first = Math.max(1, Math.floor((columns.length - listeners.length) / 2));
  listeners.forEach(({ name }, i) => {
    places[name] = [STEP.margin + (first + i) * STEP.x, bottom + ROW_GAP];
  });
  return places;
}

/** Draws the picture once. */
export function drawTopology(into, services) {
  const places = placesOf(services);
  const corners = Object.values(places);
  const picture = svg("svg", {
    viewBox: `0 0 ${Math.max(...corners.map(([x]) => x)) + BOX.width + STEP.margin} ${Math.max(...corners.map(([, y]) => y)) + BOX.height + STEP.margin}`,
    role: "img",
    "aria-label": "Services and who feeds whom",
  });
  const arrow = svg("marker", {
    id: "arrow",
    viewBox: "0 0 8 8",
    refX: 8,
    refY: 4,
    markerWidth: 7,
    markerHeight: 7,
    orient: "auto",
  });
  arrow.append(svg("path", { d: "M0 0L8 4L0 8z" }));
  picture.append(arrow);
  const listeners = new Set(
    services.filter(({ feeds }) => feeds.length === 0).map(({ name }) => name),
  );
  for (const { name, feeds } of services) {
    for (const other of feeds) {
      const [x1, y1] = places[name];
      const [x2, y2] = places[other];
      const from = [x1 + BOX.width, y1 + BOX.height / 2];
      const to = [x2, y2 + BOX.height / 2];
      const bend = (from[0] + to[0]) / 2;
      // A service that only listens often hears everyone: its arrows are faint, so that they do not
      // hide the others.
      const kind = listeners.has(other) ? "edge faint" : "edge";
      picture.append(
        svg("path", {
          class: kind,
          d: `M${from[0]} ${from[1]}C${bend} ${from[1]} ${bend} ${to[1]} ${to[0]} ${to[1]}`,
          "marker-end": "url(#arrow)",
        }),
      );
    }
  }
  for (const { name, role } of services) {
    const [x, y] = places[name];
    const group = svg("g");
    group.append(svg("title", {}, role));
    group.append(svg("rect", { class: "box", x, y, rx: 7, ...BOX }));
    const lamp = svg("circle", { cx: x + 16, cy: y + 20, r: 5, class: "unreachable" });
    const state = svg("text", { class: "rate", x: x + 12, y: y + 50 }, "…");
    group.append(lamp, svg("text", { class: "name", x: x + 28, y: y + 25 }, name), state);
    picture.append(group);
    boxes.set(name, { lamp, state });
  }
  into.replaceChildren(picture);
}

/** Brings states and rates up to date. */
export async function updateTopology() {
  const [states, ups, sensors, ...rates] = await Promise.all([
    instant("container_state == 1"),
    instant('up{job="cms-services"}'),
    instant(RATE.sensor),
    ...Object.keys(RATE)
      .slice(1)
      .map((name) => instant(RATE[name]).then(([one]) => [name, one?.value])),
  ]);
  const rateOf = new Map(rates);
  for (const { labels, value } of sensors) rateOf.set(labels.instance.split(":")[0], value);
  for (const [name, { lamp, state }] of boxes) {
    const exited = states.some(({ labels }) => labels.name === name && labels.state === "exited");
    const up = ups.some(
      ({ labels, value }) => labels.instance.startsWith(`${name}:`) && value === 1,
    );
    const kind = exited ? "exited" : up ? "running" : "unreachable";
    const rate = rateOf.get(name);
    lamp.setAttribute("class", kind);
    state.textContent =
      kind === "running"
        ? rate === undefined
          ? "running"
          : `${rate.toFixed(rate < 1 ? 2 : 1)} /s`
        : kind;
  }
}

/** Shows the active alerts. */
export function showAlerts(into, alerts) {
  if (alerts.length === 0) {
    into.replaceChildren(element("li", "none", "dim"));
    return;
  }
  into.replaceChildren(
    ...alerts.map(({ labels, state, annotations, activeAt }) => {
      const kind = /pending/i.test(state) ? "pending" : "firing";
      const item = element("li");
      item.append(element("b", `${kind} `, kind));
      const since = clockTime(activeAt);
      item.append(
        `${labels.alertname}: ${annotations.description ?? annotations.summary ?? ""} (since ${since})`,
      );
      return item;
    }),
  );
}

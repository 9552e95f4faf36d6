// The services as a picture: who feeds whom, whether each runs, and how much goes through it.
import { clockTime, element, instant, svg } from "./api.js";

const BOX = { width: 168, height: 62 };
const PLACES = {
  "radar-sensor": [10, 10],
  "esm-sensor": [10, 92],
  "eo-sensor": [10, 174],
  "track-fusion": [220, 92],
  "threat-evaluator": [430, 92],
  "command-center": [640, 92],
  "effector-manager": [850, 92],
  "tactical-display": [430, 200],
};
const RATE = {
  sensor: 'sum by (instance) (rate(cms_sensor_published_total{job="cms-services"}[30s]))',
  "track-fusion": 'sum(rate(cms_fusion_published_total{job="cms-services"}[30s]))',
  "threat-evaluator": 'sum(rate(cms_threat_evaluated_total{job="cms-services"}[30s]))',
  "command-center": 'sum(rate(cms_orders_issued_total{job="cms-services"}[1m]))',
  "effector-manager": 'sum(rate(cms_engagement_transitions_total{job="cms-services"}[1m]))',
  "tactical-display": 'sum(rate(cms_display_received_total{job="cms-services"}[30s]))',
};

const boxes = new Map();

/** Draws the picture once. */
export function drawTopology(into, services) {
  const picture = svg("svg", {
    viewBox: "0 0 1030 275",
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
  for (const { name, feeds } of services) {
    for (const other of feeds) {
      const [x1, y1] = PLACES[name];
      const [x2, y2] = PLACES[other];
      const from = [x1 + BOX.width, y1 + BOX.height / 2];
      const to = [x2, y2 + BOX.height / 2];
      const bend = (from[0] + to[0]) / 2;
      // The display hears everyone; its arrows would hide the others, so they stay faint.
      const kind = other === "tactical-display" ? "edge faint" : "edge";
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
    const [x, y] = PLACES[name];
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

/** Draws the charts of the report as inline SVG. */
import type { Manifest } from "../run-record.ts";
import type { CalibrationBin, RiskCoverage } from "../calibration.ts";
import { html, type Html } from "./html.ts";

const WIDTH = 720;
const PLOT = { left: 56, right: 708, top: 66, bottom: 182 };
const HEIGHT = 210;

/** Label of each event in the chart; other events are omitted to save space. */
const SHOWN: Partial<Record<Manifest["timeline"][number]["name"], string>> = {
  inject: "fault in",
  signature: "signature",
  "alert-pending": "pending",
  "alert-firing": "firing",
  frozen: "frozen",
  "investigation-start": "investigated",
  heal: "healed",
  recovered: "recovered",
};

/** Draws the metric of a run over time, with its events. */
export function timeline({ metric, timeline: events }: Manifest): Html {
  const times = [...metric.points.map(([at]) => at), ...events.map(({ unixMs }) => unixMs)];
  if (metric.points.length < 2 || events.length === 0)
    return html`<p class="dim">No points of the metric were kept.</p>`;
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const top = Math.max(...metric.points.map(([, value]) => value), metric.threshold ?? 0) || 1;
  const x = (at: number): number =>
    PLOT.left + ((at - start) / Math.max(1, end - start)) * (PLOT.right - PLOT.left);
  const y = (value: number): number =>
    PLOT.bottom - (Math.max(0, value) / top) * (PLOT.bottom - PLOT.top);
  const path = metric.points
    .map(
      ([at, value], i) =>
        `${gap(metric.points, i) ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    .join("");
  const fault = band(events, x);
  return html`<svg
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    role="img"
    aria-label="${metric.title} over time"
  >
    ${fault}
    <path class="axis" d="M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}" />
    <text class="tick" x="${PLOT.left - 6}" y="${PLOT.top + 8}" text-anchor="end">
      ${short(top)}
    </text>
    <text class="tick" x="${PLOT.left - 6}" y="${PLOT.bottom}" text-anchor="end">0</text>
    <text class="tick" x="${PLOT.left}" y="${HEIGHT - 6}">0 s</text>
    <text class="tick" x="${PLOT.right}" y="${HEIGHT - 6}" text-anchor="end">
      ${Math.round((end - start) / 1000)} s
    </text>
    ${metric.threshold === null ? [] : [threshold(y(metric.threshold))]}
    <path class="line" d="${path}" />
    ${marks(events, x)}
  </svg>`;
}

/** Splits the line where the metric has a gap. */
function gap(points: Manifest["metric"]["points"], i: number): boolean {
  const before = points[i - 1]?.[0];
  return before === undefined || (points[i]?.[0] ?? 0) - before > 5000;
}

function threshold(at: number): Html {
  return html`<path class="threshold" d="M${PLOT.left} ${at.toFixed(1)}H${PLOT.right}" />`;
}

function band(events: Manifest["timeline"], x: (at: number) => number): Html[] {
  const at = (name: string): number | undefined =>
    events.find((event) => event.name === name)?.unixMs;
  const [from, to] = [at("inject"), at("heal")];
  if (from === undefined || to === undefined) return [];
  return [
    html`<rect
      class="fault"
      x="${x(from).toFixed(1)}"
      y="${PLOT.top}"
      width="${(x(to) - x(from)).toFixed(1)}"
      height="${PLOT.bottom - PLOT.top}"
    />`,
  ];
}

/** Width of a label, and the number of label rows. */
const LABEL_WIDTH = 74;
const LABEL_ROWS = 5;
const ROW_HEIGHT = 12;

/** Draws a line for each event; its label goes into the first row without an overlap. */
function marks(events: Manifest["timeline"], x: (at: number) => number): Html[] {
  const rowEnds = Array.from({ length: LABEL_ROWS }, () => Number.NEGATIVE_INFINITY);
  return events.flatMap(({ name, unixMs }) => {
    const label = SHOWN[name];
    if (label === undefined) return [];
    const at = x(unixMs);
    const atEnd = at > PLOT.right - LABEL_WIDTH;
    const from = atEnd ? at - LABEL_WIDTH : at;
    const free = rowEnds.findIndex((end) => end <= from);
    const row = free < 0 ? LABEL_ROWS - 1 : free;
    rowEnds[row] = from + LABEL_WIDTH;
    const baseline = 10 + row * ROW_HEIGHT;
    return [
      html`<path class="mark" d="M${at.toFixed(1)} ${baseline + 2}V${PLOT.bottom}" />
        <text
          class="tick"
          x="${(at + (atEnd ? -3 : 3)).toFixed(1)}"
          y="${baseline}"
          text-anchor="${atEnd ? "end" : "start"}"
          >${label}</text
        >`,
    ];
  });
}

function short(value: number): string {
  if (value >= 1e6) return `${Math.round(value / 1e6)}M`;
  return String(Number(value.toPrecision(2)));
}

/**
 * Plots the share of right answers against the stated confidence; the diagonal is perfect
 * calibration.
 */
export function calibrationPlot(bins: readonly CalibrationBin[]): Html {
  const size = 220;
  const [from, to] = [34, size - 12];
  const at = (share: number): number => from + share * (to - from);
  const dots = bins.map(
    ({ confidence, accuracy, n }) =>
      html`<circle
        class="dot"
        cx="${at(confidence).toFixed(1)}"
        cy="${(size - at(accuracy)).toFixed(1)}"
        r="${Math.min(12, 4 + Math.sqrt(n)).toFixed(1)}"
        ><title>
          ${n} answers, said ${Math.round(confidence * 100)} %, right ${Math.round(accuracy * 100)}
          %
        </title></circle
      >`,
  );
  return html`<svg class="square" viewBox="0 0 ${size} ${size}" role="img" aria-label="Calibration">
    <path class="axis" d="M${from} ${size - to}V${size - from}H${to}" />
    <path class="threshold" d="M${from} ${size - from}L${to} ${size - to}" />
    ${dots}
    <text class="tick" x="${from}" y="${size - 20}">0 %</text>
    <text class="tick" x="${to}" y="${size - 20}" text-anchor="end">100 %</text>
    <text class="tick" x="${from - 4}" y="${size - from}" text-anchor="end">0</text>
    <text class="tick" x="${to}" y="${size - 6}" text-anchor="end">stated confidence →</text>
    <text
      class="tick"
      x="${from - 12}"
      y="${size - to}"
      text-anchor="end"
      transform="rotate(-90 ${from - 12} ${size - to})"
    >
      how often right →
    </text>
  </svg>`;
}

/**
 * Plots the share of wrong answers among the most confident ones against their share of all
 * examinations. The dotted line ends the answered part.
 */
export function riskPlot({ points }: RiskCoverage): Html {
  const size = 220;
  const [from, to] = [34, size - 12];
  const x = (share: number): number => from + share * (to - from);
  const y = (share: number): number => size - x(share);
  const place = ({ coverage, risk }: RiskCoverage["points"][number]): string =>
    `${x(coverage).toFixed(1)} ${y(risk).toFixed(1)}`;
  const [first] = points;
  const last = points.at(-1);
  const path =
    first === undefined
      ? ""
      : `M${x(0).toFixed(1)} ${y(first.risk).toFixed(1)}${points.map((point) => `L${place(point)}`).join("")}`;
  const end =
    last === undefined || last.coverage === 1
      ? []
      : [html`<path class="threshold" d="M${x(last.coverage).toFixed(1)} ${y(0)}V${y(1)}" />`];
  return html`<svg
    class="square"
    viewBox="0 0 ${size} ${size}"
    role="img"
    aria-label="Risk over coverage"
  >
    <path class="axis" d="M${from} ${size - to}V${size - from}H${to}" />
    ${end}
    <path class="line" d="${path}" />
    ${points.map(
      (point) =>
        html`<circle
          class="dot"
          cx="${x(point.coverage).toFixed(1)}"
          cy="${y(point.risk).toFixed(1)}"
          r="4"
          ><title>
            the surest ${Math.round(point.coverage * 100)} %: ${Math.round(point.risk * 100)} %
            wrong
          </title></circle
        >`,
    )}
    <text class="tick" x="${from - 4}" y="${size - from}" text-anchor="end">0</text>
    <text class="tick" x="${to}" y="${size - 20}" text-anchor="end">100 %</text>
    <text class="tick" x="${to}" y="${size - 6}" text-anchor="end">share answered →</text>
    <text
      class="tick"
      x="${from - 12}"
      y="${size - to}"
      text-anchor="end"
      transform="rotate(-90 ${from - 12} ${size - to})"
    >
      wrong, up to all →
    </text>
  </svg>`;
}

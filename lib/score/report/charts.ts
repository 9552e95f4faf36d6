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

const SIZE = 220;
const FROM = 34;
const TO = SIZE - 12;
const acrossOf = (share: number): string => (FROM + share * (TO - FROM)).toFixed(1);
const upOf = (share: number): string => (SIZE - FROM - share * (TO - FROM)).toFixed(1);

/** A square plot of one share against another. */
function sharePlot(name: string, across: string, up: string, content: readonly Html[]): Html {
  return html`<svg class="square" viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label="${name}">
    <path class="axis" d="M${FROM} ${SIZE - TO}V${SIZE - FROM}H${TO}" />
    ${content}
    <text class="tick" x="${FROM - 4}" y="${SIZE - FROM}" text-anchor="end">0</text>
    <text class="tick" x="${TO}" y="${SIZE - 20}" text-anchor="end">100 %</text>
    <text class="tick" x="${TO}" y="${SIZE - 6}" text-anchor="end">${across} →</text>
    <text
      class="tick"
      x="${FROM - 12}"
      y="${SIZE - TO}"
      text-anchor="end"
      transform="rotate(-90 ${FROM - 12} ${SIZE - TO})"
    >
      ${up} →
    </text>
  </svg>`;
}

const dot = (x: number, y: number, radius: number, title: string): Html =>
  html`<circle class="dot" cx="${acrossOf(x)}" cy="${upOf(y)}" r="${radius.toFixed(1)}"
    ><title>${title}</title></circle
  >`;

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/**
 * Plots the share of right answers against the stated confidence; the diagonal is perfect
 * calibration.
 */
export const calibrationPlot = (bins: readonly CalibrationBin[]): Html =>
  sharePlot("Calibration", "stated confidence", "how often right", [
    html`<path class="threshold" d="M${FROM} ${SIZE - FROM}L${TO} ${SIZE - TO}" />
      <text class="tick" x="${FROM}" y="${SIZE - 20}">0 %</text>`,
    ...bins.map(({ confidence, accuracy, n }) =>
      dot(
        confidence,
        accuracy,
        Math.min(12, 4 + Math.sqrt(n)),
        `${n} answers, said ${percent(confidence)}, right ${percent(accuracy)}`,
      ),
    ),
  ]);

/**
 * Plots the share of wrong answers among the most confident ones against their share of all
 * examinations. The dotted line ends the answered part.
 */
export function riskPlot({ points }: RiskCoverage): Html {
  const [first] = points;
  const last = points.at(-1);
  const line = points.map(({ coverage, risk }) => `L${acrossOf(coverage)} ${upOf(risk)}`).join("");
  const path = first === undefined ? "" : `M${acrossOf(0)} ${upOf(first.risk)}${line}`;
  const end =
    last === undefined || last.coverage === 1
      ? []
      : [html`<path class="threshold" d="M${acrossOf(last.coverage)} ${upOf(0)}V${upOf(1)}" />`];
  return sharePlot("Risk over coverage", "share answered", "wrong, up to all", [
    ...end,
    html`<path class="line" d="${path}" />`,
    ...points.map(({ coverage, risk }) =>
      dot(coverage, risk, 4, `the surest ${percent(coverage)}: ${percent(risk)} wrong`),
    ),
  ]);
}

// Live charts of what matters, each with its alert's limit in the picture, and, for the owner, the
// markers.
import uPlot from "./uplot.js";
import { clockTime, element, range } from "./api.js";

const SECONDS = 600;
const STEP = 5;
const HEIGHT = 150;
/** Names of colours of the style sheet, which has them for both themes. */
const COLOURS = ["--series-1", "--series-2", "--series-3"];

const CHARTS = [
  {
    title: "Source tracks per second, by sensor",
    query: 'sum by (sensor_id) (rate(cms_sensor_published_total{job="cms-services"}[15s]))',
    label: "sensor_id",
    uid: "sensor-flood",
  },
  {
    title: "Fusion latency, 95th percentile, ms",
    query:
      "1000 * histogram_quantile(0.95, sum(rate(cms_fusion_processing_seconds_bucket[1m])) by (le))",
    uid: "fusion-latency-high",
    scale: 1000,
    // From half a millisecond in health to half a minute in need.
    logarithmic: [0.1, 1000],
  },
  {
    title: "Source tracks waiting in fusion",
    query: 'cms_fusion_queue_depth{job="cms-services"}',
    uid: "fusion-queue-deep",
  },
  {
    title: "Memory of fusion, MB",
    query: 'cms_fusion_memory_bytes{job="cms-services"} / 1e6',
    uid: "fusion-memory-elevated",
    scale: 1e-6,
  },
  {
    title: "Contributors removed in two minutes",
    query: 'sum(increase(cms_fusion_contributors_changed_total{change="removed"}[2m]))',
    uid: "fusion-contributors-dropped",
  },
  {
    title: "Tactical tracks",
    query: 'max(cms_fusion_active_tracks{job="cms-services"})',
    uid: "tactical-tracks-collapsed",
    // The rule counts what is missing of the three.
    limitOf: (missing) => 3 - missing,
    below: true,
  },
];

let markers = [];

/** Markers to draw: [{ time (ms), text }]. */
export function setMarkers(list) {
  markers = list;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Lines for the limit and the markers, over the plot. */
function overlay(limit) {
  return {
    hooks: {
      draw: [
        (plot) => {
          const { ctx, bbox } = plot;
          ctx.save();
          ctx.setLineDash([5, 4]);
          ctx.lineWidth = 1.5;
          if (limit !== undefined) {
            const y = plot.valToPos(limit, "y", true);
            ctx.strokeStyle = colour("--bad");
            ctx.beginPath();
            ctx.moveTo(bbox.left, y);
            ctx.lineTo(bbox.left + bbox.width, y);
            ctx.stroke();
          }
          for (const { time, kind } of markers) {
            const x = plot.valToPos(time / 1000, "x", true);
            if (x < bbox.left || x > bbox.left + bbox.width) continue;
            ctx.strokeStyle = colour(kind === "fault" ? "--bad" : "--accent");
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
          }
          ctx.restore();
        },
      ],
    },
  };
}

const plots = [];

/** Makes the charts; `thresholds` come from the alert rules. */
export function makeCharts(into, thresholds) {
  for (const chart of CHARTS) {
    const found = thresholds.find(({ uid }) => uid === chart.uid);
    const { scale = 1, limitOf = (limit) => limit * scale } = chart;
    const limit = found === undefined ? undefined : limitOf(found.limit);
    const figure = element("figure");
    const caption = element("figcaption", chart.title);
    if (limit !== undefined) {
      caption.append(
        element("span", ` alert ${chart.below ? "below" : "above"} ${limit}`, "limit"),
      );
    }
    figure.append(caption);
    const box = element("div");
    figure.append(box);
    into.append(figure);
    plots.push({ chart, box, limit, plot: undefined, names: "" });
  }
}

/** Asks for the last ten minutes again and redraws. */
export async function updateCharts() {
  await Promise.all(plots.map(updateOne));
}

async function updateOne(entry) {
  const { chart, box, limit } = entry;
  const series = await range(chart.query, SECONDS, STEP);
  const end = Math.floor(Date.now() / 1000 / STEP) * STEP;
  const times = Array.from({ length: SECONDS / STEP + 1 }, (_, i) => end - SECONDS + i * STEP);
  const columns = series.map(({ points }) => {
    const at = new Map(points);
    return times.map((time) => at.get(time) ?? null);
  });
  const names = series.map(({ labels }) => labels[chart.label] ?? "now");
  if (entry.plot === undefined || entry.names !== names.join()) {
    entry.plot?.destroy();
    entry.names = names.join();
    const ink = colour("--dim");
    const axis = { stroke: ink, grid: { stroke: "#80808022" }, ticks: { stroke: "#80808022" } };
    const hours = { ...axis, values: (_, ticks) => ticks.map((at) => clockTime(at * 1000, 5)) };
    entry.plot = new uPlot(
      {
        width: Math.max(280, box.clientWidth),
        height: HEIGHT,
        cursor: { y: false },
        scales: { y: scaleOf(chart, limit) },
        axes: [hours, { ...axis, size: 52, ...ticksOf(chart) }],
        series: [
          { value: shown((at) => clockTime(at * 1000)) },
          ...names.map((label, i) => ({
            value: shown((value) => String(Number(value.toPrecision(4)))),
            label,
            stroke: colour(COLOURS[i % COLOURS.length]),
            width: 1.75,
          })),
        ],
        plugins: [overlay(limit)],
      },
      [times, ...columns],
      box,
    );
  } else entry.plot.setData([times, ...columns]);
}

/** The limit is always in the picture: how far away it is says as much as the value. */
function scaleOf({ logarithmic }, limit = 0) {
  if (logarithmic === undefined) {
    return { range: (_, __, max) => [0, Math.max(max ?? 0, limit, 1) * 1.15] };
  }
  const [low, high] = logarithmic;
  return {
    distr: 3,
    range: (_, min, max) => [
      Math.min(low, 10 ** Math.floor(Math.log10(min || low))),
      Math.max(high, 10 ** Math.ceil(Math.log10(max || high))),
    ],
  };
}

/**
 * What the legend says: the value under the pointer; without one, that of the last quarter of a
 * minute, if there is one.
 */
const shown = (format) => (plot, value, column, at) => {
  const isIdle = at === null || at === undefined;
  const said = isIdle ? plot.data[column].slice(-4).findLast((v) => v !== null) : value;
  return said === null || said === undefined ? "–" : format(said);
};

/** A logarithmic axis has a line for each power of ten, and none between. */
function ticksOf({ logarithmic }) {
  if (logarithmic === undefined) return {};
  return {
    splits: (_, __, min, max) => {
      const first = Math.ceil(Math.log10(min) - 1e-9);
      const count = Math.floor(Math.log10(max) + 1e-9) - first + 1;
      return Array.from({ length: count }, (___, i) => 10 ** (first + i));
    },
    filter: (_, splits) => splits,
    values: (_, ticks) => ticks.map((value) => String(Number(value.toPrecision(1)))),
  };
}

/** Fits the charts to the window. */
export function resizeCharts() {
  for (const { plot, box } of plots) {
    plot?.setSize({ width: Math.max(280, box.clientWidth), height: HEIGHT });
  }
}

/** Makes them anew, for another theme. */
export function redrawCharts() {
  for (const entry of plots) entry.names = "";
  return updateCharts();
}

// Live charts of what matters, with the alerts' limits and, for the owner, the markers.
import uPlot from "./uplot.js";
import { element, range } from "./api.js";

const SECONDS = 600;
const STEP = 5;
const HEIGHT = 150;
const COLOURS = ["#62b0ff", "#e8b949", "#4fc78a", "#c792ea"];

const CHARTS = [
  {
    title: "Source tracks per second, by sensor",
    query: 'sum by (sensor_id) (rate(cms_sensor_published_total{job="cms-services"}[15s]))',
    label: "sensor_id",
    uid: "sensor-flood",
  },
  {
    title: "Fusion latency, 95th percentile, s",
    query: "histogram_quantile(0.95, sum(rate(cms_fusion_processing_seconds_bucket[1m])) by (le))",
    uid: "fusion-latency-high",
    floor: 0.01,
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
  },
];

let markers = [];

/** Markers to draw: [{ time (ms), text }]. */
export function setMarkers(list) {
  markers = list;
}

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
          if (limit !== undefined && limit > plot.scales.y.min && limit < plot.scales.y.max) {
            const y = plot.valToPos(limit, "y", true);
            ctx.strokeStyle = "#ff6f6f";
            ctx.beginPath();
            ctx.moveTo(bbox.left, y);
            ctx.lineTo(bbox.left + bbox.width, y);
            ctx.stroke();
          }
          for (const { time, kind } of markers) {
            const x = plot.valToPos(time / 1000, "x", true);
            if (x < bbox.left || x > bbox.left + bbox.width) continue;
            ctx.strokeStyle = kind === "fault" ? "#ff6f6f" : "#8aa0b0";
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
    const limit = found === undefined ? undefined : found.limit * (chart.scale ?? 1);
    const figure = element("figure");
    const shown = limit === undefined ? "" : ` (alert beyond ${limit})`;
    figure.append(element("figcaption", `${chart.title}${shown}`));
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
  // A quiet metric gets a scale of its own kind instead of one of a thousandth.
  const floor = chart.floor ?? 1;
  const series = await range(chart.query, SECONDS, STEP);
  const end = Math.floor(Date.now() / 1000 / STEP) * STEP;
  const times = Array.from({ length: SECONDS / STEP + 1 }, (_, i) => end - SECONDS + i * STEP);
  const columns = series.map(({ points }) => {
    const at = new Map(points);
    return times.map((time) => at.get(time) ?? null);
  });
  const names = series.map(({ labels }) => labels[chart.label] ?? "value");
  if (entry.plot === undefined || entry.names !== names.join()) {
    entry.plot?.destroy();
    entry.names = names.join();
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--dim").trim();
    const axis = { stroke: ink, grid: { stroke: "#80808022" }, ticks: { stroke: "#80808022" } };
    entry.plot = new uPlot(
      {
        width: Math.max(280, box.clientWidth),
        height: HEIGHT,
        legend: { show: names.length > 1 },
        cursor: { y: false },
        scales: { y: { range: (_, __, max) => [0, Math.max(max ?? 0, floor) * 1.15] } },
        axes: [axis, { ...axis, size: 52 }],
        series: [
          {},
          ...names.map((label, i) => ({ label, stroke: COLOURS[i % COLOURS.length], width: 1.5 })),
        ],
        plugins: [overlay(limit)],
      },
      [times, ...columns],
      box,
    );
  } else entry.plot.setData([times, ...columns]);
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

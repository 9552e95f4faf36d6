/**
 * Measures the cost of a detection by number of targets: the cost per second should grow linearly
 * with their number.
 */
import { writeFileSync } from "node:fs";
import { type Figure, figure } from "../../../lib/base/figure.ts";
import { runOwn } from "./reference.ts";
import { makeCrowd } from "./scenes.ts";

const COUNTS = [3, 10, 30, 100, 300, 1000];
/**
 * Each scene has about as many detections as the largest one in two seconds, so that all counts are
 * measured equally long.
 */
const DETECTIONS = 60_000;
const MAX_DURATION_S = 300;

interface Cost {
  readonly targets: number;
  /** Processor time for each detection, microseconds. */
  readonly us: number;
  /** Share of one core that the tracker needs at the sensors' rates. */
  readonly share: number;
}

export function costFigures(plotPath: string | undefined): Figure[] {
  const costs = COUNTS.map(costOf);
  if (plotPath !== undefined) writeFileSync(plotPath, plot(costs));
  const first = costs[0]?.us;
  return costs.flatMap(({ targets, us, share }) => [
    figure(`${targets} targets: processor time for a detection`, us, "us", first),
    figure(`${targets} targets: share of a core`, share, "1"),
  ]);
}

function costOf(targets: number): Cost {
  const durationS = Math.min(MAX_DURATION_S, Math.max(2, DETECTIONS / (targets * 15.4)));
  const scene = makeCrowd(targets, 1, durationS);
  const seconds = runOwn(scene).cpuSeconds;
  return {
    targets,
    us: (seconds * 1e6) / scene.detections.length,
    share: seconds / durationS,
  };
}

/** Both axes are logarithmic: linear growth has the slope of the dashed line. */
function plot(costs: readonly Cost[]): string {
  const [width, height, margin] = [640, 400, 60];
  const first = costs[0];
  const last = costs.at(-1);
  if (first === undefined || last === undefined) return "";
  const slope = (cost: Cost): number => first.share * (cost.targets / first.targets);
  const low = Math.min(first.share, ...costs.map(({ share }) => share)) / 2;
  const high = Math.max(last.share, slope(last)) * 2;
  const scale = (value: number, from: number, to: number): number =>
    Math.log(value / from) / Math.log(to / from);
  const x = (targets: number): number =>
    margin + scale(targets, first.targets, last.targets) * (width - 2 * margin);
  const y = (share: number): number =>
    height - margin - scale(share, low, high) * (height - 2 * margin);
  const path = (of: (cost: Cost) => number): string =>
    costs.map((cost) => `${x(cost.targets).toFixed(1)},${y(of(cost)).toFixed(1)}`).join(" ");
  const label = (at: number, top: number, text: string, anchor = "middle"): string =>
    `<text x="${at.toFixed(1)}" y="${top.toFixed(1)}" text-anchor="${anchor}">${text}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<polyline points="${path(slope)}" fill="none" stroke="gray" stroke-dasharray="5 4"/>`,
    `<polyline points="${path(({ share }) => share)}" fill="none" stroke="#06c" stroke-width="2"/>`,
    ...costs.map(({ targets, share }) =>
      [
        `<circle cx="${x(targets).toFixed(1)}" cy="${y(share).toFixed(1)}" r="3" fill="#06c"/>`,
        label(x(targets), height - margin + 18, String(targets)),
        label(x(targets), y(share) - 8, `${(share * 100).toPrecision(2)} %`),
      ].join(""),
    ),
    label(width / 2, height - 14, "targets, three sensors at their rates"),
    label(margin, margin - 26, "share of one core for tracking; dashed: linear", "start"),
    "</svg>\n",
  ].join("\n");
}

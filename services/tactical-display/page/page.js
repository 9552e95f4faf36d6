// Draws the picture twice a second. All text from the picture is set as text, never as markup.
const REFRESH_MS = 500;
const RANGE_M = 75_000;
const RING_M = 15_000;
const TRAIL_POINTS = 120;

const canvas = document.getElementById("plot");
const pen = canvas.getContext("2d");
const rows = document.getElementById("tracks");
const state = document.getElementById("state");
const trails = new Map();
const symbols = new Map();
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** MIL-STD-2525: hostile air tracks, missiles with their own symbol. */
function symbolOf(classification) {
  if (!symbols.has(classification)) {
    const code = { MISSILE: "SHAPWM----", AIRCRAFT: "SHAPMF----" }[classification] ?? "SHAP------";
    symbols.set(classification, new window.ms.Symbol(code, { size: 26 }).asCanvas(2));
  }
  return symbols.get(classification);
}

const onPlot = ({ x, y }) => {
  const half = canvas.width / 2;
  return [half + (x / RANGE_M) * half, half - (y / RANGE_M) * half];
};

function drawGrid() {
  const half = canvas.width / 2;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = css("--line");
  pen.fillStyle = css("--dim");
  pen.font = "14px system-ui, sans-serif";
  for (let r = RING_M; r <= RANGE_M; r += RING_M) {
    pen.beginPath();
    pen.arc(half, half, (r / RANGE_M) * half, 0, 2 * Math.PI);
    pen.stroke();
    pen.fillText(`${r / 1000} km`, half + 4, half - (r / RANGE_M) * half + 16);
  }
  pen.beginPath();
  pen.moveTo(half, 0);
  pen.lineTo(half, canvas.height);
  pen.moveTo(0, half);
  pen.lineTo(canvas.width, half);
  pen.stroke();
}

function drawTrack(track) {
  const [x, y] = onPlot(track.position);
  const trail = trails.get(track.track_id) ?? [];
  trail.push([x, y]);
  if (trail.length > TRAIL_POINTS) trail.shift();
  trails.set(track.track_id, trail);
  const colour = css(`--${(track.threat?.level ?? "LOW").toLowerCase()}`);
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.5;
  pen.beginPath();
  trail.forEach(([px, py], i) => (i === 0 ? pen.moveTo(px, py) : pen.lineTo(px, py)));
  pen.stroke();
  pen.globalAlpha = 1;
  const icon = symbolOf(track.classification);
  pen.drawImage(icon, x - icon.width / 4, y - icon.height / 4, icon.width / 2, icon.height / 2);
  // Near the right edge the label stands on the symbol's other side.
  const flipped = x > canvas.width * 0.8;
  pen.textAlign = flipped ? "right" : "left";
  const labelX = flipped ? x - 22 : x + 22;
  pen.fillStyle = colour;
  pen.fillText(`${track.track_id} ${track.threat?.level ?? ""}`, labelX, y - 12);
  pen.fillStyle = css("--dim");
  pen.fillText(track.engagement?.status ?? "", labelX, y + 6);
  pen.textAlign = "left";
}

function cell(row, text, className) {
  const td = row.insertCell();
  td.textContent = text;
  if (className) td.className = className;
}

function showRow(track) {
  const row = rows.insertRow();
  const speed = Math.hypot(track.velocity.x, track.velocity.y, track.velocity.z);
  cell(row, track.track_id);
  cell(row, track.classification);
  cell(row, track.threat?.level ?? "–", track.threat?.level);
  cell(row, `${Math.round(speed)} m/s`);
  cell(row, `${Math.round(track.position.z)} m`);
  cell(row, track.contributing_sensors.join(", "));
  cell(
    row,
    track.order === null ? "–" : `${track.order.action} ${Math.round(track.order.age_seconds)} s`,
  );
  cell(
    row,
    track.engagement === null
      ? "–"
      : `${track.engagement.status} ${Math.round(track.engagement.age_seconds)} s`,
  );
  cell(row, `${track.age_seconds.toFixed(1)} s`);
}

async function refresh() {
  try {
    const response = await fetch("/api/picture", { signal: AbortSignal.timeout(2000) });
    const picture = await response.json();
    drawGrid();
    rows.replaceChildren();
    for (const track of picture.tracks) {
      drawTrack(track);
      showRow(track);
    }
    const known = new Set(picture.tracks.map((track) => track.track_id));
    for (const id of trails.keys()) if (!known.has(id)) trails.delete(id);
    state.textContent = `${picture.track_count} tracks as of ${picture.as_of.slice(11, 19)} UTC`;
    state.className = "";
  } catch {
    state.textContent = "no connection to the display service; trying again";
    state.className = "lost";
  }
  setTimeout(refresh, REFRESH_MS);
}

await refresh();

// The page: builds the parts once and brings them up to date until the window closes.
import { clockTime, element, get } from "./api.js";
import { makeCharts, redrawCharts, resizeCharts, updateCharts } from "./charts.js";
import { updateLog } from "./logs.js";
import { updateMarkers } from "./markers.js";
import { drawTopology, showAlerts, updateTopology } from "./topology.js";
import { drawTrace, search } from "./traces.js";

const REFRESH_MS = 3000;
const by = (id) => document.getElementById(id);

const theme = by("theme");
const chosen = localStorage.getItem("theme");
const isLight =
  chosen === null ? matchMedia("(prefers-color-scheme: light)").matches : chosen === "light";
document.documentElement.classList.toggle("light", isLight);
theme.addEventListener("click", () => {
  const nowLight = document.documentElement.classList.toggle("light");
  localStorage.setItem("theme", nowLight ? "light" : "dark");
  void redrawCharts();
});
addEventListener("resize", resizeCharts);

const openTrace = (id) =>
  drawTrace(by("waterfall"), id).catch((error) =>
    by("waterfall").replaceChildren(element("p", error.message, "firing")),
  );
by("trace-search").addEventListener("submit", (event) => {
  event.preventDefault();
  search(by("found"), by("traceql").value, openTrace).catch((error) =>
    by("found").replaceChildren(element("li", error.message, "firing")),
  );
});
by("log-filter").addEventListener("submit", (event) => event.preventDefault());
by("log-filter").addEventListener("input", () => void refresh());

async function build() {
  const { services, thresholds } = await get("/console/facts.json");
  drawTopology(by("topology"), services);
  makeCharts(by("charts"), thresholds);
  by("log-service").append(
    new Option("all", ""),
    ...services.map(({ name }) => new Option(name, name)),
  );
}

let built = false;
let refreshing = false;
/** Whether a filter changed while the answers of before were still on their way. */
let again = false;

async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  again = false;
  const state = by("state");
  try {
    if (!built) await build();
    built = true;
    await updateMarkers(by("markers"));
    const filters = {
      service: by("log-service").value,
      level: by("log-level").value,
      text: by("log-text").value,
    };
    const [alerts] = await Promise.all([
      get("/api/prometheus/grafana/api/v1/alerts"),
      updateTopology(),
      updateCharts(),
      updateLog(by("log"), filters, openTrace),
    ]);
    showAlerts(by("alerts"), alerts.data.alerts);
    state.textContent = `live, as of ${clockTime(Date.now())}`;
    state.className = "";
  } catch (error) {
    state.textContent = `no connection to the lab, trying again (${error.message})`;
    state.className = "lost";
  } finally {
    refreshing = false;
  }
  if (again) await refresh();
}

await refresh();
setInterval(() => void refresh(), REFRESH_MS);

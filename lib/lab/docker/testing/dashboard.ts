/** The queries of the provisioned Grafana dashboard. */
import { readFileSync } from "node:fs";

export interface DashboardQuery {
  readonly panel: string;
  /** uid of its data source. */
  readonly source: string;
  readonly query: string;
}

interface Panel {
  readonly title: string;
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets: readonly {
    readonly datasource: { readonly uid: string };
    readonly expr?: string;
    readonly query?: string;
  }[];
}

const FILE = "observability/grafana/provisioning/dashboards/cms.json";

export function readDashboard(root: string): {
  readonly panels: readonly Panel[];
  readonly queries: readonly DashboardQuery[];
} {
  const { panels } = JSON.parse(readFileSync(`${root}/${FILE}`, "utf8")) as { panels: Panel[] };
  const queries = panels.flatMap(({ title, targets }) =>
    targets.map(({ datasource, expr, query }) => ({
      panel: title,
      source: datasource.uid,
      query: expr ?? query ?? "",
    })),
  );
  return { panels, queries };
}

/**
 * Global nearest neighbour: assigns measurements of a scan to tracks with the least total cost.
 *
 * The assignment problem is solved by shortest augmenting paths: Jonker and Volgenant, "A shortest
 * augmenting path algorithm for dense and sparse linear assignment problems", Computing 38 (1987);
 * rectangular form as in Crouse, "On implementing 2D rectangular assignment algorithms", IEEE
 * Transactions on Aerospace and Electronic Systems 52 (2016). Gating splits the problem into
 * clusters that are solved separately: Blackman and Popoli, "Design and Analysis of Modern Tracking
 * Systems" (1999), 6.4.
 */

/** A measurement and a track that may belong together. */
export interface Pair {
  readonly measurement: number;
  readonly track: number;
  readonly cost: number;
}

/**
 * Returns the assigned measurement of each track. A measurement or a track is in at most one pair
 * of the result; a measurement without a track costs `unassignedCost`.
 */
export function assign(pairs: readonly Pair[], unassignedCost: number): Map<number, number> {
  const result = new Map<number, number>();
  for (const cluster of clusters(pairs)) {
    const [only] = cluster;
    if (cluster.length === 1 && only !== undefined) {
      if (only.cost < unassignedCost) result.set(only.track, only.measurement);
      continue;
    }
    for (const { track, measurement } of solveCluster(cluster, unassignedCost)) {
      result.set(track, measurement);
    }
  }
  return result;
}

/** Groups pairs that share a measurement or a track, directly or through others. */
export function clusters(pairs: readonly Pair[]): Pair[][] {
  // A forest over both kinds of node; measurements have even numbers, tracks odd ones.
  const parent = new Map<number, number>();
  const rootOf = (node: number): number => {
    let root = node;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root))
      root = up;
    for (let at = node; at !== root;) {
      const up = parent.get(at) ?? root;
      parent.set(at, root);
      at = up;
    }
    return root;
  };
  for (const { measurement, track } of pairs) {
    parent.set(rootOf(2 * measurement), rootOf(2 * track + 1));
  }
  const groups = new Map<number, Pair[]>();
  for (const pair of pairs) {
    const root = rootOf(2 * pair.measurement);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [pair]);
    else group.push(pair);
  }
  return [...groups.values()];
}

function solveCluster(cluster: readonly Pair[], unassignedCost: number): Pair[] {
  const rows = [...new Set(cluster.map(({ measurement }) => measurement))];
  const columns = [...new Set(cluster.map(({ track }) => track))];
  const rowOf = new Map(rows.map((measurement, i) => [measurement, i]));
  const columnOf = new Map(columns.map((track, i) => [track, i]));
  const width = columns.length + rows.length;
  // Each measurement has its own column for "no track"; pairs outside of the gate cost more than
  // any solution.
  const forbidden = (unassignedCost + 1) * (rows.length + 1);
  const costs = rows.map((_, i) => {
    const row = new Float64Array(width).fill(forbidden);
    row[columns.length + i] = unassignedCost;
    return row;
  });
  for (const { measurement, track, cost } of cluster) {
    const row = costs[rowOf.get(measurement) ?? 0];
    if (row !== undefined) row[columnOf.get(track) ?? 0] = cost;
  }
  const chosen = solve(costs);
  return cluster.filter(
    ({ measurement, track }) => chosen[rowOf.get(measurement) ?? 0] === columnOf.get(track),
  );
}

/**
 * Returns the column of each row in the cheapest assignment of all rows; there must be at least as
 * many columns as rows.
 */
export function solve(costs: readonly Float64Array[]): Int32Array {
  const width = costs[0]?.length ?? 0;
  const rowOfColumn = new Int32Array(width).fill(-1);
  const columnOfRow = new Int32Array(costs.length).fill(-1);
  // Dual variables: the reduced cost is zero for assigned pairs and not negative for others.
  const rowPrice = new Float64Array(costs.length);
  const columnPrice = new Float64Array(width);
  for (let start = 0; start < costs.length; start++) {
    const shortest = new Float64Array(width).fill(Infinity);
    const cameFrom = new Int32Array(width).fill(-1);
    const isDone = new Uint8Array(width);
    const doneRows = [start];
    let row = start;
    let length = 0;
    let sink = -1;
    while (sink === -1) {
      const rowCosts = costs[row] ?? new Float64Array();
      let nearest = -1;
      for (let column = 0; column < width; column++) {
        if (isDone[column] === 1) continue;
        const reduced = length + at(rowCosts, column) - at(rowPrice, row) - at(columnPrice, column);
        if (reduced < at(shortest, column)) {
          shortest[column] = reduced;
          cameFrom[column] = row;
        }
        if (nearest === -1 || at(shortest, column) < at(shortest, nearest)) nearest = column;
      }
      length = at(shortest, nearest);
      isDone[nearest] = 1;
      const owner = rowOfColumn[nearest] ?? -1;
      if (owner === -1) sink = nearest;
      else doneRows.push((row = owner));
    }
    for (const done of doneRows) {
      const column = columnOfRow[done] ?? -1;
      rowPrice[done] = at(rowPrice, done) + length - (column === -1 ? 0 : at(shortest, column));
    }
    for (let column = 0; column < width; column++) {
      if (isDone[column] === 1) {
        columnPrice[column] = at(columnPrice, column) - length + at(shortest, column);
      }
    }
    // Inverts the path: every row on it gets the column through which the path left it.
    for (let column = sink; column !== -1;) {
      const owner = cameFrom[column] ?? -1;
      rowOfColumn[column] = owner;
      const next = columnOfRow[owner] ?? -1;
      columnOfRow[owner] = column;
      column = owner === start ? -1 : next;
    }
  }
  return columnOfRow;
}

const at = (values: Float64Array, index: number): number => values[index] ?? 0;

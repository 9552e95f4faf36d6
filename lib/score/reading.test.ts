import { describe, expect, test } from "bun:test";
import { readingsOf, undone } from "./reading.ts";

/** The series values that a query's value 6 can mean, with how they were measured. */
function read(query: string): readonly string[] | undefined {
  return readingsOf(query)?.map((each) =>
    each.kind === "constant"
      ? `constant ${each.value}`
      : `${each.metric ?? "any"} ${each.measure} ${undone(each, 6)}${each.least ? " least" : ""}`,
  );
}

describe("what a query reads", () => {
  const cases: readonly (readonly [string, readonly string[] | undefined])[] = [
    // Selections, aggregations and filters return values of series.
    ["up", ["up value 6"]],
    ['{__name__="up",job="a"}', ["up value 6"]],
    ['{__name__=~"up|down"}', ["any value 6"]],
    ["sum by (a) (up)", ["up value 6"]],
    ["min(up)", ["up value 6 least"]],
    ["max(min by (a) (up))", ["up value 6"]],
    ["topk(3, up)", ["up value 6"]],
    ["up > 3 and on (a) down", ["up value 6"]],
    ["3 < up", ["up value 6"]],
    ["up unless down * 7", ["up value 6"]],
    ["max_over_time(up[5m])", ["up value 6"]],
    ["rate(x_total[1m])", ["x_total rate 6"]],
    ["sum(increase(x_total[1m30s]))", ["x_total increase 6"]],
    ["min_over_time((deriv(x[1m]))[120s:10s]) and on (name) y > 3", ["x rate 6"]],
    ["histogram_quantile(0.9, sum by (le) (rate(x_bucket[1m])))", ["x duration 6"]],
    ["sum(rate(x_sum[1m])) / sum(rate(x_count[1m]))", ["x duration 6"]],
    ["count(up == 0)", ["up count 6"]],
    // Arithmetic with constants is inverted.
    ["x - vector(0)", ["x value 6"]],
    ["1 - up", ["up value -5"]],
    ["(1 - up) > 0", ["up value -5"]],
    ["-up", ["up value -6"]],
    ["rate(x_total[1m]) * 10", ["x_total rate 0.6"]],
    ["x / 1024 / 1024", ["x value 6291456"]],
    ["2 * (3 + x) - 4", ["x value 2"]],
    ["1000 * (rate(x_sum[1m]) / rate(x_count[1m]))", ["x duration 0.006"]],
    // The value may come from either branch.
    ["x or vector(0)", ["x value 6", "constant 0"]],
    ["2 * (x or on () vector(3))", ["x value 3", "constant 6"]],
    ["rate(a_total[1m]) * 10 or a_sum / a_count", ["a_total rate 0.6", "a duration 6"]],
    // Everything else yields no reading.
    ["x * 0 + 6", undefined],
    ["x / 0", undefined],
    ["6 / x", undefined],
    ["x ^ 2", undefined],
    ["x % 7", undefined],
    ["x + y", undefined],
    ["x - x + 6", undefined],
    ["a_sum * 1000 / a_count", undefined],
    ["a_sum / b_count", undefined],
    ["a_sum / a_count * a_count", undefined],
    ["x > bool 1", undefined],
    ["up offset 5m", undefined],
    ["up @ 1767225600", undefined],
    ['label_replace(up, "name", "a", "", "")', undefined],
    ["clamp_min(x, 6)", undefined],
    ["absent(x)", undefined],
    ["sum(vector(6))", undefined],
    ["vector(time())", undefined],
    ["scalar(x)", undefined],
    ["sgn(x)", undefined],
    ["stddev(x)", undefined],
    ["count_over_time(x[5m])", undefined],
    ["sum_over_time(x[5m])", undefined],
    ["rate(x[1m]) * rate(y[1m])", undefined],
    ["bad(", undefined],
    ["", undefined],
  ];
  test.each(cases)("%s", (query, readings) => {
    expect(read(query)).toEqual(readings);
  });
});

import { expect, test } from "bun:test";
import { table } from "./table.ts";

test("table() gives every column the width of its widest cell", () => {
  expect(table(["a", "long"], [["xyz", "1"]])).toBe("a    long\nxyz  1");
});

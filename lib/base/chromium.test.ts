import { expect, test } from "bun:test";
import { whyNoPages } from "./testing/chromium.ts";

test("page tests are skipped on Ubuntu without a browser of its own, with a reason, and nowhere else", () => {
  const ubuntu = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n';
  expect(whyNoPages(false, ubuntu)).toContain("is a snap");
  expect(whyNoPages(true, ubuntu)).toBeUndefined();
  expect(whyNoPages(false, "ID=debian\n")).toBeUndefined();
});

import { expect, test } from "bun:test";
import { Pool } from "./pool.ts";

test("runs so many at a time and no more, in order, and tells of a failure at the end", async () => {
  const pool = new Pool(2);
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  for (let i = 0; i < 7; i++) {
    pool.add(async () => {
      begun.push(i);
      running++;
      most = Math.max(most, running);
      await Promise.resolve();
      running--;
      if (i === 2) throw new Error("the third fails");
    });
  }
  await expect(pool.done()).rejects.toThrow("the third fails");
  expect(most).toBe(2);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

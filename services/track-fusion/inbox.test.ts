import { describe, expect, test } from "bun:test";
import { Inbox } from "./inbox.ts";
import { Leak } from "./leak.ts";

describe("Inbox", () => {
  test("gives items back in the order in which they came, through many rounds", () => {
    const inbox = new Inbox<number>(1000);
    let [next, expected] = [0, 0];
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i < 7; i++) inbox.push(next++);
      for (let i = 0; i < 5; i++) expect(inbox.shift()).toBe(expected++);
    }
    expect(inbox.depth).toBe(600);
  });

  test("drops and counts what does not fit", () => {
    const inbox = new Inbox<string>(2);
    expect([inbox.push("a"), inbox.push("b"), inbox.push("c")]).toEqual([true, true, false]);
    expect(inbox.droppedTotal).toBe(1);
    expect([inbox.shift(), inbox.shift(), inbox.shift()]).toEqual(["a", "b", undefined]);
  });
});

describe("Leak", () => {
  test("keeps what it is told to, and nothing when it is told to keep nothing", () => {
    const leak = new Leak(10_240);
    for (let i = 0; i < 100; i++) leak.grow();
    expect(leak.keptBytes).toBe(1_024_000);
    const none = new Leak(0);
    none.grow();
    expect(none.keptBytes).toBe(0);
  });
});

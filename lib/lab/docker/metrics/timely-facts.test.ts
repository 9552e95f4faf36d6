import { expect, test } from "bun:test";
import { ManualClock } from "../../../base/clock.ts";
import { TimelyFacts } from "./timely-facts.ts";

/** A clock whose sleeps end on the test's command. */
class HeldClock extends ManualClock {
  wake: () => void = () => {};

  override sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/** An engine that answers on the test's command. */
function engine() {
  const clock = new HeldClock();
  const answers: PromiseWithResolvers<string>[] = [];
  const facts = new TimelyFacts(() => {
    const answer = Promise.withResolvers<string>();
    answers.push(answer);
    return answer.promise;
  }, clock);
  return { clock, answers, facts };
}

test("answers with what the engine tells now", async () => {
  const { facts, answers } = engine();
  for (const text of ["first", "second"]) {
    const asked = facts.text();
    answers.at(-1)?.resolve(text);
    expect(await asked).toBe(text);
  }
});

test("answers with the last facts when the engine is slow, and asks it once only", async () => {
  const { facts, answers, clock } = engine();
  const first = facts.text();
  answers[0]?.resolve("first");
  await first;
  for (let scrape = 0; scrape < 3; scrape += 1) {
    clock.advance(2000);
    const asked = facts.text();
    clock.wake();
    expect(await asked).toBe("first");
  }
  expect(answers).toHaveLength(2);
  answers[1]?.resolve("second");
  await Promise.resolve();
  const asked = facts.text();
  clock.wake();
  expect(await asked).toBe("second");
});

test("facts that are too old are none", async () => {
  const { facts, answers, clock } = engine();
  const first = facts.text();
  answers[0]?.resolve("first");
  await first;
  clock.advance(9000);
  const asked = facts.text();
  clock.wake();
  expect(asked).rejects.toThrow("the engine must answer, but takes too long");
  await asked.catch(() => {});
});

test("an engine that refuses is an error, and is asked again", async () => {
  const { facts, answers } = engine();
  const refused = facts.text();
  answers[0]?.reject(new Error("refused"));
  expect(refused).rejects.toThrow("refused");
  await refused.catch(() => {});
  const asked = facts.text();
  answers[1]?.resolve("again");
  expect(await asked).toBe("again");
});

import { expect, test } from "bun:test";
import { loopbackConfig } from "./testing/domain.ts";

/** Runs the README's example as a separate program, without changes. */
async function example(): Promise<string> {
  const readme = await Bun.file(`${import.meta.dir}/README.md`).text();
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  return code.replace('"./mod.ts"', JSON.stringify(`${import.meta.dir}/mod.ts`));
}

test("the README's example runs as it is written, and is short", async () => {
  const code = await example();
  const program = Bun.spawn([process.execPath, "-e", code], {
    env: { ...Bun.env, CYCLONEDDS_URI: loopbackConfig(`readme-${process.pid}`) },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
  });
  const [said, errors] = await Promise.all([
    new Response(program.stdout).text(),
    new Response(program.stderr).text(),
  ]);
  expect(errors).toBe("");
  expect(said).toBe('roof 21.5 [ "outdoor" ]\n');
  expect(await program.exited).toBe(0);
  expect(code.trim().split("\n").filter(Boolean).length).toBeLessThanOrEqual(20);
});

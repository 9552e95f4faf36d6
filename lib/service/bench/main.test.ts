import { expect, test } from "bun:test";
import { run } from "../../base/shell.ts";

test("a missing program is one line with the remedy, and exit code 2", async () => {
  const argv = [process.execPath, `${import.meta.dir}/main.ts`, "--only", "allocation"];
  const { code, stdout, stderr } = await run(argv, {
    env: { PATH: "/nowhere" },
    timeoutMs: 60_000,
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe(
    "Cannot build the C peer: idlc, gcc, ddsperf must be on the PATH, but cannot be found. Install it with " +
      "`bun lib/setup/main.ts --for-tests` or `apt-get install cyclonedds-tools gcc cyclonedds-dev`\n",
  );
});

/**
 * Loaded before all tests (bunfig.toml): gives every test file a default timeout, because Bun's
 * five seconds are too short on a busy machine. bunfig.toml has no working key for it, and a
 * default set from here applies to the first file only (Bun 1.4.5). So this plugin puts the call in
 * front of each test file, without changing its line numbers.
 */
import { plugin } from "bun";

/** Long enough for a test that starts a lab, milliseconds. */
const TIMEOUT_MS = 300_000;
const CALL = `import { setDefaultTimeout as setTimeoutOfFile } from "bun:test"; setTimeoutOfFile(${TIMEOUT_MS});`;

await plugin({
  name: "default timeout of tests",
  setup: (build) => {
    build.onLoad({ filter: /\.(test|suite)\.ts$/ }, async ({ path }) => ({
      contents: `${CALL} ${await Bun.file(path).text()}`,
      loader: "ts",
    }));
  },
});

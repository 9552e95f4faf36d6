/**
 * Loaded before all tests (bunfig.toml): gives every test file a default timeout. Bun's own five
 * seconds are too short on a machine with other work; bunfig.toml has no key for it, and a default
 * that is set here directly holds for the first file alone (Bun 1.4.5). So the call is put in front
 * of each test file; its lines keep their numbers.
 */
import { plugin } from "bun";

/** Enough for a test that starts a lab. */
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

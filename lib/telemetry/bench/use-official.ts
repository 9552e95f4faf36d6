/** `bun --preload` of this file makes a service send its spans through `official.ts`. */
Bun.plugin({
  name: "official span exporter",
  setup: (build) => {
    build.onLoad({ filter: /\/lib\/telemetry\/span-processor\.ts$/ }, () => ({
      contents: 'export { spanProcessor } from "./bench/official.ts";',
      loader: "ts",
    }));
  },
});

/** The suite of every lab, on a real container engine; `bun run test:docker` runs it. */
import { describe } from "bun:test";
import { createLab } from "../../create-lab.ts";
import { runLabSuite } from "../../testing/lab.case.ts";

describe("docker lab", () => {
  runLabSuite({
    makeLab: () =>
      Promise.resolve(createLab({ engine: "docker", index: 0, lifetime: "with-caller" })),
  });
});

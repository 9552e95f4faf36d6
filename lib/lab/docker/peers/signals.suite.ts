/**
 * Checks that every declared signal passes through the Collector to Prometheus, Loki and Tempo in
 * the container stack.
 */
import { describe } from "bun:test";
import { createLab } from "../../create-lab.ts";
import { runSignalSuite } from "../../testing/signals.case.ts";
import { LAB_INDEX } from "./lab-index.ts";

describe("signals of the containers", () => {
  runSignalSuite({
    makeLab: () => createLab({ engine: "docker", index: LAB_INDEX, lifetime: "with-caller" }),
    ingress: "otel-collector",
  });
});

/** Labs that never start, for tests of the steps around an incident. */
import { UsageError } from "../../base/errors.ts";
import { labPorts } from "../../contract/topology.ts";
import type { Lab, UpOptions } from "../../lab/lab.ts";
import type { RunContext } from "../context.ts";
import { silent } from "./silent.ts";

/**
 * A context with such labs, which fail with `failure`; `tries` has the lab's index for each try,
 * `asked` the requested labs.
 */
export function brokenLabs(failure: Error = new UsageError("this lab never comes up")): {
  context: RunContext;
  tries: number[];
  asked: UpOptions[];
} {
  const tries: number[] = [];
  const asked: UpOptions[] = [];
  const createLab: RunContext["createLab"] = ({ index }) =>
    ({
      engine: "native",
      ports: labPorts(index),
      status: () => Promise.resolve(null),
      up: (options: UpOptions) => {
        tries.push(index);
        asked.push(options);
        return Promise.reject(failure);
      },
      down: () => Promise.resolve(),
    }) as unknown as Lab;
  const claimLab: RunContext["claimLab"] = () => ({ release: () => {} });
  const { signal } = new AbortController();
  return { context: { signal, progress: () => silent, createLab, claimLab }, tries, asked };
}

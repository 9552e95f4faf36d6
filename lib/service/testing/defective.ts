/**
 * A service with a defect: `bun defective.ts <throw|reject|start>` throws in a timer, rejects a
 * promise, or fails at the start.
 */
import { runService } from "../run-service.ts";

const how = Bun.argv[2];
const defect = (): never => {
  throw new TypeError("the defect of this test");
};

await runService("eo-sensor", (service) => {
  if (how === "start") defect();
  service.after(100, () => {
    if (how === "reject") void Promise.resolve().then(defect);
    else defect();
  });
});

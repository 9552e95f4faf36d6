import { runService } from "../../lib/service/run-service.ts";
import { startEvaluator } from "./evaluator.ts";

await runService("threat-evaluator", startEvaluator);

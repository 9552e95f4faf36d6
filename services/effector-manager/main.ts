import { runService } from "../../lib/service/run-service.ts";
import { startEffector } from "./effector.ts";

await runService("effector-manager", startEffector);

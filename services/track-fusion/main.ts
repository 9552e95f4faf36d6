import { runService } from "../../lib/service/run-service.ts";
import { startFusion } from "./fusion.ts";

await runService("track-fusion", startFusion);

import { runService } from "../../lib/service/run-service.ts";
import { startDisplay } from "./display.ts";

await runService("tactical-display", startDisplay);

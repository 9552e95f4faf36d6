import { runService } from "../../lib/service/run-service.ts";
import { startCommand } from "./command.ts";

await runService("command-center", startCommand);

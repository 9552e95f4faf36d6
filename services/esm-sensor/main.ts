import { runService } from "../../lib/service/run-service.ts";
import { startSensors } from "../../lib/cms/sensor/sensor-service.ts";

await runService("esm-sensor", (service) => startSensors(service, "ESM"));

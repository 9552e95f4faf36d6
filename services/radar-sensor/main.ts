import { runService } from "../../lib/service/run-service.ts";
import { startSensors } from "../../lib/cms/sensor/sensor-service.ts";

await runService("radar-sensor", (service) => startSensors(service, "RADAR"));

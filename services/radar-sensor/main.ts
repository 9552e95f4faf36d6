import { runService } from "../../lib/service/run-service.ts";
import { startSensor } from "../../lib/cms/sensor/sensor-service.ts";

await runService("radar-sensor", (service) => startSensor(service, "RADAR-1"));

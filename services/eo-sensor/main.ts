import { runService } from "../../lib/service/run-service.ts";
import { startSensor } from "../../lib/cms/sensor/sensor-service.ts";

await runService("eo-sensor", (service) => startSensor(service, "EO-3"));

import { runService } from "../../lib/service/run-service.ts";
import { startSensor } from "../../lib/cms/sensor/sensor-service.ts";

await runService("esm-sensor", (service) => startSensor(service, "ESM-2"));

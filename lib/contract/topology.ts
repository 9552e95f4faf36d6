/**
 * The services: the topics that each publishes and subscribes to, and its ports. Tests compare this
 * table with the programs, the compose file and the received traces.
 */

export const TOPICS = [
  "SourceTrackTopic",
  "TacticalTrackTopic",
  "ThreatAssessmentTopic",
  "MissionOrderTopic",
  "EngagementStatusTopic",
] as const;
export type TopicName = (typeof TOPICS)[number];

export const SENSOR_IDS = ["RADAR-1", "ESM-2", "EO-3"] as const;
export type SensorId = (typeof SENSOR_IDS)[number];

/** The kinds of sensors. A sensor's id is its kind, a hyphen and a number. */
export const SENSOR_KINDS = ["RADAR", "ESM", "EO"] as const;
export type SensorKind = (typeof SENSOR_KINDS)[number];

/** Returns the kind of the sensor with this id; undefined for an invalid id. */
export function sensorKindOf(sensorId: string): SensorKind | undefined {
  const kind = sensorId.slice(0, sensorId.indexOf("-"));
  const isNumbered = /^[0-9]{1,4}$/.test(sensorId.slice(kind.length + 1));
  return isNumbered ? SENSOR_KINDS.find((each) => each === kind) : undefined;
}

export const SERVICES = [
  "radar-sensor",
  "esm-sensor",
  "eo-sensor",
  "track-fusion",
  "threat-evaluator",
  "command-center",
  "effector-manager",
  "tactical-display",
] as const;
export type ServiceName = (typeof SERVICES)[number];

/** One service of the CMS. */
export interface ServiceSpec {
  readonly name: ServiceName;
  /** One line for people and investigators. */
  readonly role: string;
  readonly publishes: readonly TopicName[];
  readonly subscribes: readonly TopicName[];
  /** Port of `/metrics` at the service's own network address. */
  readonly metricsPort: number;
  /** Set for the three sensors. */
  readonly sensorId?: SensorId;
  /**
   * Maximum number of source tracks that a sensor publishes per second at its nominal rate: one for
   * each target and scan.
   */
  readonly nominalRateHz?: number;
  /** Port of the service's own HTTP server, if it has one. */
  readonly httpPort?: number;
}

export const TOPOLOGY: Readonly<Record<ServiceName, ServiceSpec>> = {
  "radar-sensor": {
    name: "radar-sensor",
    role: "10 Hz active radar; low position noise; no fine classification",
    publishes: ["SourceTrackTopic"],
    subscribes: [],
    metricsPort: 9101,
    sensorId: "RADAR-1",
    nominalRateHz: 30,
  },
  "esm-sensor": {
    name: "esm-sensor",
    role: "5 Hz passive radio-frequency sensor; wide position noise; classifies the emitter",
    publishes: ["SourceTrackTopic"],
    subscribes: [],
    metricsPort: 9102,
    sensorId: "ESM-2",
    nominalRateHz: 15,
  },
  "eo-sensor": {
    name: "eo-sensor",
    role: "2 Hz electro-optical sensor; tight position when it detects (probability 0.7)",
    publishes: ["SourceTrackTopic"],
    subscribes: [],
    metricsPort: 9103,
    sensorId: "EO-3",
    nominalRateHz: 6,
  },
  "track-fusion": {
    name: "track-fusion",
    role: "correlates source tracks into one tactical track per target, fed by a bounded queue",
    publishes: ["TacticalTrackTopic"],
    subscribes: ["SourceTrackTopic"],
    metricsPort: 9104,
  },
  "threat-evaluator": {
    name: "threat-evaluator",
    role: "rule-based threat scoring by speed, altitude and classification",
    publishes: ["ThreatAssessmentTopic"],
    subscribes: ["TacticalTrackTopic"],
    metricsPort: 9105,
  },
  "command-center": {
    name: "command-center",
    role: "issues ENGAGE or MONITOR orders against threats",
    publishes: ["MissionOrderTopic"],
    subscribes: ["ThreatAssessmentTopic"],
    metricsPort: 9106,
  },
  "effector-manager": {
    name: "effector-manager",
    role: "runs engagements: ACCEPTED, IN_FLIGHT, then HIT or MISS",
    publishes: ["EngagementStatusTopic"],
    subscribes: ["MissionOrderTopic"],
    metricsPort: 9107,
  },
  "tactical-display": {
    name: "tactical-display",
    role: "the operator's page and REST surface; the live tactical picture",
    publishes: [],
    subscribes: TOPICS,
    metricsPort: 9108,
    httpPort: 8080,
  },
};

/**
 * Returns the service that runs this sensor: its own one, or for a configured sensor the one of its
 * kind.
 */
export function serviceOfSensor(sensorId: string): ServiceName | undefined {
  const kind = sensorKindOf(sensorId);
  const own = SERVICES.find((name) => TOPOLOGY[name].sensorId === sensorId);
  return (
    own ??
    SERVICES.find(
      (name) => kind !== undefined && sensorKindOf(TOPOLOGY[name].sensorId ?? "") === kind,
    )
  );
}

/**
 * The limits of every service in the canonical system. They are equal, so a limit does not indicate
 * a fault. A service uses 60 to 120 MB; the share is the kernel's default weight, not a quota.
 */
export const SERVICE_LIMITS = { memoryBytes: 384 * 2 ** 20, cpuShares: 1024 } as const;

/** Whether `text` is the name of a service. */
export function isServiceName(text: string): text is ServiceName {
  return (SERVICES as readonly string[]).includes(text);
}

/** The services that subscribe to a topic that `service` publishes. */
export function downstreamOf(service: ServiceName): ServiceName[] {
  const published = TOPOLOGY[service].publishes;
  return SERVICES.filter((other) =>
    TOPOLOGY[other].subscribes.some((topic) => published.includes(topic)),
  );
}

/** The services that publish a topic to which `service` subscribes. */
export function upstreamOf(service: ServiceName): ServiceName[] {
  const heard = TOPOLOGY[service].subscribes;
  return SERVICES.filter((other) =>
    TOPOLOGY[other].publishes.some((topic) => heard.includes(topic)),
  );
}

/** Host ports of a lab, all on loopback. */
export interface LabPorts {
  /** Port of Grafana, or of the lab's console if there is no Grafana. */
  readonly console: number;
  /** Port of the lab's console beside Grafana. */
  readonly telemetry?: number;
  readonly prometheus: number;
  readonly tempo: number;
  readonly loki: number;
  readonly display: number;
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
  readonly metrics: Readonly<Record<ServiceName, number>>;
}

/**
 * Returns the host ports of the lab with this index: 0 for the interactive lab, 1 to 9 for labs
 * that run beside it. The ports differ in their last three digits, so shifting them by thousands
 * causes no collision.
 */
export function labPorts(index: number): LabPorts {
  if (!Number.isInteger(index) || index < 0 || index > 9) {
    throw new RangeError(`A lab's index must be a whole number from 0 to 9, but is ${index}`);
  }
  const shift = index * 1000;
  const metrics = Object.fromEntries(
    SERVICES.map((name) => [name, 10_000 + shift + TOPOLOGY[name].metricsPort]),
  ) as Record<ServiceName, number>;
  return {
    console: 13_000 + shift,
    prometheus: 19_090 + shift,
    tempo: 13_200 + shift,
    loki: 13_100 + shift,
    display: 18_080 + shift,
    otlpGrpc: 14_317 + shift,
    otlpHttp: 14_318 + shift,
    metrics,
  };
}

/** What follows from a diagnosis whatever the incident: the remediations that fit a class, and the states that go with it. */
import type { FaultClass, Remediation } from "../../contract/fault-classes.ts";

/** What the named service is like right now, in the order in which it has to be asked. */
export const STATES = [
  "exited",
  "throttled",
  "unreachable",
  "mute",
  "overloaded",
  "working",
] as const;
export type ServiceState = (typeof STATES)[number];

export interface Plan {
  /** The first one is what is done when nobody chooses. */
  readonly actions: readonly Remediation[];
  /** What a service in this class can be like; another state contradicts the class. */
  readonly states: readonly ServiceState[];
}

export const PLANS: Readonly<Record<FaultClass, Plan>> = {
  process_exited: { actions: ["start_service", "restart_service"], states: ["exited"] },
  crash_loop: { actions: ["restart_service", "correct_configuration"], states: ["exited", "mute"] },
  oom_kill: { actions: ["raise_memory_limit", "restart_service"], states: ["exited"] },
  hang: { actions: ["restart_service"], states: ["mute", "unreachable"] },
  cpu_starvation: { actions: ["raise_cpu_quota"], states: ["throttled", "overloaded"] },
  memory_leak: {
    actions: ["fix_leak_and_redeploy", "restart_service", "raise_memory_limit"],
    states: ["working", "overloaded", "exited"],
  },
  network_partition: { actions: ["restore_network"], states: ["unreachable"] },
  packet_loss_or_delay: {
    actions: ["restore_network"],
    states: ["mute", "unreachable", "working"],
  },
  qos_mismatch: { actions: ["correct_qos_profile"], states: ["mute"] },
  discovery_failure: { actions: ["correct_dds_domain", "restart_service"], states: ["mute"] },
  message_flood: {
    actions: ["reduce_publish_rate", "correct_configuration"],
    states: ["overloaded", "working"],
  },
  downstream_backpressure: { actions: ["scale_consumer"], states: ["overloaded"] },
  clock_skew: { actions: ["synchronise_clock"], states: ["working", "mute"] },
  bad_configuration: { actions: ["correct_configuration"], states: ["working", "mute"] },
  data_quality: { actions: ["recalibrate_source"], states: ["working"] },
  none: { actions: ["no_action"], states: ["working"] },
};

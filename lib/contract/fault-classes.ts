/**
 * The closed list of fault classes that a diagnosis may name. It is wider than the scenarios, so that
 * naming a class is worth something.
 */

export const FAULT_CLASSES = {
  process_exited: "the process ended on its own or was told to stop, and stays stopped",
  crash_loop: "the process keeps ending and being started again",
  oom_kill:
    "the kernel killed the process for exceeding its memory limit, without a slow leak before",
  hang: "the process runs but does no work: no output, no progress, little processor time",
  cpu_starvation: "the process wants more processor time than its quota or its host gives it",
  memory_leak: "memory in use grows steadily without bound",
  network_partition:
    "the process runs but its network is cut off: peers, scrapes and exports all fail",
  packet_loss_or_delay: "the network works, but loses or delays a share of the packets",
  qos_mismatch:
    "writer and reader find each other but their QoS is incompatible: nothing is delivered",
  discovery_failure: "writer and reader never find each other (wrong domain, partition or peers)",
  message_flood: "one publisher sends far more messages than it should",
  downstream_backpressure: "a slow consumer makes those before it wait or drop",
  clock_skew: "a host's clock is wrong: time stamps and ages make no sense",
  bad_configuration: "a setting is wrong in a way that no other class names",
  data_quality: "messages arrive in time, but their content is wrong",
  none: "nothing is wrong: the alert is stale, spurious or already over",
} as const;
export type FaultClass = keyof typeof FAULT_CLASSES;
export const FAULT_CLASS_NAMES = Object.keys(FAULT_CLASSES) as FaultClass[];

/** The closed list of remediations. */
export const REMEDIATIONS = {
  start_service: "start the stopped service again",
  restart_service: "restart the service",
  raise_cpu_quota: "remove or raise the service's processor quota",
  raise_memory_limit: "raise the service's memory limit",
  fix_leak_and_redeploy: "redeploy the service without the leak; a restart only buys time",
  restore_network: "attach the service's network again",
  correct_qos_profile: "give the endpoint a QoS profile that its peers accept",
  correct_dds_domain: "give the service the DDS domain and peers of the others",
  reduce_publish_rate: "set the publisher back to its nominal rate",
  scale_consumer: "give the slow consumer more capacity",
  correct_configuration: "set the wrong setting right",
  synchronise_clock: "synchronise the host's clock",
  recalibrate_source: "take the source of bad data out of use or recalibrate it",
  no_action: "nothing to do",
  gather_more_evidence: "too little is known to act",
} as const;
export type Remediation = keyof typeof REMEDIATIONS;
export const REMEDIATION_NAMES = Object.keys(REMEDIATIONS) as Remediation[];

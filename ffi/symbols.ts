/** All C functions that the binding calls, each with its C signature. */

export const SYMBOLS = {
  dds_create_domain: {
    args: ["u32", "ptr"], // dds_domainid_t, const char *config
    returns: "i32",
  },
  dds_create_participant: {
    args: ["u32", "ptr", "ptr"], // dds_domainid_t, const dds_qos_t *, const dds_listener_t *
    returns: "i32",
  },
  dds_create_topic: {
    args: ["i32", "ptr", "ptr", "ptr", "ptr"], // participant, const dds_topic_descriptor_t *, const char *name, qos, listener
    returns: "i32",
  },
  dds_create_writer: {
    args: ["i32", "i32", "ptr", "ptr"], // participant, topic, qos, listener
    returns: "i32",
  },
  dds_create_reader: {
    args: ["i32", "i32", "ptr", "ptr"], // participant, topic, qos, listener
    returns: "i32",
  },
  dds_delete: { args: ["i32"], returns: "i32" }, // dds_entity_t
  dds_write: { args: ["i32", "ptr"], returns: "i32" }, // writer, const void *data
  dds_dispose: { args: ["i32", "ptr"], returns: "i32" }, // writer, const void *data
  dds_unregister_instance: { args: ["i32", "ptr"], returns: "i32" }, // writer, const void *data
  dds_write_flush: { args: ["i32"], returns: "i32" }, // writer
  dds_wait_for_acks: { args: ["i32", "i64"], returns: "i32" }, // writer, dds_duration_t
  dds_takecdr: {
    args: ["i32", "ptr", "u32", "ptr", "u32"], // reader, struct ddsi_serdata **, maxs, dds_sample_info_t *, mask
    returns: "i32",
  },
  ddsi_serdata_size: { args: ["ptr"], returns: "u32" }, // const struct ddsi_serdata *
  ddsi_serdata_to_ser: {
    args: ["ptr", "usize", "usize", "ptr"], // const struct ddsi_serdata *, size_t off, size_t sz, void *buf
    returns: "void",
  },
  ddsi_serdata_unref: { args: ["ptr"], returns: "void" }, // struct ddsi_serdata *
  dds_create_qos: { args: [], returns: "ptr" },
  dds_delete_qos: { args: ["ptr"], returns: "void" },
  dds_qset_reliability: { args: ["ptr", "i32", "i64"], returns: "void" }, // qos, kind, max_blocking_time
  dds_qset_history: { args: ["ptr", "i32", "i32"], returns: "void" }, // qos, kind, depth
  dds_qset_durability: { args: ["ptr", "i32"], returns: "void" }, // qos, kind
  dds_qset_durability_service: {
    args: ["ptr", "i64", "i32", "i32", "i32", "i32", "i32"], // qos, cleanup delay, history kind, depth, max samples, instances, samples per instance
    returns: "void",
  },
  dds_qset_ownership: { args: ["ptr", "i32"], returns: "void" }, // qos, kind
  dds_qset_deadline: { args: ["ptr", "i64"], returns: "void" }, // qos, period
  dds_qset_liveliness: { args: ["ptr", "i32", "i64"], returns: "void" }, // qos, kind, lease
  dds_qset_destination_order: { args: ["ptr", "i32"], returns: "void" }, // qos, kind
  dds_qset_partition1: { args: ["ptr", "ptr"], returns: "void" }, // qos, const char *
  dds_qset_writer_data_lifecycle: { args: ["ptr", "bool"], returns: "void" }, // qos, autodispose
  dds_create_readcondition: { args: ["i32", "u32"], returns: "i32" }, // reader, mask of states
  dds_create_waitset: { args: ["i32"], returns: "i32" }, // participant
  dds_waitset_attach: { args: ["i32", "i32", "i64"], returns: "i32" }, // waitset, condition, dds_attach_t
  dds_waitset_wait: { args: ["i32", "ptr", "usize", "i64"], returns: "i32" }, // waitset, dds_attach_t *, its length, dds_duration_t
  dds_set_listener: { args: ["i32", "ptr"], returns: "i32" }, // entity, const dds_listener_t *
  dds_create_listener: { args: ["ptr"], returns: "ptr" }, // void *arg
  dds_delete_listener: { args: ["ptr"], returns: "void" },
  dds_lset_data_available: { args: ["ptr", "ptr"], returns: "void" }, // listener, callback
  dds_get_publication_matched_status: { args: ["i32", "ptr"], returns: "i32" },
  dds_get_subscription_matched_status: { args: ["i32", "ptr"], returns: "i32" },
  dds_get_offered_incompatible_qos_status: { args: ["i32", "ptr"], returns: "i32" },
  dds_get_requested_incompatible_qos_status: { args: ["i32", "ptr"], returns: "i32" },
  dds_get_sample_lost_status: { args: ["i32", "ptr"], returns: "i32" },
  dds_get_sample_rejected_status: { args: ["i32", "ptr"], returns: "i32" },
  dds_get_liveliness_changed_status: { args: ["i32", "ptr"], returns: "i32" },
  dds_get_requested_deadline_missed_status: { args: ["i32", "ptr"], returns: "i32" },
} as const;

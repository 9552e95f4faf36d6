/* The C side of the benchmark: writes or reads SourceTrack as fast as it can.
 * peer write N | peer read N: see main.ts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "dds/dds.h"
#include "cms.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + t.tv_nsec / 1e9;
}

static dds_qos_t *profile(void) {
  dds_qos_t *qos = dds_create_qos();
  dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_SECS(10));
  dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
  return qos;
}

static void write_all(dds_entity_t participant, dds_entity_t topic, unsigned long n) {
  dds_qos_t *qos = profile();
  dds_entity_t writer = dds_create_writer(participant, topic, qos, NULL);
  dds_publication_matched_status_t status = {0};
  while (status.current_count == 0) {
    dds_get_publication_matched_status(writer, &status);
    dds_sleepfor(DDS_MSECS(5));
  }
  cms_SourceTrack sample = {0};
  strcpy(sample.sensor_id, "RADAR-1");
  strcpy(sample.source_track_id, "RADAR-1:1");
  strcpy(sample.trace.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  sample.trace.tracestate = "";
  sample.position_sigma_m = 50;
  double start = now();
  for (unsigned long i = 0; i < n; i++) {
    sample.sequence_number = (uint32_t) i;
    sample.position.x = (double) i;
    if (dds_write(writer, &sample) < 0) exit(1);
  }
  dds_wait_for_acks(writer, DDS_SECS(30));
  printf("{\"written\":%lu,\"seconds\":%f}\n", n, now() - start);
  dds_delete_qos(qos);
}

enum { BATCH = 256 };

static void read_all(dds_entity_t participant, dds_entity_t topic, unsigned long n) {
  dds_qos_t *qos = profile();
  dds_entity_t reader = dds_create_reader(participant, topic, qos, NULL);
  dds_entity_t condition = dds_create_readcondition(reader, DDS_ANY_STATE);
  dds_entity_t waitset = dds_create_waitset(participant);
  dds_waitset_attach(waitset, condition, 0);
  void *samples[BATCH] = {0};
  dds_sample_info_t infos[BATCH];
  unsigned long got = 0;
  double start = 0, sum = 0;
  size_t characters = 0;
  while (got < n) {
    dds_waitset_wait(waitset, NULL, 0, DDS_SECS(30));
    int count;
    while ((count = dds_take(reader, samples, infos, BATCH, BATCH)) > 0) {
      if (got == 0) start = now();
      for (int i = 0; i < count; i++) {
        const cms_SourceTrack *track = samples[i];
        if (!infos[i].valid_data) continue;
        sum += track->position.x + track->velocity.x + track->sequence_number;
        characters += strlen(track->sensor_id) + strlen(track->source_track_id) +
                      strlen(track->trace.traceparent) + strlen(track->trace.tracestate);
        got++;
      }
      dds_return_loan(reader, samples, count);
    }
  }
  printf("{\"read\":%lu,\"seconds\":%f,\"check\":%f,\"characters\":%zu}\n", got, now() - start, sum, characters);
  dds_delete_qos(qos);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  dds_entity_t participant = dds_create_participant(DDS_DOMAIN_DEFAULT, NULL, NULL);
  dds_entity_t topic = dds_create_topic(participant, &cms_SourceTrack_desc, "SourceTrackTopic", NULL, NULL);
  unsigned long n = strtoul(argv[2], NULL, 10);
  if (strcmp(argv[1], "write") == 0) write_all(participant, topic, n);
  else read_all(participant, topic, n);
  dds_delete(participant);
  return 0;
}

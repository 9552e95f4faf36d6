/* The C side of the benchmark, built from the same IDL with the same QoS: see main.ts for what each mode is for.
 *
 *   peer write N      peer read N         SourceTrack as fast as it goes
 *   peer pulse N      peer hear N         SourceTrack at 600 a second; one-way latency
 *   peer send-text N SIZE | send-numbers N SIZE | receive-text N | receive-numbers N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "dds/dds.h"
#include "bench.h"
#include "cms.h"

enum { BATCH = 256, BURST = 3 };
static const long BURST_NS = 5000000;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double) t.tv_sec + t.tv_nsec / 1e9;
}

static double now(void) { return seconds(CLOCK_MONOTONIC); }
static double unix_ms(void) { return seconds(CLOCK_REALTIME) * 1e3; }

static dds_qos_t *profile(void) {
  dds_qos_t *qos = dds_create_qos();
  dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_SECS(10));
  dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
  return qos;
}

static dds_entity_t matched_writer(dds_entity_t participant, dds_entity_t topic) {
  dds_qos_t *qos = profile();
  dds_entity_t writer = dds_create_writer(participant, topic, qos, NULL);
  dds_delete_qos(qos);
  dds_publication_matched_status_t status = {0};
  while (status.current_count == 0) {
    dds_get_publication_matched_status(writer, &status);
    dds_sleepfor(DDS_MSECS(5));
  }
  return writer;
}

static void must_write(dds_entity_t writer, const void *sample) {
  if (dds_write(writer, sample) < 0) exit(1);
}

static void finish(dds_entity_t writer, unsigned long n, double start) {
  dds_write_flush(writer);
  dds_wait_for_acks(writer, DDS_SECS(30));
  printf("{\"written\":%lu,\"seconds\":%f}\n", n, now() - start);
}

static cms_SourceTrack first_track(void) {
  cms_SourceTrack track = {0};
  strcpy(track.sensor_id, "RADAR-1");
  strcpy(track.source_track_id, "RADAR-1:1");
  strcpy(track.trace.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  track.trace.tracestate = "";
  track.position_sigma_m = 50;
  return track;
}

static void write_all(dds_entity_t writer, unsigned long n) {
  cms_SourceTrack track = first_track();
  double start = now();
  for (unsigned long i = 0; i < n; i++) {
    track.sequence_number = (uint32_t) i;
    track.position.x = (double) i;
    must_write(writer, &track);
  }
  finish(writer, n, start);
}

static void pulse(dds_entity_t writer, unsigned long n) {
  cms_SourceTrack track = first_track();
  struct timespec next;
  double start = now();
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (unsigned long i = 0; i < n; i++) {
    if (i % BURST == 0) {
      next.tv_nsec += BURST_NS;
      if (next.tv_nsec >= 1000000000) next.tv_sec++, next.tv_nsec -= 1000000000;
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    track.sequence_number = (uint32_t) i;
    track.observed_unix_ms = unix_ms();
    must_write(writer, &track);
  }
  finish(writer, n, start);
}

static void send_text(dds_entity_t writer, unsigned long n, size_t size) {
  bench_Text sample = {.body = malloc(size + 1)};
  memset(sample.body, 'x', size);
  sample.body[size] = 0;
  double start = now();
  for (unsigned long i = 0; i < n; i++) {
    sample.number = (uint32_t) i;
    must_write(writer, &sample);
  }
  finish(writer, n, start);
  free(sample.body);
}

static void send_numbers(dds_entity_t writer, unsigned long n, size_t size) {
  double *numbers = calloc(size + 1, sizeof *numbers);
  bench_Numbers sample = {0};
  sample.reals._buffer = numbers;
  sample.reals._length = sample.reals._maximum = (uint32_t) size;
  double start = now();
  for (unsigned long i = 0; i < n; i++) {
    sample.number = (uint32_t) i;
    must_write(writer, &sample);
  }
  finish(writer, n, start);
  free(numbers);
}

typedef double (*look)(const void *sample);

static double look_at_track(const void *sample) {
  const cms_SourceTrack *track = sample;
  size_t characters = strlen(track->sensor_id) + strlen(track->source_track_id) +
                      strlen(track->trace.traceparent) + strlen(track->trace.tracestate);
  return track->position.x + track->position.y + track->position.z + track->velocity.x + track->velocity.y +
         track->velocity.z + track->sequence_number + track->position_sigma_m + track->observed_unix_ms +
         track->sensor_type + track->classification + (double) characters;
}

static double look_at_text(const void *sample) { return (double) strlen(((const bench_Text *) sample)->body); }

static double look_at_numbers(const void *sample) {
  const bench_Numbers *numbers = sample;
  double sum = 0;
  for (uint32_t i = 0; i < numbers->reals._length; i++) sum += numbers->reals._buffer[i];
  return sum;
}

static double *latencies;
static size_t heard;
static double listen_to(const void *sample) {
  latencies[heard++] = unix_ms() - ((const cms_SourceTrack *) sample)->observed_unix_ms;
  return 0;
}

static void read_all(dds_entity_t participant, dds_entity_t topic, unsigned long n, look visit) {
  dds_qos_t *qos = profile();
  dds_entity_t reader = dds_create_reader(participant, topic, qos, NULL);
  dds_delete_qos(qos);
  dds_entity_t condition = dds_create_readcondition(reader, DDS_ANY_STATE);
  dds_entity_t waitset = dds_create_waitset(participant);
  dds_waitset_attach(waitset, condition, 0);
  void *samples[BATCH] = {0};
  dds_sample_info_t infos[BATCH];
  unsigned long got = 0;
  double start = 0, sum = 0;
  while (got < n) {
    dds_waitset_wait(waitset, NULL, 0, DDS_SECS(30));
    int count;
    while ((count = dds_take(reader, samples, infos, BATCH, BATCH)) > 0) {
      if (got == 0) start = now();
      for (int i = 0; i < count; i++) {
        if (!infos[i].valid_data) continue;
        sum += visit(samples[i]);
        got++;
      }
      dds_return_loan(reader, samples, count);
    }
  }
  printf("{\"read\":%lu,\"seconds\":%f,\"check\":%f", got, now() - start, sum);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void hear(dds_entity_t participant, dds_entity_t topic, unsigned long n) {
  latencies = calloc(n, sizeof *latencies);
  read_all(participant, topic, n, listen_to);
  qsort(latencies, n, sizeof *latencies, ascending);
  printf(",\"p50_us\":%f,\"p99_us\":%f}\n", 1e3 * latencies[n / 2], 1e3 * latencies[n * 99 / 100]);
  free(latencies);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *mode = argv[1];
  unsigned long n = strtoul(argv[2], NULL, 10);
  size_t size = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
  int is_text = strstr(mode, "-text") != NULL, is_numbers = strstr(mode, "-numbers") != NULL;
  const dds_topic_descriptor_t *type = is_text ? &bench_Text_desc : is_numbers ? &bench_Numbers_desc : &cms_SourceTrack_desc;
  const char *name = is_text ? "Text" : is_numbers ? "Numbers" : "SourceTrackTopic";
  dds_entity_t participant = dds_create_participant(DDS_DOMAIN_DEFAULT, NULL, NULL);
  dds_entity_t topic = dds_create_topic(participant, type, name, NULL, NULL);
  if (strcmp(mode, "write") == 0) write_all(matched_writer(participant, topic), n);
  else if (strcmp(mode, "pulse") == 0) pulse(matched_writer(participant, topic), n);
  else if (strcmp(mode, "send-text") == 0) send_text(matched_writer(participant, topic), n, size);
  else if (strcmp(mode, "send-numbers") == 0) send_numbers(matched_writer(participant, topic), n, size);
  else if (strcmp(mode, "hear") == 0) hear(participant, topic, n);
  else {
    read_all(participant, topic, n, is_text ? look_at_text : is_numbers ? look_at_numbers : look_at_track);
    printf("}\n");
  }
  dds_delete(participant);
  return 0;
}

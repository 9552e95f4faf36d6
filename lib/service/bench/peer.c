/* The C side of the benchmark, built from the same IDL with the same QoS: see main.ts for what each
 * mode is for.
 *
 *   peer write N      peer read N         SourceTrack as fast as it goes
 *   peer pulse N      peer hear N         SourceTrack at 600 a second; one-way latency
 *   peer steps N                          CPU time of each step within one process
 *   peer send-text N SIZE | send-numbers N SIZE | receive-text N | receive-numbers N
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "dds/dds.h"
#include "bench.h"
#include "cms.h"

/* RUN_IN: messages whose latency does not count, because the process has just started. */
enum { BATCH = 256, BURST = 3, RUN_IN = 1800 };
static const long BURST_NS = 5000000;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double) t.tv_sec + t.tv_nsec / 1e9;
}

static double now(void) { return seconds(CLOCK_MONOTONIC); }
static double unix_ms(void) { return seconds(CLOCK_REALTIME) * 1e3; }

/* CPU time of this process by thread, microseconds, as in cpu.ts. */
struct cpu {
  double main, main_kernel, receive, receive_kernel, other;
};

static struct cpu cpu(void) {
  struct cpu cpu = {0};
  const double tick_us = 1e6 / (double) sysconf(_SC_CLK_TCK);
  DIR *tasks = opendir("/proc/self/task");
  for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
    if (task->d_name[0] == '.') continue;
    char path[300], stat[1024] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
    FILE *file = fopen(path, "r");
    if (file == NULL) continue;
    char *end = fgets(stat, sizeof stat, file) == NULL ? NULL : strrchr(stat, ')');
    fclose(file);
    double own = 0, kernel = 0;
    if (end == NULL || sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf", &own, &kernel) != 2) continue;
    own *= tick_us, kernel *= tick_us;
    if (atoi(task->d_name) == getpid()) cpu.main += own, cpu.main_kernel += kernel;
    else if (strstr(stat, "(recv") != NULL) cpu.receive += own, cpu.receive_kernel += kernel;
    else cpu.other += own + kernel;
  }
  closedir(tasks);
  return cpu;
}

static void print_cpu_since(struct cpu before) {
  struct cpu now = cpu();
  printf(",\"main_us\":%f,\"main_kernel_us\":%f,\"receive_us\":%f,\"receive_kernel_us\":%f,\"other_us\":%f",
         now.main - before.main, now.main_kernel - before.main_kernel, now.receive - before.receive,
         now.receive_kernel - before.receive_kernel, now.other - before.other);
}

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

static void finish(dds_entity_t writer, unsigned long n, double start, struct cpu before) {
  dds_write_flush(writer);
  dds_wait_for_acks(writer, DDS_SECS(30));
  printf("{\"written\":%lu,\"seconds\":%f", n, now() - start);
  print_cpu_since(before);
  printf("}\n");
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
  struct cpu before = cpu();
  double start = now();
  for (unsigned long i = 0; i < n; i++) {
    track.sequence_number = (uint32_t) i;
    track.position.x = (double) i;
    must_write(writer, &track);
  }
  finish(writer, n, start, before);
}

static void pulse(dds_entity_t writer, unsigned long n) {
  cms_SourceTrack track = first_track();
  struct timespec next;
  struct cpu before = cpu();
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
  finish(writer, n, start, before);
}

static void send_text(dds_entity_t writer, unsigned long n, size_t size) {
  bench_Text sample = {.body = malloc(size + 1)};
  memset(sample.body, 'x', size);
  sample.body[size] = 0;
  struct cpu before = cpu();
  double start = now();
  for (unsigned long i = 0; i < n; i++) {
    sample.number = (uint32_t) i;
    must_write(writer, &sample);
  }
  finish(writer, n, start, before);
  free(sample.body);
}

static void send_numbers(dds_entity_t writer, unsigned long n, size_t size) {
  double *numbers = calloc(size + 1, sizeof *numbers);
  bench_Numbers sample = {0};
  sample.reals._buffer = numbers;
  sample.reals._length = sample.reals._maximum = (uint32_t) size;
  struct cpu before = cpu();
  double start = now();
  for (unsigned long i = 0; i < n; i++) {
    sample.number = (uint32_t) i;
    must_write(writer, &sample);
  }
  finish(writer, n, start, before);
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
  unsigned long got = 0, wake_ups = 0;
  double start = 0, sum = 0;
  struct cpu before = cpu();
  while (got < n) {
    dds_waitset_wait(waitset, NULL, 0, DDS_SECS(30));
    wake_ups++;
    int count;
    while ((count = dds_take(reader, samples, infos, BATCH, BATCH)) > 0) {
      if (got == 0) start = now(), before = cpu();
      for (int i = 0; i < count; i++) {
        if (!infos[i].valid_data) continue;
        sum += visit(samples[i]);
        got++;
      }
      dds_return_loan(reader, samples, count);
    }
  }
  printf("{\"read\":%lu,\"seconds\":%f,\"wake_ups\":%lu,\"check\":%f", got, now() - start, wake_ups, sum);
  print_cpu_since(before);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void hear(dds_entity_t participant, dds_entity_t topic, unsigned long n) {
  latencies = calloc(n, sizeof *latencies);
  read_all(participant, topic, n, listen_to);
  double *measured = latencies + RUN_IN;
  n -= RUN_IN;
  qsort(measured, n, sizeof *measured, ascending);
  printf(",\"p50_us\":%f,\"p99_us\":%f}\n", 1e3 * measured[n / 2], 1e3 * measured[n * 99 / 100]);
  free(latencies);
}

/* Takes everything and returns the CPU time, nanoseconds a message. */
static double take_all(dds_entity_t reader, unsigned long n, look visit, double *sum) {
  void *samples[BATCH] = {0};
  dds_sample_info_t infos[BATCH];
  double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
  int count;
  while ((count = dds_take(reader, samples, infos, BATCH, BATCH)) > 0) {
    for (int i = 0; i < count; i++)
      if (visit != NULL && infos[i].valid_data) *sum += visit(samples[i]);
    dds_return_loan(reader, samples, count);
  }
  return 1e9 * (seconds(CLOCK_PROCESS_CPUTIME_ID) - start) / (double) n;
}

static double lesser(double a, double b) { return a < b ? a : b; }

static void steps(dds_entity_t participant, dds_entity_t topic, unsigned long n) {
  dds_qos_t *qos = profile();
  dds_entity_t reader = dds_create_reader(participant, topic, qos, NULL);
  dds_delete_qos(qos);
  dds_entity_t writer = matched_writer(participant, topic);
  cms_SourceTrack track = first_track();
  double write = 1e9, take = 1e9, view = 1e9, sum = 0;
  for (int round = 0; round < 16; round++) {
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned long i = 0; i < n; i++) {
      track.sequence_number = (uint32_t) i;
      must_write(writer, &track);
    }
    write = lesser(write, 1e9 * (seconds(CLOCK_PROCESS_CPUTIME_ID) - start) / (double) n);
    if (round % 2 == 0) take = lesser(take, take_all(reader, n, NULL, &sum));
    else view = lesser(view, take_all(reader, n, look_at_track, &sum));
  }
  printf("{\"write_ns\":%f,\"take_ns\":%f,\"fields_ns\":%f,\"check\":%f}\n", write, take, view - take, sum);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *mode = argv[1];
  unsigned long n = strtoul(argv[2], NULL, 10);
  if (strcmp(mode, "hear") == 0 && n <= RUN_IN) return 2;
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
  else if (strcmp(mode, "steps") == 0) steps(participant, topic, n);
  else if (strcmp(mode, "hear") == 0) hear(participant, topic, n);
  else {
    read_all(participant, topic, n, is_text ? look_at_text : is_numbers ? look_at_numbers : look_at_track);
    printf("}\n");
  }
  dds_delete(participant);
  return 0;
}

/* A peer in plain C: writes what standard input says and prints what it reads, field by field.
 *
 * Run: peer describe <topic> <op words>, or peer <domain> cdr1|cdr2|kept <topic>...
 * `kept` is cdr1 with writers that keep everything for late joiners, and readers that ask for that.
 * topics.h, which is generated, holds the types.
 *
 * The first prints what the IDL compiler made of a type. The second obeys commands, one a line:
 * `write|dispose|unregister <topic> <tokens>`, and prints samples, one a line:
 * `<topic> <instance state> <valid> <tokens>`.
 *
 * Tokens, in the order of fields: integers and enums in decimals, floating-point numbers as the hex
 * digits of their bits, text as x and the hex digits of its bytes, sequences as their length and
 * their elements. Without data (valid is 0) the tokens are those of the key fields.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dds/dds.h"

#define LINE_BYTES (8 << 20)
#define MATCH_TRIES 2000

static void fail(const char *what, const char *which) {
  fprintf(stderr, "%s: %s\n", what, which);
  exit(1);
}

static char *next_token(void) {
  char *token = strtok(NULL, " \n");
  if (token == NULL) fail("a token is missing", "at the end of the line");
  return token;
}

static int64_t get_i64(void) { return strtoll(next_token(), NULL, 10); }
static uint64_t get_u64(void) { return strtoull(next_token(), NULL, 10); }

static float get_f32(void) {
  uint32_t bits = (uint32_t) strtoul(next_token(), NULL, 16);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static double get_f64(void) {
  uint64_t bits = strtoull(next_token(), NULL, 16);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void get_text(char *into, size_t room) {
  const char *token = next_token();
  size_t length = strlen(token + 1) / 2;
  if (length >= room) fail("text is too long", token);
  for (size_t i = 0; i < length; i++) {
    unsigned byte;
    sscanf(token + 1 + 2 * i, "%2x", &byte);
    into[i] = (char) byte;
  }
  into[length] = '\0';
}

/* Text of any length: a longer one than the line cannot come. */
static char *get_string(void) {
  static char text[LINE_BYTES];
  get_text(text, sizeof text);
  return dds_string_dup(text);
}

static void put_i64(int64_t value) { printf(" %" PRId64, value); }
static void put_u64(uint64_t value) { printf(" %" PRIu64, value); }

static void put_f32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  printf(" %08" PRIx32, bits);
}

static void put_f64(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  printf(" %016" PRIx64, bits);
}

static void put_text(const char *text) {
  printf(" x");
  for (; *text != '\0'; text++) printf("%02x", (unsigned char) *text);
}

struct type {
  const char *topic;
  const dds_topic_descriptor_t *descriptor;
  size_t size;
  void (*get)(void *sample);
  void (*put)(const void *sample);
  void (*get_key)(void *sample);
  void (*put_key)(const void *sample);
};

#include "topics.h"

#define TYPES (sizeof types / sizeof types[0])
static dds_entity_t writers[TYPES];

static size_t index_of(const char *topic) {
  for (size_t i = 0; i < TYPES; i++)
    if (strcmp(types[i].topic, topic) == 0) return i;
  fail("no such topic", topic);
  return 0;
}

static void on_data(dds_entity_t reader, void *arg) {
  const struct type *type = arg;
  void *sample = NULL;
  dds_sample_info_t info;
  while (dds_take(reader, &sample, &info, 1, 1) > 0) {
    const char *state = info.instance_state == DDS_ALIVE_INSTANCE_STATE                ? "ALIVE"
                        : info.instance_state == DDS_NOT_ALIVE_DISPOSED_INSTANCE_STATE ? "NOT_ALIVE_DISPOSED"
                                                                                       : "NOT_ALIVE_NO_WRITERS";
    flockfile(stdout);
    printf("%s %s %d", type->topic, state, info.valid_data);
    if (info.valid_data)
      type->put(sample);
    else
      type->put_key(sample);
    printf("\n");
    fflush(stdout);
    funlockfile(stdout);
    dds_return_loan(reader, &sample, 1);
    sample = NULL;
  }
}

/* A writer and a reader of the topic, which do not hear each other. */
static void open_topic(dds_entity_t participant, const char *name, const char *mode) {
  dds_data_representation_id_t cdr =
      strcmp(mode, "cdr2") == 0 ? DDS_DATA_REPRESENTATION_XCDR2 : DDS_DATA_REPRESENTATION_XCDR1;
  const size_t i = index_of(name);
  dds_qos_t *qos = dds_create_qos();
  dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_SECS(10));
  dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
  if (strcmp(mode, "kept") == 0) {
    dds_qset_durability(qos, DDS_DURABILITY_TRANSIENT_LOCAL);
    dds_qset_durability_service(qos, 0, DDS_HISTORY_KEEP_ALL, 1, -1, -1, -1);
  }
  dds_qset_ignorelocal(qos, DDS_IGNORELOCAL_PARTICIPANT);
  dds_entity_t topic = dds_create_topic(participant, types[i].descriptor, name, NULL, NULL);
  if (topic < 0) fail("cannot create a topic", name);
  dds_listener_t *listener = dds_create_listener((void *) &types[i]);
  dds_lset_data_available(listener, on_data);
  if (dds_create_reader(participant, topic, qos, listener) < 0) fail("cannot create a reader", name);
  dds_qset_data_representation(qos, 1, &cdr);
  writers[i] = dds_create_writer(participant, topic, qos, NULL);
  if (writers[i] < 0) fail("cannot create a writer", name);
  dds_delete_listener(listener);
  dds_delete_qos(qos);
}

static void wait_for_reader(dds_entity_t writer) {
  dds_publication_matched_status_t status = {0};
  for (int i = 0; i < MATCH_TRIES && status.current_count == 0; i++) {
    dds_get_publication_matched_status(writer, &status);
    dds_sleepfor(DDS_MSECS(5));
  }
  if (status.current_count == 0) fail("no reader", "after ten seconds");
}

static void obey(const char *command, const char *topic) {
  const size_t i = index_of(topic);
  const bool is_write = strcmp(command, "write") == 0;
  void *sample = calloc(1, types[i].size);
  if (is_write)
    types[i].get(sample);
  else
    types[i].get_key(sample);
  wait_for_reader(writers[i]);
  dds_return_t code = is_write                          ? dds_write(writers[i], sample)
                      : strcmp(command, "dispose") == 0 ? dds_dispose(writers[i], sample)
                                                        : dds_unregister_instance(writers[i], sample);
  if (code < 0) fail("the command failed", dds_strretcode(-code));
  dds_sample_free(sample, types[i].descriptor, DDS_FREE_ALL);
}

/* Type name, size, alignment, flags, number of instructions, ops, and name, place and order of each
 * key. */
static int describe(const dds_topic_descriptor_t *d, int words) {
  printf("%s %u %u %u %u", d->m_typename, d->m_size, d->m_align, d->m_flagset & ~DDS_TOPIC_XTYPES_METADATA, d->m_nops);
  for (int i = 0; i < words; i++) printf(" %u", d->m_ops[i]);
  for (uint32_t i = 0; i < d->m_nkeys; i++)
    printf(" %s %u %u", d->m_keys[i].m_name, d->m_keys[i].m_offset, d->m_keys[i].m_idx);
  printf("\n");
  return 0;
}

int main(int argc, char **argv) {
  static char line[LINE_BYTES];
  if (strcmp(argv[1], "describe") == 0) return describe(types[index_of(argv[2])].descriptor, atoi(argv[3]));
  dds_entity_t participant = dds_create_participant((dds_domainid_t) atoi(argv[1]), NULL, NULL);
  if (participant < 0) fail("cannot join the domain", argv[1]);
  for (int i = 3; i < argc; i++) open_topic(participant, argv[i], argv[2]);
  printf("ready\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    const char *command = strtok(line, " \n");
    obey(command, next_token());
  }
  dds_delete(participant);
  return 0;
}

/* The one piece of C: DDS threads call on_data, which makes a file descriptor readable and returns.
 * No JavaScript ever runs on a thread of DDS. It is linked with nothing: a machine without a C compiler has no
 * libc to link with, so the one function that it calls is handed in. */
static long (*write_to)(int fd, const void *buffer, unsigned long size);

void wake_link(void *write_function) {
  write_to = (long (*)(int, const void *, unsigned long)) write_function;
}

/* dds_on_data_available_fn; arg is the descriptor itself. */
static void on_data(int reader, void *arg) {
  unsigned long long one = 1;
  (void) reader;
  write_to((int) (long) arg, &one, sizeof one);
}

void *wake_on_data(void) {
  return (void *) on_data;
}

/* The one piece of C: DDS threads call on_data, which makes a file descriptor readable and returns.
 * No JavaScript ever runs on a thread of DDS. Prototypes stand here so that no header is needed. */
long read(int fd, void *buffer, unsigned long size);
long write(int fd, const void *buffer, unsigned long size);
int close(int fd);
#ifdef __linux__
int eventfd(unsigned int value, int flags);
#else
int pipe(int fds[2]);
int fcntl(int fd, int command, ...);
#endif

/* Fills in the descriptor to read from and the one to write to; 0 when it worked. */
int wake_open(int *fds) {
#ifdef __linux__
  fds[0] = fds[1] = eventfd(0, 02000000 | 04000); /* EFD_CLOEXEC | EFD_NONBLOCK */
  return fds[0] < 0 ? -1 : 0;
#else
  if (pipe(fds) != 0) return -1;
  fcntl(fds[1], 4, 0x0004); /* F_SETFL, O_NONBLOCK: a full pipe is readable already */
  return 0;
#endif
}

void wake_close(int reading, int writing) {
  close(reading);
  if (writing != reading) close(writing);
}

void wake_signal(int writing) {
  unsigned long long one = 1;
  write(writing, &one, sizeof one);
}

/* dds_on_data_available_fn; arg is the descriptor itself. */
static void on_data(int reader, void *arg) {
  (void) reader;
  wake_signal((int) (long) arg);
}

void *wake_on_data(void) {
  return (void *) on_data;
}

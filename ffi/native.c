/* The C of this binding, compiled when the library is loaded: what has to run on threads of DDS, and what would otherwise be
 * several calls a sample. It is linked with nothing: a machine without a C compiler has no libc to link with, so the functions
 * that it calls are handed in. */
typedef unsigned long size;

static long (*write_to)(int fd, const void *buffer, size bytes);
static int (*mutex_init)(void *mutex, const void *attributes);
static int (*mutex_lock)(void *mutex);
static int (*mutex_unlock)(void *mutex);
static unsigned (*serdata_size)(const void *serdata);
static void (*serdata_to_ser)(const void *serdata, size offset, size bytes, void *buffer);
static void (*serdata_unref)(void *serdata);

/* A pthread_mutex_t, with room for that of any system. It guards is_signalled of every wake. */
static size mutex[16];

/* The functions, in the order of their declarations. */
void native_link(void **functions) {
  write_to = functions[0];
  mutex_init = functions[1];
  mutex_lock = functions[2];
  mutex_unlock = functions[3];
  serdata_size = functions[4];
  serdata_to_ser = functions[5];
  serdata_unref = functions[6];
  mutex_init(mutex, 0);
}

/* How a reader wakes the JavaScript thread: by a byte in a socket, which is not written again before that has been seen. */
struct wake {
  int fd;
  int is_signalled;
};

void wake_init(void *wake, int fd) {
  ((struct wake *) wake)->fd = fd;
}

static void signal_wake(struct wake *wake) {
  static const char byte = 1;
  mutex_lock(mutex);
  int was_signalled = wake->is_signalled;
  wake->is_signalled = 1;
  mutex_unlock(mutex);
  if (!was_signalled) write_to(wake->fd, &byte, 1);
}

/* dds_on_data_available_fn, on a thread of DDS. */
static void on_data(int reader, void *arg) {
  (void) reader;
  signal_wake(arg);
}

void *wake_on_data(void) {
  return (void *) on_data;
}

void wake_signal(void *wake) {
  signal_wake(wake);
}

/* Call it before looking for data: whatever arrives later than that wakes again. */
void wake_clear(void *wake) {
  mutex_lock(mutex);
  ((struct wake *) wake)->is_signalled = 0;
  mutex_unlock(mutex);
}

/* Copies serialized samples one behind the other into `arena`, as many as fit, and frees them. Each starts 4 bytes behind a
 * multiple of 8, so that what follows its header of 4 bytes is aligned. Sizes go to `sizes`, also that of one that did not fit.
 * Returns how many were copied. */
unsigned unload(void *const *samples, unsigned count, char *arena, size room, unsigned *sizes) {
  size at = 4;
  for (unsigned i = 0; i < count; i++) {
    size bytes = serdata_size(samples[i]);
    sizes[i] = (unsigned) bytes;
    if (at + bytes > room) return i;
    serdata_to_ser(samples[i], 0, bytes, arena + at);
    serdata_unref(samples[i]);
    at = ((at + bytes + 7) & ~(size) 7) + 4;
  }
  return count;
}

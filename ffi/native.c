/* The C of this binding, compiled when the library is loaded: what has to run on threads of DDS,
 * and what would otherwise be several calls a sample. It is linked with nothing: a machine without
 * a C compiler has no libc to link with, so the functions that it calls are handed in. */
typedef unsigned long size;

/* Of N-API, whose threadsafe functions any thread may call. Every one of these returns 0 when it
 * has worked. */
static int (*create_string)(void *env, const char *text, size bytes, void **result);
static int (*create_function)(void *env, void *callback, void *resource, void *name, size max_queued, size threads,
                              void *finalize_data, void *finalize, void *context, void *call, void **result);
static int (*call_function)(void *function, void *data, int mode);
static int (*release_function)(void *function, int mode);
static int (*add_cleanup)(void *env, void (*cleanup)(void *), void *arg);
static int (*remove_cleanup)(void *env, void (*cleanup)(void *), void *arg);
static int (*mutex_init)(void *mutex, const void *attributes);
static int (*mutex_lock)(void *mutex);
static int (*mutex_unlock)(void *mutex);
static unsigned (*serdata_size)(const void *serdata);
static void (*serdata_to_ser)(const void *serdata, size offset, size bytes, void *buffer);
static void (*serdata_unref)(void *serdata);

/* A pthread_mutex_t, with room for that of any system. It guards every wake. */
static size mutex[16];

/* The functions, in the order of their declarations. */
void native_link(void **functions) {
  create_string = functions[0];
  create_function = functions[1];
  call_function = functions[2];
  release_function = functions[3];
  add_cleanup = functions[4];
  remove_cleanup = functions[5];
  mutex_init = functions[6];
  mutex_lock = functions[7];
  mutex_unlock = functions[8];
  serdata_size = functions[9];
  serdata_to_ser = functions[10];
  serdata_unref = functions[11];
  mutex_init(mutex, 0);
}

/* How a reader wakes the JavaScript thread: by one call however much arrives, and by none while
 * that thread looks for data. The function is 0 when the thread has ended: calling it would touch
 * what is gone with the thread. */
struct wake {
  void *function;
  enum { RESTING, CALLED, LOOKING, MISSED } state;
};

/* napi_tsfn_nonblocking, napi_tsfn_abort */
enum { NONBLOCKING = 0, ABORT = 1 };

/* The JavaScript thread ends. */
static void end_wake(void *arg) {
  mutex_lock(mutex);
  ((struct wake *) arg)->function = 0;
  mutex_unlock(mutex);
}

/* Returns whether it has worked. */
int wake_open(void *env, void *callback, struct wake *wake) {
  void *name;
  if (create_string(env, "onData", 6, &name) != 0) return 0;
  if (create_function(env, callback, 0, name, 0, 1, 0, 0, 0, 0, &wake->function) != 0) return 0;
  return add_cleanup(env, end_wake, wake) == 0;
}

/* Call it only once no DDS thread can signal any more. */
void wake_close(void *env, struct wake *wake) {
  remove_cleanup(env, end_wake, wake);
  release_function(wake->function, ABORT);
}

void wake_signal(struct wake *wake) {
  mutex_lock(mutex);
  if (wake->state == LOOKING) wake->state = MISSED;
  if (wake->state == RESTING && wake->function != 0) {
    wake->state = CALLED;
    call_function(wake->function, 0, NONBLOCKING);
  }
  mutex_unlock(mutex);
}

/* dds_on_data_available_fn, on a thread of DDS. */
static void on_data(int reader, void *arg) {
  (void) reader;
  wake_signal(arg);
}

void *wake_on_data(void) {
  return (void *) on_data;
}

/* Call it before looking for data. */
void wake_look(struct wake *wake) {
  mutex_lock(mutex);
  wake->state = LOOKING;
  mutex_unlock(mutex);
}

/* Call it after looking for data. Returns whether more has arrived meanwhile: then look again. */
int wake_rest(struct wake *wake) {
  mutex_lock(mutex);
  int missed = wake->state == MISSED;
  wake->state = missed ? LOOKING : RESTING;
  mutex_unlock(mutex);
  return missed;
}

/* Copies serialized samples one behind the other into `arena`, as many as fit, and frees them. Each
 * starts 4 bytes behind a multiple of 8, so that what follows its header of 4 bytes is aligned.
 * Sizes go to `sizes`, also that of one that did not fit. Returns how many were copied. */
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

/*
 * Remembers what a power cut would leave of the files under $POWERCUT_PREFIX (a path prefix: the
 * database's path, so that <db>, <db>-wal and <db>-journal are meant). Loaded with LD_PRELOAD.
 *
 * The process reads and writes its real files as usual. Ranges written since the last fsync are kept in
 * memory; fsync and fdatasync copy them into <file>.synced. After a kill -9 the page cache still holds
 * what was never synced, so the real file cannot show a missing fsync: <file>.synced can.
 * A file renamed into place counts once its directory was synced. -shm is left alone: SQLite rebuilds it and never
 * syncs it; so is the ballast, which holds nothing. mmap is not covered (SQLite's is off by default).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FDS 65536
#define MAX_FILES 64
#define MAX_RANGES 4096
#define DIRECTORY 255 /* in fd_file: the directory of the watched files */

struct range { off_t from, to; };
struct file {
  char path[PATH_MAX];
  int whole; /* nothing is known of the last sync: copy everything at the next one */
  int renamed; /* it was renamed here, and the directory was not synced since */
  int count;
  struct range ranges[MAX_RANGES];
};

static struct file *files[MAX_FILES];
static int file_count;
static unsigned char fd_file[MAX_FDS]; /* index + 1 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name, type, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void die(const char *what) {
  dprintf(2, "powercut: %s: %s\n", what, strerror(errno));
  abort();
}

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static int is_watched(const char *path) {
  static const char *prefix;
  if (!prefix && !(prefix = getenv("POWERCUT_PREFIX"))) return 0;
  return prefix[0] && strncmp(path, prefix, strlen(prefix)) == 0 && !ends_with(path, "-shm") &&
         !ends_with(path, ".synced") && !strstr(path + strlen(prefix), ".ballast");
}

static int is_directory(const char *path) {
  const char *prefix = getenv("POWERCUT_PREFIX");
  const char *slash = prefix ? strrchr(prefix, '/') : NULL;
  return slash && strlen(path) == (size_t)(slash - prefix) && strncmp(path, prefix, strlen(path)) == 0;
}

static void shadow_path(char *out, const char *path) { snprintf(out, PATH_MAX + 16, "%s.synced", path); }

static struct file *find_file(const char *path) {
  for (int i = 0; i < file_count; i++)
    if (strcmp(files[i]->path, path) == 0) return files[i];
  return NULL;
}

static struct file *file_of(int fd) {
  return fd >= 0 && fd < MAX_FDS && fd_file[fd] && fd_file[fd] != DIRECTORY ? files[fd_file[fd] - 1] : NULL;
}

/* Under the lock. */
static struct file *remember(const char *path) {
  struct file *file = find_file(path);
  if (file) return file;
  if (file_count == MAX_FILES || !(file = calloc(1, sizeof *file))) die("too many files");
  snprintf(file->path, PATH_MAX, "%s", path);
  file->whole = 1;
  files[file_count++] = file;
  return file;
}

static void opened(int fd, const char *path, int flags) {
  if (fd < 0 || fd >= MAX_FDS) return;
  if (is_directory(path)) fd_file[fd] = DIRECTORY;
  if (!is_watched(path)) return;
  pthread_mutex_lock(&lock);
  struct file *file = remember(path);
  if (flags & O_TRUNC) file->whole = 1;
  for (int i = 0; i < file_count; i++)
    if (files[i] == file) fd_file[fd] = (unsigned char)(i + 1);
  pthread_mutex_unlock(&lock);
}

static void wrote(int fd, off_t from, ssize_t size) {
  if (size <= 0 || !file_of(fd)) return;
  pthread_mutex_lock(&lock);
  struct file *file = file_of(fd);
  struct range *last = file && file->count ? &file->ranges[file->count - 1] : NULL;
  if (file && !file->whole) {
    if (last && last->to == from) last->to = from + size;
    else if (file->count == MAX_RANGES) file->whole = 1;
    else file->ranges[file->count++] = (struct range){from, from + size};
  }
  pthread_mutex_unlock(&lock);
}

static void truncated(int fd) {
  pthread_mutex_lock(&lock);
  if (file_of(fd)) file_of(fd)->whole = 1;
  pthread_mutex_unlock(&lock);
}

static void copy_range(int from_fd, int to_fd, off_t from, off_t to) {
  static char buffer[1 << 16]; /* under the lock */
  ssize_t (*write_at)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
  while (from < to) {
    size_t want = (size_t)(to - from) < sizeof buffer ? (size_t)(to - from) : sizeof buffer;
    ssize_t got = pread(from_fd, buffer, want, from);
    if (got <= 0) return; /* cut off since: the size is set below */
    if (write_at(to_fd, buffer, (size_t)got, from) != got) die("shadow write");
    from += got;
  }
}

static void renamed_shadow(char *out, const char *path) { snprintf(out, PATH_MAX + 32, "%s.renamed.synced", path); }

static void directory_synced(void) {
  int (*move)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  pthread_mutex_lock(&lock);
  for (int i = 0; i < file_count; i++) {
    char from[PATH_MAX + 32], to[PATH_MAX + 16];
    if (!files[i]->renamed) continue;
    renamed_shadow(from, files[i]->path);
    shadow_path(to, files[i]->path);
    if (move(from, to) != 0 && errno != ENOENT) die(to);
    files[i]->renamed = 0;
  }
  pthread_mutex_unlock(&lock);
}

static void synced(int fd) {
  if (fd >= 0 && fd < MAX_FDS && fd_file[fd] == DIRECTORY) directory_synced();
  if (!file_of(fd)) return;
  pthread_mutex_lock(&lock);
  struct file *file = file_of(fd);
  char shadow[PATH_MAX + 16];
  shadow_path(shadow, file->path);
  int (*open_file)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  int (*close_file)(int) = dlsym(RTLD_NEXT, "close");
  int (*truncate_file)(int, off_t) = dlsym(RTLD_NEXT, "ftruncate64");
  /* Read through a descriptor of our own: the caller's may be write-only. */
  int from_fd = open_file(file->path, O_RDONLY | O_CLOEXEC);
  struct stat now;
  if (from_fd >= 0 && fstat(from_fd, &now) == 0 && S_ISREG(now.st_mode)) {
    int to_fd = open_file(shadow, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (to_fd < 0) die(shadow);
    if (file->whole) copy_range(from_fd, to_fd, 0, now.st_size);
    for (int i = 0; !file->whole && i < file->count; i++)
      copy_range(from_fd, to_fd, file->ranges[i].from, file->ranges[i].to);
    if (truncate_file(to_fd, now.st_size) != 0) die("shadow size");
    close_file(to_fd);
  }
  if (from_fd >= 0) close_file(from_fd);
  file->whole = 0;
  file->count = 0;
  pthread_mutex_unlock(&lock);
}

#define OPEN_MODE(flags, last) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list args; va_start(args, last); mode = va_arg(args, mode_t); va_end(args); }

#define DEFINE_OPEN(name) \
  int name(const char *path, int flags, ...) { \
    OPEN_MODE(flags, flags) REAL(#name, int, const char *, int, ...); \
    int fd = real(path, flags, mode); opened(fd, path, flags); return fd; }
#define DEFINE_OPENAT(name) \
  int name(int at, const char *path, int flags, ...) { \
    OPEN_MODE(flags, flags) REAL(#name, int, int, const char *, int, ...); \
    int fd = real(at, path, flags, mode); opened(fd, path, flags); return fd; }
#define DEFINE_PWRITE(name) \
  ssize_t name(int fd, const void *bytes, size_t size, off_t at) { \
    REAL(#name, ssize_t, int, const void *, size_t, off_t); \
    ssize_t done = real(fd, bytes, size, at); wrote(fd, at, done); return done; }
#define DEFINE_SYNC(name) \
  int name(int fd) { REAL(#name, int, int); int result = real(fd); \
    int saved = errno; if (result == 0) synced(fd); errno = saved; return result; }

#define DEFINE_TRUNCATE(name) \
  int name(int fd, off_t size) { \
    REAL(#name, int, int, off_t); int result = real(fd, size); if (result == 0) truncated(fd); return result; }

DEFINE_OPEN(open)
DEFINE_OPEN(open64)
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)
DEFINE_PWRITE(pwrite)
DEFINE_PWRITE(pwrite64)
DEFINE_TRUNCATE(ftruncate)
DEFINE_TRUNCATE(ftruncate64)
DEFINE_SYNC(fsync)
DEFINE_SYNC(fdatasync)

ssize_t write(int fd, const void *bytes, size_t size) {
  REAL("write", ssize_t, int, const void *, size_t);
  if (!file_of(fd)) return real(fd, bytes, size);
  off_t at = lseek(fd, 0, SEEK_CUR);
  ssize_t done = real(fd, bytes, size);
  wrote(fd, at, done);
  return done;
}

int rename(const char *from, const char *to) {
  REAL("rename", int, const char *, const char *);
  int result = real(from, to);
  if (result == 0 && is_watched(to)) {
    char old[PATH_MAX + 16], waiting[PATH_MAX + 32];
    shadow_path(old, from);
    renamed_shadow(waiting, to);
    pthread_mutex_lock(&lock);
    struct file *source = find_file(from), *target = remember(to);
    if (real(old, waiting) != 0 && errno != ENOENT) die(waiting);
    if (source) source->whole = 1;
    target->whole = 1;
    target->renamed = 1;
    pthread_mutex_unlock(&lock);
  }
  return result;
}

int unlink(const char *path) {
  REAL("unlink", int, const char *);
  int result = real(path);
  if (result == 0 && is_watched(path)) {
    char shadow[PATH_MAX + 16];
    shadow_path(shadow, path);
    pthread_mutex_lock(&lock);
    real(shadow);
    struct file *file = find_file(path);
    if (file) file->whole = 1;
    pthread_mutex_unlock(&lock);
  }
  return result;
}

int close(int fd) {
  REAL("close", int, int);
  if (fd >= 0 && fd < MAX_FDS) fd_file[fd] = 0;
  return real(fd);
}

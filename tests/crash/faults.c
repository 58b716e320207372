/* Makes one system call of one process the last thing that process does, or makes it fail.
 *
 * Preloaded, it counts the calls that change something outside of a process (writes, syncs, renames, forks, ...), apart
 * for taskrun, its supervisor and its tasks, and acts at the one it was told of. What it is told and what it found are
 * in a page of shared memory, a file that every process of one crash point maps. Until it is told it only passes on.
 *
 * Syncs are counted and not carried out: a killed process loses nothing of what the kernel has taken.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { TASKRUN, SUPERVISOR, TASK, ANY, ROLES };
enum { REMEMBERED = 4096 };
enum { BEFORE, AFTER, TORN };
enum { KILL, FAIL_ONCE, FAIL_ON };              /* FAIL_ON: that call and all that follow */
enum { CALLER = 0, THE_TASKRUN = 1, THE_SUPERVISOR = 2, EVERYTHING = 3 };
enum { WRITE = 1, SYNC = 2, NAME = 4, SEND = 8, START = 16 };

struct page {
    int32_t armed, role, phase, victim, mode, error, kinds, fired;
    int64_t nth;
    int64_t count[ROLES];
    int32_t pid[2];
    int32_t tasks, task[500];
    char call[32];
    char boot[256];                             /* shown in place of the kernel's boot id, if not empty */
    uint8_t kind[ROLES][REMEMBERED];            /* of the first calls, in order */
};

static struct page *page;
static int role = TASKRUN;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static struct page *map(const char *path) {
    static int (*real_open)(const char *, int, ...);
    if (!real_open) real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    int fd = real_open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return NULL;
    void *found = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return found == MAP_FAILED ? NULL : found;
}

/* Number 0 would mean this whole process group, and whoever runs the test with it. */
static void end(int pid) {
    if (pid > 1) kill(pid, SIGKILL);
}

static void end_everything(void) {
    end(page->pid[SUPERVISOR]);
    for (int i = 0; i < page->tasks && i < 500; i++) {
        if (page->task[i] > 1) kill(-page->task[i], SIGKILL);
        end(page->task[i]);
    }
    end(page->pid[TASKRUN]);
}

static void act(const char *call) {
    strncpy(page->call, call, sizeof page->call - 1);
    page->fired = 1;
    switch (page->victim) {
    case THE_TASKRUN: end(page->pid[TASKRUN]); break;
    case THE_SUPERVISOR: end(page->pid[SUPERVISOR]); break;
    case EVERYTHING: end_everything(); kill(getpid(), SIGKILL); break; /* a task that nobody knows of yet */
    default: kill(getpid(), SIGKILL);
    }
}

static int64_t count(int who, int kind) {
    int64_t number = __atomic_add_fetch(&page->count[who], 1, __ATOMIC_SEQ_CST);
    if (number <= REMEMBERED) page->kind[who][number - 1] = kind;
    return number;
}

/* Is this the call to act at? */
static int is_due(int kind) {
    if (!page || !page->armed || !(page->kinds & kind)) return 0;
    int64_t number = count(role, kind), total = count(ANY, kind);
    if (page->role == ANY) number = total;
    else if (page->role != role) return 0;
    return page->mode == FAIL_ON ? number >= page->nth : number == page->nth;
}

static int fails(const char *call) {
    if (page->mode == KILL) return 0;
    strncpy(page->call, call, sizeof page->call - 1);
    page->fired = 1;
    errno = page->error;
    return 1;
}

/* Around a call. `half` is what a torn one comes to; whoever survives it sees a short write. */
#define AROUND(kind, name, half, whole) do { \
    if (!is_due(kind)) return whole; \
    if (fails(name)) return -1; \
    if (page->phase == BEFORE) act(name); \
    __typeof__(whole) result = page->phase == TORN ? half : whole; \
    int error = errno; \
    if (page->phase != BEFORE) act(name); \
    errno = error; \
    return result; \
} while (0)

/* A message goes as a whole or not at all. */
static size_t half_of(int fd, size_t size) {
    struct stat status;
    return !fstat(fd, &status) && S_ISSOCK(status.st_mode) ? size : size / 2;
}

/* What the standard streams say is no part of what is remembered; a disk that is full is full for files alone. */
static int matters(int fd) {
    struct stat status;
    if (fd == 1 || fd == 2) return 0;
    if (!page || page->mode == KILL) return 1;
    return !fstat(fd, &status) && S_ISREG(status.st_mode);
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    if (!matters(fd)) return real(fd, data, size);
    AROUND(WRITE, "write", real(fd, data, half_of(fd, size)), real(fd, data, size));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    AROUND(WRITE, "pwrite", real(fd, data, size / 2, at), real(fd, data, size, at));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    AROUND(WRITE, "pwrite", real(fd, data, size / 2, at), real(fd, data, size, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    if (!matters(fd)) return real(fd, parts, count);
    AROUND(WRITE, "writev", real(fd, parts, count / 2), real(fd, parts, count));
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    REAL(send);
    AROUND(SEND, "send", real(fd, data, size, flags), real(fd, data, size, flags));
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length) {
    REAL(sendto);
    AROUND(SEND, "sendto", real(fd, data, size, flags, to, length), real(fd, data, size, flags, to, length));
}

int fsync(int fd) { (void)fd; AROUND(SYNC, "fsync", 0, 0); }
int fdatasync(int fd) { (void)fd; AROUND(SYNC, "fdatasync", 0, 0); }

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    AROUND(WRITE, "ftruncate", real(fd, size), real(fd, size));
}

int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    AROUND(WRITE, "ftruncate", real(fd, size), real(fd, size));
}

int rename(const char *from, const char *to) {
    REAL(rename);
    AROUND(NAME, "rename", real(from, to), real(from, to));
}

int unlink(const char *path) {
    REAL(unlink);
    AROUND(NAME, "unlink", real(path), real(path));
}

int unlinkat(int at, const char *path, int flags) {
    REAL(unlinkat);
    AROUND(NAME, "unlinkat", real(at, path, flags), real(at, path, flags));
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    AROUND(NAME, "mkdir", real(path, mode), real(path, mode));
}

int renameat(int from, const char *old, int to, const char *new) {
    REAL(renameat);
    AROUND(NAME, "renameat", real(from, old, to, new), real(from, old, to, new));
}

int link(const char *from, const char *to) {
    REAL(link);
    AROUND(NAME, "link", real(from, to), real(from, to));
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
    REAL(linkat);
    AROUND(NAME, "linkat", real(from, old, to, new, flags), real(from, old, to, new, flags));
}

int symlinkat(const char *what, int at, const char *path) {
    REAL(symlinkat);
    AROUND(NAME, "symlinkat", real(what, at, path), real(what, at, path));
}

int mkdirat(int at, const char *path, mode_t mode) {
    REAL(mkdirat);
    AROUND(NAME, "mkdirat", real(at, path, mode), real(at, path, mode));
}

/* The kernel's name of this boot, as a machine would give it that has been restarted since. */
static int boot_id(const char *path) {
    if (!page || !page->boot[0] || strcmp(path, "/proc/sys/kernel/random/boot_id")) return -1;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return -1;
    REAL(write);
    real(ends[1], page->boot, strlen(page->boot));
    close(ends[1]);
    return ends[0];
}

#define OPEN(name) \
int name(const char *path, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = va_arg(rest, mode_t); \
    va_end(rest); \
    if (!(flags & (O_CREAT | O_TRUNC))) { \
        int fd = boot_id(path); \
        return fd >= 0 ? fd : real(path, flags, mode); \
    } \
    AROUND(NAME, "open", real(path, flags, mode), real(path, flags, mode)); \
}
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
int name(int at, const char *path, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = va_arg(rest, mode_t); \
    va_end(rest); \
    if (!(flags & (O_CREAT | O_TRUNC))) return real(at, path, flags, mode); \
    AROUND(NAME, "openat", real(at, path, flags, mode), real(at, path, flags, mode)); \
}
OPENAT(openat)
OPENAT(openat64)

/* A start that is torn is one whose child is there, and whose parent does not know it yet: the same as after it. */
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *files, const posix_spawnattr_t *attributes,
                char *const argv[], char *const env[]) {
    REAL(posix_spawn);
    int due = is_due(START);
    if (due && page->mode != KILL) { page->fired = 1; return page->error; }
    if (due && page->phase == BEFORE) act("posix_spawn"), due = 0;
    int error = real(pid, path, files, attributes, argv, env);
    if (page && page->armed && !error && page->tasks < 500) page->task[page->tasks++] = *pid;
    if (due) act("posix_spawn");
    return error;
}

pid_t fork(void) {
    REAL(fork);
    int due = is_due(START);
    if (due && page->mode != KILL) { page->fired = 1; errno = page->error; return -1; }
    if (due && page->phase == BEFORE) act("fork"), due = 0;
    pid_t pid = real();
    if (due && pid > 0) act("fork");
    return pid;
}

/* The supervisor's first moment: its parent may die, or it may, before it has done a thing. */
static void begin_child(void) {
    if (!page || !page->armed || role != TASKRUN) return;
    role = SUPERVISOR;
    page->pid[SUPERVISOR] = getpid();
    if (is_due(START)) act("first moment");
}

/* Begin to count in this process, which is taskrun, and in those it starts. */
int faults_arm(const char *path) {
    page = map(path);
    if (!page) return -1;
    role = TASKRUN;
    page->pid[TASKRUN] = getpid();
    page->armed = 1;
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    pthread_atfork(NULL, NULL, begin_child);
    const char *path = getenv("TASKRUN_FAULTS_PAGE");
    if (!path || !(page = map(path))) return;
    role = TASK;
    /* A whole program that is to be taken for taskrun: the first process that comes here is it. */
    if (getenv("TASKRUN_FAULTS_FIRST") && __sync_bool_compare_and_swap(&page->pid[TASKRUN], 0, getpid()))
        role = TASKRUN;
}

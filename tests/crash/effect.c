/* A task with an effect that can be seen: a file that is there or not, and a line in a log for everything it does.
 *
 *   effect do NAME [fail=ATTEMPTS] [wait=MILLISECONDS]
 *   effect undo NAME [fail=ATTEMPTS] [wait=MILLISECONDS]
 *
 * The world is the directory $CRASH_WORLD. `fail=2` fails, after the effect, in attempts 1 and 2. Lines of the log: VERB NAME KEY PID MILLISECONDS.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *name;

static void note(const char *verb, int other) {
    char line[512];
    const char *key = getenv("TASKRUN_IDEMPOTENCY_KEY");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    /* The line before may have been torn: a new line begins this one, too. */
    int size = snprintf(line, sizeof line, "\n%s %s %s %d %lld %d .\n", verb, name, key ? key : "-", (int)getpid(),
                        now.tv_sec * 1000LL + now.tv_nsec / 1000000, other);
    int fd = open("log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, size) != size) _exit(90);
    close(fd);
}

static int is_alive(int pid) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t size = read(fd, line, sizeof line - 1);
    close(fd);
    if (size <= 0) return 0;
    line[size] = 0;
    char *state = strrchr(line, ')');
    return state && strstr(line, "(effect)") && state[2] != 'Z' && state[2] != 'X';
}

/* Is another process at work on the same thing at this moment? */
static void look_for_another(void) {
    char path[200], text[32] = "";
    snprintf(path, sizeof path, "pid.%s", name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) _exit(91);
    if (read(fd, text, sizeof text - 1) > 0 && atoi(text) != getpid() && is_alive(atoi(text)))
        note("overlap", atoi(text));
    int size = snprintf(text, sizeof text, "%-10d", (int)getpid());
    if (pwrite(fd, text, size, 0) != size) _exit(92);
    close(fd);
}

int main(int argc, char **argv) {
    const char *world = getenv("CRASH_WORLD"), *attempt = getenv("TASKRUN_ATTEMPT");
    if (argc < 3 || !world || chdir(world)) return 99;
    int undo = !strcmp(argv[1], "undo"), fail = 0, wait = 0;
    name = argv[2];
    for (int i = 3; i < argc; i++) {
        sscanf(argv[i], "fail=%d", &fail);
        sscanf(argv[i], "wait=%d", &wait);
    }
    char made[200];
    snprintf(made, sizeof made, "made.%s", name);
    note(undo ? "undo-begin" : "begin", 0);
    look_for_another();
    if (wait) usleep(wait * 1000 / 2);
    if (undo) {
        if (unlink(made) && errno != ENOENT) return 93;
    } else {
        int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) note("again", 0);
        else close(fd);
    }
    if (wait) usleep(wait * 1000 / 2);
    if (fail >= atoi(attempt ? attempt : "1")) {
        note(undo ? "undo-failed" : "failed", 0);
        return 3;
    }
    note(undo ? "undo-end" : "end", 0);
    return 0;
}

/* The physical limit: N shell commands, JOBS at a time, started with posix_spawn and waited for. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
    int n = atoi(argv[1]), jobs = atoi(argv[2]), running = 0, started = 0;
    char *command[] = {"sh", "-c", argv[3], NULL};
    while (started < n || running > 0) {
        while (started < n && running < jobs) {
            pid_t pid;
            if (posix_spawn(&pid, "/bin/sh", NULL, NULL, command, environ)) return 1;
            started++; running++;
        }
        int status;
        if (wait(&status) < 0) return 1;
        running--;
    }
    return 0;
}

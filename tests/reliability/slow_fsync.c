/* A disk on which each fsync takes SLOW_FSYNC_MS milliseconds, for a program that is preloaded with this. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_disk(void) {
    const char *given = getenv("SLOW_FSYNC_MS");
    struct timespec time = {0, (given ? atol(given) : 0) * 1000000L};
    nanosleep(&time, NULL);
}

int fsync(int fd) {
    wait_for_disk();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    wait_for_disk();
    return (int)syscall(SYS_fdatasync, fd);
}

/* SPDX-License-Identifier: MIT */
/* bench_child.c - one run in a process of its own, killed when it hangs. */
#include "bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "girt-bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Waits for the result; false: none came in time, or the child died. */
static bool receive(int from, double patience_s, double *result, bool *late)
{
    struct pollfd ready = {.fd = from, .events = POLLIN};
    int events;
    do
        events = poll(&ready, 1, (int)(patience_s * 1000));
    while (events < 0 && errno == EINTR);
    *late = events == 0;
    return events > 0 && read(from, result, sizeof *result) == sizeof *result;
}

double bench_in_child(const bench_contestant *contestant,
                      const void *bench_case, double seconds, double patience_s)
{
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0)
        fail("pipe");
    pid_t const child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        close(ends[0]);
        double const result =
            contestant->measure(contestant->adapter, bench_case, seconds);
        _exit(write(ends[1], &result, sizeof result) != sizeof result);
    }
    close(ends[1]);
    double result = BENCH_STOOD_STILL;
    bool late = false;
    bool const got = receive(ends[0], patience_s, &result, &late);
    close(ends[0]);
    if (late)
        (void)kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (got)
        return result;
    if (!late && !contestant->rival) {
        fprintf(stderr, "girt-bench: %s died\n", contestant->name);
        exit(1);
    }
    if (!late)
        fprintf(stderr, "girt-bench: %s died: it counts as stood still\n",
                contestant->name);
    return BENCH_STOOD_STILL;
}

/* SPDX-License-Identifier: MIT */
/* process.c - telling the living from the dead by /proc/PID/stat.
 *
 * kill(pid, 0) alone is not enough: it finds zombies, whose parent has not
 * asked for them yet, and whoever has the pid now.  The file tells both: state
 * Z, and the start.  A leader that ended before its other threads is a zombie
 * too; then the process has more than one thread and is alive.
 *
 * The lock: one word, taken by a compare-and-swap from 0, or from a holder that
 * is gone.  The dead do not come back and no other process has the same word,
 * so of several that find the holder gone exactly one succeeds.
 *
 * R1 -> A1: unlock's release store; what was done under the lock is seen by
 *     the next to take it.  A holder that was killed released nothing: the
 *     kernel's work of ending it stands between its stores and the sight of
 *     its end. */
#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/park.h"

#include <girt/clock.h>

enum { PID_BITS = 22, STAT_BYTES = 1024, STEP_FIRST_NS = 20000 };
#define STEP_LAST_NS INT64_C(2000000)

typedef struct stat_line {
    char state;
    long threads;
    uint64_t start;
} stat_line;

/* The words after the command's name, which may hold anything. */
static bool parse(char *text, stat_line *line)
{
    enum { STATE = 0, THREADS = 17, START = 19 };
    char *const end = strrchr(text, ')');
    if (end == NULL)
        return false;
    char *rest = NULL;
    char *word = strtok_r(end + 1, " ", &rest);
    for (int i = 0; word != NULL; i++, word = strtok_r(NULL, " ", &rest)) {
        if (i == STATE)
            line->state = *word;
        else if (i == THREADS)
            line->threads = strtol(word, NULL, 10);
        else if (i == START) {
            line->start = strtoull(word, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool read_stat(pid_t pid, stat_line *line)
{
    char text[STAT_BYTES];
    (void)snprintf(text, sizeof text, "/proc/%d/stat", (int)pid);
    int state; /* these are cancellation points, our callers are not */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    ssize_t got = -1;
    int const file = open(text, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        do
            got = read(file, text, sizeof text - 1);
        while (got < 0 && errno == EINTR); /* a signal each */
        (void)close(file);
    }
    (void)pthread_setcancelstate(state, NULL);
    if (got <= 0)
        return false;
    text[got] = '\0';
    return parse(text, line);
}

uint64_t girt__process_self(void)
{
    pid_t const pid = getpid();
    stat_line line;
    uint64_t const start = read_stat(pid, &line) ? line.start : 0;
    return start << PID_BITS | (uint64_t)pid;
}

bool girt__process_is_gone(uint64_t process)
{
    pid_t const pid = (pid_t)(process & ((1u << PID_BITS) - 1));
    uint64_t const start = process >> PID_BITS;
    if (pid == 0)
        return true; /* no process was ever written so */
    if (kill(pid, 0) != 0 && errno == ESRCH)
        return true;
    stat_line line;
    if (!read_stat(pid, &line))
        return false;
    if (start != 0 && line.start != start)
        return true;
    bool const ended =
        line.state == 'Z' || line.state == 'X' || line.state == 'x';
    return ended && line.threads <= 1;
}

static bool try_as(uint64_t *word, uint64_t self)
{
    uint64_t holder = 0;
    if (girt_cas_acquire(word, &holder, self)) /* A1 <- R1 */
        return true;
    return holder != self && girt__process_is_gone(holder) &&
           girt_cas_acquire(word, &holder, self);
}

bool girt__process_try_lock(uint64_t *word)
{
    return try_as(word, girt__process_self());
}

bool girt__process_lock(uint64_t *word, int64_t timeout_ns)
{
    uint64_t const self = girt__process_self();
    int64_t const deadline_ns = girt__deadline(timeout_ns);
    int64_t step_ns = STEP_FIRST_NS;
    /* Ends with the deadline; the holder makes progress meanwhile. */
    while (!try_as(word, self)) {
        if (girt_clock_monotonic.now_ns(NULL) >= deadline_ns)
            return false;
        struct timespec const step = {.tv_sec = 0, .tv_nsec = (long)step_ns};
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
        step_ns = step_ns * 2 > STEP_LAST_NS ? STEP_LAST_NS : step_ns * 2;
    }
    return true;
}

void girt__process_unlock(uint64_t *word)
{
    girt_store_release(word, (uint64_t)0); /* R1 -> A1 */
}

/* SPDX-License-Identifier: MIT */
/* workers.c - a pool of threads over two girt_queues.
 *
 *   submit: free records -> fill in -> tasks queue -> worker: copy out,
 *           record back to the free ones, run the copy
 *
 * There are queue_capacity records, made once: the free ones wait in one queue
 * and the filled ones in the other, so that submit allocates nothing, the
 * capacity is exact, running tasks do not count, and waiting for room is
 * waiting for a free record.
 *
 * Drain.  A counter of unfinished tasks would never be zero while others keep
 * submitting.  So there are two, and a generation whose last bit says which
 * one counts the tasks that come from outside; a task submitted by a task
 * counts where its parent does.  A drain, one at a time, waits until the other
 * counter is zero, moves the generation on, and waits for the counter that it
 * thereby retired:
 *
 *   I1: what was accepted before a drain began is in one of the two counters
 *       at that time, and stays there until it has returned and with it all
 *       that it submitted: a child is counted before its parent is not.
 *   I2: while drains retire counter c, outside tasks go to the other one, but
 *       for those whose submit read the generation before: they can only delay
 *       a drain, and each does so once.
 *
 * Pairs: N1 a task's end -> N2 the drain that saw the counter reach zero. */
#include "queue/workers_internal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include <girt/queue.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/clock_internal.h"
#include "core/options.h"
#include "core/park.h"
#include "core/trace_current.h"
#include "queue/queue_ring.h"

#define THREADS_MAX       4096u
#define THREAD_NAME_BYTES 16 /* with the NUL: Linux's limit */

typedef struct task {
    void (*run)(void *argument);
    void *argument;
    uint32_t counter;           /* 0 or 1: where it is counted */
    girt_trace_context context; /* in which it was submitted */
} task;

typedef struct counter {
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t unfinished;
} counter;

struct girt_workers {
    /* Written once at create. */
    girt_queue *tasks;
    girt_queue *free; /* records; never closed */
    task *records;
    pthread_t *threads;
    size_t capacity;
    size_t threads_count;
    girt__report *report; /* or NULL */
    girt_allocator allocator;
    char name[THREAD_NAME_BYTES];
    counter counters[2];
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint32_t generation;
    uint32_t draining; /* 1: a drain is at work */
    girt__park drained;
};

/* What the calling thread is running, for submit and drain from inside. */
static _Thread_local const girt_workers *own_pool;
static _Thread_local uint32_t own_counter;

static void begin(girt_workers *workers, uint32_t which)
{
    (void)girt_add_relaxed(&workers->counters[which].unfinished, (uint64_t)1);
}

static void end(girt_workers *workers, uint32_t which)
{
    /* N1 -> N2 */
    if (girt_sub_acq_rel(&workers->counters[which].unfinished, (uint64_t)1) ==
        1)
        girt__park_wake(&workers->drained, UINT32_MAX);
}

static void run_task(girt_workers *workers, task todo)
{
    const girt_workers *const outer_pool = own_pool;
    uint32_t const outer_counter = own_counter;
    own_pool = workers;
    own_counter = todo.counter;
    girt_trace_context const outer_context = girt__trace_current;
    girt__trace_current = todo.context;
    int64_t const start_ns = girt__workers_started(workers->report);
    todo.run(todo.argument);
    girt__workers_ended(workers->report, start_ns);
    own_pool = outer_pool;
    own_counter = outer_counter;
    girt__trace_current = outer_context;
    end(workers, todo.counter);
}

static void *work(void *argument)
{
    girt_workers *const workers = argument;
    void *item = NULL;
    while (girt_queue_pop(workers->tasks, &item, GIRT_FOREVER) == GIRT_OK) {
        task const todo = *(task *)item;
        girt_status const status =
            girt_queue_push(workers->free, item, GIRT_NOW);
        girt_require(status == GIRT_OK); /* there is a place for each record */
        (void)status;
        run_task(workers, todo);
    }
    return NULL;
}

/* ---- create and destroy ---- */

static girt_status check_options(const girt_workers_options *options)
{
    if (!girt__options_are_valid(options->name, options->metrics,
                                 options->reserved) ||
        options->threads > THREADS_MAX)
        return GIRT_E_INVALID;
    return GIRT_OK;
}

static size_t cpus_of_process(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1; /* over 1024 CPUs, or forbidden */
    int const count = CPU_COUNT(&set);
    return count < 1 ? 1 : (size_t)count;
}

static void release(girt_workers *workers)
{
    /* Not before the threads, who count for it, have ended. */
    girt__report_destroy(workers->report);
    girt_allocator const allocator = workers->allocator;
    girt_queue_destroy(workers->tasks);
    girt_queue_destroy(workers->free);
    girt__release(&allocator, workers->records,
                  workers->capacity * sizeof(task));
    girt__release(&allocator, workers->threads,
                  workers->threads_count * sizeof(pthread_t));
    girt__release(&allocator, workers, sizeof(girt_workers));
}

/* Queues, records, room for threads; what was made stays for release(). */
static girt_status furnish(girt_workers *workers, size_t threads)
{
    /* All is touched at create, so it must fit together. */
    if (workers->capacity <= RING_CAPACITY_MAX &&
        !girt__machine_holds(workers->capacity,
                             2 * sizeof(girt__slot) + sizeof(task)))
        return GIRT_E_NOMEM;
    girt_queue_options const options = {.capacity = workers->capacity,
                                        .allocator = &workers->allocator};
    girt_status status = girt_queue_create(&workers->tasks, &options);
    if (status == GIRT_OK)
        status = girt_queue_create(&workers->free, &options);
    if (status != GIRT_OK)
        return status;
    size_t size;
    if (!girt__size_multiply(workers->capacity, sizeof(task), &size))
        return GIRT_E_NOMEM;
    workers->records =
        girt__allocate(&workers->allocator, size, _Alignof(task));
    if (workers->records == NULL)
        return GIRT_E_NOMEM;
    workers->threads = girt__allocate(
        &workers->allocator, threads * sizeof(pthread_t), _Alignof(pthread_t));
    if (workers->threads == NULL)
        return GIRT_E_NOMEM;
    workers->threads_count = threads;
    for (size_t i = 0; i < workers->capacity; i++)
        (void)girt_queue_push(workers->free, &workers->records[i], GIRT_NOW);
    return GIRT_OK;
}

/* pthread_join is a cancellation point: a caller that ended in it would leave
 * the pool half joined. */
static void join(girt_workers *workers, size_t count)
{
    int state;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    girt_queue_close(workers->tasks);
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(workers->threads[i], NULL);
    (void)pthread_setcancelstate(state, NULL);
}

/* 0, or the errno of the thread that could not be made. */
static int start_threads(girt_workers *workers)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                 SIGILL,  SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        (void)sigdelset(&all, faults[i]);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = 0;
    size_t made = 0;
    while (made < workers->threads_count && error == 0) {
        error = pthread_create(&workers->threads[made], NULL, work, workers);
        if (error == 0)
            (void)pthread_setname_np(workers->threads[made++], workers->name);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        join(workers, made);
    return error;
}

girt_status girt_workers_create(girt_workers **out,
                                const girt_workers_options *options)
{
    static const girt_workers_options defaults = {0};
    if (out == NULL)
        return GIRT_E_INVALID;
    if (options == NULL)
        options = &defaults;
    girt_status status = check_options(options);
    if (status != GIRT_OK)
        return status;
    girt_allocator allocator;
    status = girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    girt_workers *const workers = girt__allocate_zeroed(
        &allocator, sizeof(girt_workers), GIRT_DESTRUCTIVE);
    if (workers == NULL)
        return GIRT_E_NOMEM;
    workers->allocator = allocator;
    workers->capacity =
        options->queue_capacity == 0 ? 1024 : options->queue_capacity;
    const char *const name =
        options->name == NULL ? "girt-worker" : options->name;
    memcpy(workers->name, name, strnlen(name, THREAD_NAME_BYTES - 1));
    status = furnish(workers, options->threads == 0 ? cpus_of_process()
                                                    : options->threads);
    if (status == GIRT_OK)
        status = girt__workers_report(workers, options, &workers->allocator,
                                      &workers->report);
    if (status != GIRT_OK) {
        release(workers);
        return status;
    }
    int const error = start_threads(workers);
    if (error != 0) {
        release(workers);
        errno = error;
        return GIRT_E_SYSTEM;
    }
    *out = workers;
    return GIRT_OK;
}

void girt_workers_destroy(girt_workers *workers)
{
    if (workers == NULL)
        return;
    girt_require(own_pool != workers);
    join(workers, workers->threads_count);
    girt_assert(girt_queue_count(workers->free) == workers->capacity);
    release(workers);
}

/* ---- submit and drain ---- */

/* Takes a record for the task; from inside a task of the pool without waiting,
 * see the header: then GIRT_EMPTY means that it is to run here. */
static girt_status take_record(girt_workers *workers, int64_t timeout_ns,
                               void **record)
{
    if (own_pool != workers)
        return girt_queue_pop(workers->free, record, timeout_ns);
    return girt_queue_pop(workers->free, record, GIRT_NOW);
}

girt_status girt_workers_submit(girt_workers *workers,
                                void (*run)(void *argument), void *argument,
                                int64_t timeout_ns)
{
    if (workers == NULL || run == NULL || timeout_ns < 0)
        return GIRT_E_INVALID;
    bool const inside = own_pool == workers;
    void *item = NULL;
    girt_status status = take_record(workers, timeout_ns, &item);
    if ((status == GIRT_EMPTY && timeout_ns == GIRT_NOW) ||
        status == GIRT_TIMEOUT) {
        girt__report_count(workers->report, GIRT__WORKERS_FULL, 1);
        return status == GIRT_TIMEOUT ? GIRT_TIMEOUT : GIRT_FULL;
    }
    task const todo = {run, argument,
                       inside ? own_counter
                              : girt_load_acquire(&workers->generation) & 1,
                       girt__trace_current};
    begin(workers, todo.counter);
    if (status == GIRT_EMPTY) {
        run_task(workers, todo);
        return GIRT_OK;
    }
    *(task *)item = todo;
    status = girt_queue_push(workers->tasks, item, GIRT_NOW);
    if (girt_unlikely(status != GIRT_OK)) {
        girt_assert(status == GIRT_CLOSED);
        end(workers, todo.counter);
        (void)girt_queue_push(workers->free, item, GIRT_NOW);
    }
    return status;
}

static bool is_finished(girt_workers *workers, uint32_t which)
{
    /* N2 */
    return girt_load_acquire(&workers->counters[which].unfinished) == 0;
}

static bool may_drain(girt_workers *workers, uint32_t which)
{
    (void)which;
    uint32_t idle = 0;
    return girt_cas_acquire(&workers->draining, &idle, 1);
}

/* Sleeps until the condition holds; false: the deadline passed first. */
static bool wait_until(girt_workers *workers,
                       bool (*condition)(girt_workers *workers, uint32_t which),
                       uint32_t which, int64_t deadline_ns)
{
    for (bool in_time = true;;) {
        if (condition(workers, which))
            return true;
        if (!in_time)
            return false;
        uint32_t const key = girt__park_prepare(&workers->drained);
        if (condition(workers, which)) {
            girt__park_cancel(&workers->drained);
            return true;
        }
        in_time = girt__park_wait(&workers->drained, key, deadline_ns);
    }
}

girt_status girt_workers_drain(girt_workers *workers, int64_t timeout_ns)
{
    if (workers == NULL || timeout_ns < 0)
        return GIRT_E_INVALID;
    if (own_pool == workers)
        return GIRT_E_BUSY;
    int64_t const deadline_ns = girt__deadline(timeout_ns);
    if (!wait_until(workers, may_drain, 0, deadline_ns))
        return GIRT_TIMEOUT;
    uint32_t const now = girt_load_relaxed(&workers->generation);
    bool done = wait_until(workers, is_finished, (now & 1) ^ 1, deadline_ns);
    if (done) {
        girt_store_release(&workers->generation, now + 1);
        done = wait_until(workers, is_finished, now & 1, deadline_ns);
    }
    girt_store_release(&workers->draining, 0);
    girt__park_wake(&workers->drained, UINT32_MAX);
    return done ? GIRT_OK : GIRT_TIMEOUT;
}

girt__workers_view girt__workers_look(const girt_workers *workers)
{
    return (girt__workers_view){
        .report = workers->report,
        .threads = workers->threads_count,
        .queued = girt_queue_count(workers->tasks),
        .queue_capacity = workers->capacity,
    };
}

uint32_t girt__workers_generation(const girt_workers *workers)
{
    return girt_load_acquire(&workers->generation);
}

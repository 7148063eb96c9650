/* SPDX-License-Identifier: MIT */
/* Goal: a thread that stops, or dies, at any instruction of girt_mpmc_push or
 * girt_mpmc_pop stops nobody else and takes at most its own item along.
 * Method: a signal whose handler blocks holds a victim at a random instruction
 * while four others must complete their operations, each within a bounded
 * number of vain attempts; asynchronous cancellation kills producers the same
 * way, and fork copies the queue at a random instruction. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <girt/fast/atomic.h>
#include <girt/mpmc.h>

#include "support/check.h"
#include "support/fifo.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

/* Vain attempts in a row, each followed by sched_yield, before a thread counts
 * as stopped by another. */
#define ATTEMPTS_MAX 200000

static girt_mpmc *queue;
static size_t operations; /* that each of the others must complete */
static bool victim_pushes;
static int stop_pipe[2];
static uint32_t victim_running, victim_stopped, victim_done;

static void hold(int signal)
{
    (void)signal;
    char byte;
    girt_fast_store_release(&victim_stopped, 1);
    while (read(stop_pipe[0], &byte, 1) != 1)
        continue;
}

static void *suffer(void *argument)
{
    (void)argument;
    void *item;
    girt_fast_store_release(&victim_running, 1);
    while (girt_fast_load_relaxed(&victim_done) == 0) {
        if (victim_pushes)
            (void)girt_mpmc_push(queue, NULL);
        else
            (void)girt_mpmc_pop(queue, &item);
    }
    return NULL;
}

/* Even ones push, odd ones pop, and each does the other's work when it finds
 * the queue full or empty, so that all can always go on. */
static void work(void *context, size_t index)
{
    size_t *const completed = context;
    size_t vain = 0;
    void *item;
    bool push = index % 2 == 0;
    while (completed[index] < operations && vain < ATTEMPTS_MAX) {
        if (push ? girt_mpmc_push(queue, fifo_item(index))
                 : girt_mpmc_pop(queue, &item)) {
            completed[index]++;
            vain = 0;
        } else {
            vain++;
            push = !push;
            sched_yield();
        }
    }
}

static void run_with_stopped(size_t capacity, rng *random)
{
    check_status(girt_mpmc_create(&queue, capacity, NULL), GIRT_OK);
    victim_pushes = rng_below(random, 2) == 0;
    girt_fast_store_relaxed(&victim_running, 0);
    girt_fast_store_relaxed(&victim_stopped, 0);
    girt_fast_store_relaxed(&victim_done, 0);
    void *item;
    for (size_t i = 0; i < capacity / 2; i++)
        assert_true(girt_mpmc_push(queue, fifo_item(0)));
    pthread_t victim;
    assert_int_equal(pthread_create(&victim, NULL, suffer, NULL), 0);
    while (girt_fast_load_acquire(&victim_running) == 0)
        sched_yield();
    size_t const moment = rng_below(random, 3000);
    for (size_t i = 0; i < moment; i++) {
        if (victim_pushes)
            (void)girt_mpmc_pop(queue, &item);
        else
            (void)girt_mpmc_push(queue, fifo_item(0));
    }
    assert_int_equal(pthread_kill(victim, SIGUSR1), 0);
    while (girt_fast_load_acquire(&victim_stopped) == 0)
        sched_yield();

    size_t completed[4] = {0};
    threads_run(4, work, completed);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(completed[i], operations);

    girt_fast_store_relaxed(&victim_done, 1);
    assert_int_equal(write(stop_pipe[1], "", 1), 1);
    assert_int_equal(pthread_join(victim, NULL), 0);
    while (girt_mpmc_pop(queue, &item))
        continue;
    assert_true(fifo_mpmc.is_valid(queue));
    girt_mpmc_destroy(queue);
}

/* ThreadSanitizer's own double-width swap takes a lock; neither it nor
 * AddressSanitizer survives asynchronous cancellation. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER true
#elif defined(__has_feature)
#define UNDER_SANITIZER                                                        \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define UNDER_SANITIZER false
#endif

static void a_stopped_thread_stops_nobody(void **state)
{
    (void)state;
    if (UNDER_SANITIZER)
        skip_because("a sanitizer's own locks would be stopped too");
    static const size_t capacities[] = {1, 2, 7, 64};
    rng random = {test_seed()};
    assert_int_equal(pipe(stop_pipe), 0);
    const struct sigaction action = {.sa_handler = hold};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    operations = 1000;
    size_t const rounds = scaled(200);
    for (size_t i = 0; i < rounds; i++)
        run_with_stopped(capacities[i % 4], &random);
    (void)close(stop_pipe[0]);
    (void)close(stop_pipe[1]);
}

/* --- death --- */

static uint64_t pushes_returned; /* of the producer that is to die */

static void *push_until_killed(void *argument)
{
    (void)argument;
    int old;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    (void)pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    girt_fast_store_release(&victim_running, 1);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    for (uint64_t n = 0;;) {
        if (girt_mpmc_push(queue, fifo_item(n)))
            girt_fast_store_relaxed(&pushes_returned, ++n);
    }
    return NULL;
}

static void a_killed_producer_leaves_whole_items(void **state)
{
    (void)state;
    if (UNDER_SANITIZER)
        skip_because("sanitizers do not stand asynchronous cancellation");
    rng random = {test_seed()};
    size_t const rounds = scaled(400);
    for (size_t round = 0; round < rounds; round++) {
        check_status(girt_mpmc_create(&queue, 1 + round % 9, NULL), GIRT_OK);
        girt_fast_store_relaxed(&victim_running, 0);
        girt_fast_store_relaxed(&pushes_returned, 0);
        pthread_t victim;
        assert_int_equal(pthread_create(&victim, NULL, push_until_killed, NULL),
                         0);
        while (girt_fast_load_acquire(&victim_running) == 0)
            sched_yield();
        uint64_t popped = 0;
        void *item;
        for (size_t i = rng_below(&random, 4000); i > 0; i--)
            if (girt_mpmc_pop(queue, &item))
                assert_ptr_equal(item, fifo_item(popped++));
        assert_int_equal(pthread_cancel(victim), 0);
        void *result;
        assert_int_equal(pthread_join(victim, &result), 0);
        assert_ptr_equal(result, PTHREAD_CANCELED);
        while (girt_mpmc_pop(queue, &item))
            assert_ptr_equal(item, fifo_item(popped++));
        /* The last push may have been done and not yet counted. */
        assert_in_range(popped - pushes_returned, 0, 1);
        assert_true(fifo_mpmc.is_valid(queue));
        girt_mpmc_destroy(queue);
    }
}

/* --- fork --- */

static void *push_and_pop(void *argument)
{
    (void)argument;
    void *item;
    girt_fast_store_release(&victim_running, 1);
    while (girt_fast_load_relaxed(&victim_done) == 0) {
        (void)girt_mpmc_push(queue, fifo_item(1));
        (void)girt_mpmc_pop(queue, &item);
    }
    return NULL;
}

/* In the child: the exit code. */
static int use_copy(void)
{
    void *item;
    for (size_t i = 0; i < 100; i++) {
        while (girt_mpmc_pop(queue, &item))
            continue;
        if (girt_mpmc_count(queue) != 0)
            return 1;
        for (size_t n = 0; n < girt_mpmc_capacity(queue); n++)
            if (!girt_mpmc_push(queue, fifo_item(n)))
                return 2;
        if (girt_mpmc_push(queue, NULL) || !fifo_mpmc.is_valid(queue))
            return 3;
    }
    return 0;
}

static void a_forked_copy_is_whole(void **state)
{
    (void)state;
    if (UNDER_SANITIZER)
        skip_because("a sanitizer's own locks would be copied held");
    check_status(girt_mpmc_create(&queue, 5, NULL), GIRT_OK);
    girt_fast_store_relaxed(&victim_running, 0);
    girt_fast_store_relaxed(&victim_done, 0);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, push_and_pop, NULL), 0);
    while (girt_fast_load_acquire(&victim_running) == 0)
        sched_yield();
    size_t const forks = scaled(200);
    for (size_t i = 0; i < forks; i++) {
        pid_t const child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(use_copy());
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    girt_fast_store_relaxed(&victim_done, 1);
    assert_int_equal(pthread_join(other, NULL), 0);
    girt_mpmc_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_thread_stops_nobody),
        cmocka_unit_test(a_killed_producer_leaves_whole_items),
        cmocka_unit_test(a_forked_copy_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: waits end by an item, by room, by close or by their time limit, not
 * before it, and cost no CPU; cancelling a thread that waits harms nothing.
 * Method: threads that wait, seen asleep by the park's count, then released;
 * clocks read around timed calls; the process's CPU time while many wait. */
#include <girt/queue.h>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock_internal.h"
#include "queue/queue_internal.h"
#include "support/check.h"
#include "support/threads.h"

static girt_queue *make(girt_queue_options options)
{
    girt_queue *queue = NULL;
    check_status(girt_queue_create(&queue, &options), GIRT_OK);
    return queue;
}

static void until_asleep(const girt__park *park, uint32_t count)
{
    while (girt_load_acquire(&park->waiters) < count)
        sched_yield();
}

static const girt_queue_options a_pair = {
    .capacity = 1, .single_producer = true, .single_consumer = true};

static void time_calls(girt_queue *queue, int64_t limit)
{
    void *item = NULL;
    size_t n = 0;
    int64_t start = girt__clock_now(&girt_clock_monotonic);
    check_status(girt_queue_pop(queue, &item, limit), GIRT_TIMEOUT);
    assert_true(girt__clock_now(&girt_clock_monotonic) - start >= limit);
    check_status(girt_queue_push(queue, NULL, limit), GIRT_OK);
    start = girt__clock_now(&girt_clock_monotonic);
    check_status(girt_queue_push_n(queue, &item, 1, limit, &n), GIRT_TIMEOUT);
    assert_true(girt__clock_now(&girt_clock_monotonic) - start >= limit);
    check_status(girt_queue_pop(queue, &item, limit), GIRT_OK);
}

static void timed_calls_do_not_end_early(void **state)
{
    (void)state;
    girt_queue *const queue = make((girt_queue_options){.capacity = 1});
    girt_queue *const pair = make(a_pair);
    static const int64_t limits[] = {1, 1000, 50000, 3000000, 20000000};
    for (size_t i = 0; i < 5; i++) {
        time_calls(queue, limits[i]);
        time_calls(pair, limits[i]);
    }
    girt_queue_destroy(queue);
    girt_queue_destroy(pair);
}
typedef struct waiter {
    girt_queue *queue;
    bool pushes;
    int64_t timeout_ns;
    girt_status status;
} waiter;

static void *wait_once(void *argument)
{
    waiter *const w = argument;
    void *item = NULL;
    w->status = w->pushes ? girt_queue_push(w->queue, NULL, w->timeout_ns)
                          : girt_queue_pop(w->queue, &item, w->timeout_ns);
    return NULL;
}

static void close_wakes_everyone(void **state)
{
    (void)state;
    static const girt_queue_options modes[] = {
        {.capacity = 2},
        {.capacity = 2, .bands = 2},
        {.capacity = 2, .per_producer_order = true},
        {.capacity = 2, .single_producer = true, .single_consumer = true}};
    for (size_t m = 0; m < 8; m++) {
        girt_queue *const queue = make(modes[m / 2]);
        bool const pushes = m % 2;
        size_t const count = m < 6 ? 5 : 1;
        for (int i = 0; pushes && i < 2; i++)
            check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
        waiter waiters[5];
        pthread_t threads[5];
        for (size_t i = 0; i < count; i++) {
            waiters[i] = (waiter){queue, pushes, GIRT_FOREVER, GIRT_OK};
            assert_int_equal(
                pthread_create(&threads[i], NULL, wait_once, &waiters[i]), 0);
        }
        until_asleep(pushes ? &queue->room : &queue->items, (uint32_t)count);
        girt_queue_close(queue);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            check_status(waiters[i].status, GIRT_CLOSED);
        }
        girt_queue_destroy(queue);
    }
}

static void an_item_wakes_one_and_room_wakes_one(void **state)
{
    (void)state;
    for (int m = 0; m < 4; m++) {
        bool const pushes = m % 2;
        girt_queue *const queue =
            make(m < 2 ? (girt_queue_options){.capacity = 1} : a_pair);
        uint32_t const count = m < 2 ? 4 : 1;
        if (pushes)
            check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
        waiter waiters[4];
        pthread_t threads[4];
        for (size_t i = 0; i < count; i++) {
            waiters[i] = (waiter){queue, pushes, GIRT_FOREVER, GIRT_EMPTY};
            assert_int_equal(
                pthread_create(&threads[i], NULL, wait_once, &waiters[i]), 0);
        }
        girt__park *const park = pushes ? &queue->room : &queue->items;
        until_asleep(park, count);
        for (uint32_t left = count; left > 0; left--) {
            void *item = NULL;
            check_status(pushes ? girt_queue_pop(queue, &item, GIRT_FOREVER)
                                : girt_queue_push(queue, NULL, GIRT_FOREVER),
                         GIRT_OK);
            /* One leaves; the others are still, or again, asleep. */
            while (girt_load_acquire(&park->waiters) != left - 1)
                sched_yield();
        }
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            check_status(waiters[i].status, GIRT_OK);
        }
        girt_queue_destroy(queue);
    }
}

static int64_t cpu_ns(void)
{
    struct rusage use;
    assert_int_equal(getrusage(RUSAGE_SELF, &use), 0);
    return ((int64_t)use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000;
}

static void sleepers_cost_no_cpu(void **state)
{
    (void)state;
    enum { SLEEPERS = 4, MS = 1000000 };
    girt_queue *const queue = make((girt_queue_options){.capacity = 1});
    girt_queue *const pair = make(a_pair);
    waiter waiters[SLEEPERS];
    pthread_t threads[SLEEPERS];
    int64_t const before = cpu_ns();
    for (size_t i = 0; i < SLEEPERS; i++) {
        waiters[i] =
            (waiter){i == 0 ? pair : queue, false, 200 * (int64_t)MS, GIRT_OK};
        assert_int_equal(
            pthread_create(&threads[i], NULL, wait_once, &waiters[i]), 0);
    }
    for (size_t i = 0; i < SLEEPERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        check_status(waiters[i].status, GIRT_TIMEOUT);
    }
    /* Spinning would be 400 ms on two CPUs. */
    assert_true(cpu_ns() - before < 50 * (int64_t)MS);
    girt_queue_destroy(pair);
    girt_queue_destroy(queue);
}

static void cancelling_a_waiter_harms_nothing(void **state)
{
    (void)state;
    girt_queue *const queue = make((girt_queue_options){.capacity = 2});
    waiter w = {queue, false, GIRT_FOREVER, GIRT_EMPTY};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_once, &w), 0);
    until_asleep(&queue->items, 1);
    assert_int_equal(pthread_cancel(thread), 0);
    /* Still waiting: the item goes to it, and its call completes. */
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    check_status(w.status, GIRT_OK);
    assert_int_equal(girt_queue_count(queue), 0);
    assert_true(girt__queue_is_valid(queue));
    girt_queue_destroy(queue);
}

static void fork_with(girt_queue_options options)
{
    options.capacity = 2;
    girt_queue *const queue = make(options);
    check_status(girt_queue_push(queue, (void *)1, GIRT_NOW), GIRT_OK);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        void *item = NULL;
        bool const good =
            girt_queue_pop(queue, &item, GIRT_FOREVER) == GIRT_OK &&
            item == (void *)1 &&
            girt_queue_pop(queue, &item, 1000) == GIRT_TIMEOUT &&
            girt_queue_push(queue, NULL, GIRT_FOREVER) == GIRT_OK;
        girt_queue_destroy(queue);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(girt_queue_count(queue), 1);
    girt_queue_destroy(queue);
}

static void a_forked_child_has_a_copy(void **state)
{
    (void)state;
    fork_with((girt_queue_options){0});
    fork_with(a_pair);
}

/* A publisher that stalls between its claim and its publication, by hand. */
static void *publish_late(void *argument)
{
    girt__ring *const ring = argument;
    for (int i = 0; i < 50; i++)
        sched_yield();
    girt__slot *const slot = girt__ring_slot(ring, 0);
    slot->item = (void *)41;
    girt_store_release(&slot->turn, RING_FULL);
    return NULL;
}

static void a_claimed_slot_is_not_empty(void **state)
{
    (void)state;
    girt_queue *const queue = make((girt_queue_options){.capacity = 4});
    girt__ring *const ring = &queue->rings[0];
    ring->tail += RING_STEP;
    check_status(girt_queue_push(queue, (void *)42, GIRT_NOW), GIRT_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, publish_late, ring), 0);
    void *item = NULL;
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
    assert_ptr_equal(item, (void *)41);
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
    assert_ptr_equal(item, (void *)42);
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_EMPTY);
    assert_int_equal(pthread_join(thread, NULL), 0);
    girt_queue_destroy(queue);
}

/* A popper that stalls between its claim and its release, by hand. */
static void *release_late(void *argument)
{
    girt__ring *const ring = argument;
    for (int i = 0; i < 50; i++)
        sched_yield();
    girt_store_release(&girt__ring_slot(ring, 0)->turn, girt__ring_lap(ring));
    return NULL;
}

static void a_slot_under_a_pop_is_not_full(void **state)
{
    (void)state;
    girt_queue *const queue = make((girt_queue_options){.capacity = 2});
    girt__ring *const ring = &queue->rings[0];
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
    ring->head += RING_STEP;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, release_late, ring), 0);
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_FULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(girt__queue_is_valid(queue));
    girt_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timed_calls_do_not_end_early),
        cmocka_unit_test(close_wakes_everyone),
        cmocka_unit_test(an_item_wakes_one_and_room_wakes_one),
        cmocka_unit_test(sleepers_cost_no_cpu),
        cmocka_unit_test(cancelling_a_waiter_harms_nothing),
        cmocka_unit_test(a_forked_child_has_a_copy),
        cmocka_unit_test(a_claimed_slot_is_not_empty),
        cmocka_unit_test(a_slot_under_a_pop_is_not_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

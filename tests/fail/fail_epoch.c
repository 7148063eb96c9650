/* SPDX-License-Identifier: MIT */
/* Goal: epochs work without memory: no call fails, and each block is still
 * released once.  Method: the allocator of records and nodes fails, at call k
 * for each k, then always; threads that can have no record share one. */
#include <girt/epoch.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/epoch_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/threads.h"

static failing memory;
static uint64_t released;

static void count_release(void *block)
{
    (void)girt_add_relaxed((uint64_t *)block, 1);
}

static uint64_t count(void)
{
    return girt_load_relaxed(&released);
}

static void fail_from(size_t k, bool all_after)
{
    memory.calls = 0;
    memory.fail_at = k;
    memory.fail_all_after = all_after;
    released = 0;
}

/* ---- threads without a record ------------------------------------------- */

typedef struct meeting {
    pthread_barrier_t inside, leave;
} meeting;

static void meeting_init(meeting *m, unsigned threads)
{
    assert_int_equal(pthread_barrier_init(&m->inside, NULL, threads), 0);
    assert_int_equal(pthread_barrier_init(&m->leave, NULL, threads), 0);
}

static void meeting_end(meeting *m)
{
    (void)pthread_barrier_destroy(&m->inside);
    (void)pthread_barrier_destroy(&m->leave);
}

typedef struct item {
    girt__epoch_node node;
} item;

static void release_item(girt__epoch_node *node)
{
    free((item *)(void *)node);
    (void)girt_add_relaxed(&released, 1);
}

static void retire_item(void (*release)(girt__epoch_node *node))
{
    item *const i = malloc(sizeof *i);
    assert_non_null(i);
    girt__epoch_retire_node(&i->node, release);
}

static void visit(void *context, size_t me)
{
    meeting *const m = context;
    girt_epoch_enter();
    girt_epoch_enter();
    girt_epoch_exit();
    retire_item(release_item);
    (void)pthread_barrier_wait(&m->inside);
    assert_int_equal(count(), 0);
    (void)pthread_barrier_wait(&m->leave);
    if (me == 3)
        return; /* its end must end the section */
    girt_epoch_exit();
    if (me == 0) {
        girt_epoch_barrier();
        assert_int_equal(count(), 4);
    }
}

/* The first test: no thread has left a record to be used again. */
static void visitors_share_a_record(void **state)
{
    (void)state;
    meeting m;
    meeting_init(&m, 4);
    fail_from(1, true);
    threads_run(4, visit, &m);
    girt_epoch_barrier();
    assert_int_equal(count(), 4);
    assert_true(memory.calls >= 4);
    meeting_end(&m);
}

static void retire_and_wait(girt__epoch_node *node)
{
    free((item *)(void *)node);
    retire_item(release_item);
    girt_epoch_barrier();
    (void)girt_add_relaxed(&released, 1);
}

static void visit_and_wait(void *context, size_t me)
{
    (void)context;
    (void)me;
    for (int n = 0; n < 20; n++) {
        retire_item(retire_and_wait);
        girt_epoch_barrier();
    }
    for (int n = 0; n < 5000; n++) /* beyond what may be pending */
        retire_item(release_item);
}

static void visitors_wait_within_release_functions(void **state)
{
    (void)state;
    fail_from(1, true);
    threads_run(3, visit_and_wait, NULL);
    girt_epoch_barrier();
    assert_int_equal(count(), 3 * (40 + 5000));
}

static void fork_as_visitor(void *context, size_t me)
{
    meeting *const m = context;
    girt_epoch_enter();
    retire_item(release_item);
    (void)pthread_barrier_wait(&m->inside);
    if (me == 0) {
        pid_t const child = fork();
        if (child == 0) {
            bool right = count() == 0;
            girt_epoch_exit();
            girt_epoch_barrier(); /* the other's section is not here */
            right = right && count() == 2;
            _exit(right ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    (void)pthread_barrier_wait(&m->leave);
    girt_epoch_exit();
}

static void visitors_fork(void **state)
{
    (void)state;
    meeting m;
    meeting_init(&m, 2);
    fail_from(1, true);
    threads_run(2, fork_as_visitor, &m);
    girt_epoch_barrier();
    assert_int_equal(count(), 2);
    meeting_end(&m);
}

/* ---- threads with one ---------------------------------------------------- */

static void retire_some(void *context, size_t i)
{
    (void)context;
    (void)i;
    for (int n = 0; n < 40; n++) {
        girt_epoch_enter();
        girt_epoch_retire(&released, count_release);
        girt_epoch_exit();
        girt_epoch_retire(&released, count_release);
    }
}

static void each_single_failure_is_survived(void **state)
{
    (void)state;
    size_t k = 0;
    do {
        fail_from(++k, false);
        threads_run(1, retire_some, NULL);
        girt_epoch_barrier();
        assert_int_equal(count(), 80);
    } while (memory.calls >= k);
    assert_true(k > 10); /* there was something to fail */
}

static void outside_a_section_it_releases_at_once(void **state)
{
    (void)state;
    girt_epoch_retire(&released, count_release);
    fail_from(1, true);
    for (int n = 0; n < 200; n++)
        girt_epoch_retire(&released, count_release);
    assert_true(count() >= 100); /* the reserve is smaller */
    girt_epoch_barrier();
    assert_true(count() >= 200);
}

/* Inside a section with nothing left, retire can only wait: here, until a
 * second thread gives memory back. */
static void *relent(void *context)
{
    (void)context;
    while (girt_load_relaxed(&memory.calls) < 250)
        girt_pause();
    girt_store_relaxed(&memory.fail_at, 0);
    return NULL;
}

static void inside_a_section_it_waits_for_memory(void **state)
{
    (void)state;
    fail_from(1, true);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, relent, NULL), 0);
    girt_epoch_enter();
    for (int n = 0; n < 200; n++)
        girt_epoch_retire(&released, count_release);
    assert_int_equal(count(), 0);
    girt_epoch_exit();
    assert_int_equal(pthread_join(thread, NULL), 0);
    girt_epoch_barrier();
    assert_int_equal(count(), 200);
}

int main(void)
{
    failing_init(&memory);
    girt__epoch_set_memory(&memory.allocator);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visitors_share_a_record),
        cmocka_unit_test(visitors_wait_within_release_functions),
        cmocka_unit_test(visitors_fork),
        cmocka_unit_test(each_single_failure_is_survived),
        cmocka_unit_test(outside_a_section_it_releases_at_once),
        cmocka_unit_test(inside_a_section_it_waits_for_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

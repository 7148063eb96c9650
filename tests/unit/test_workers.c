/* SPDX-License-Identifier: MIT */
/* Goal: a pool runs each accepted task once, keeps its capacity, drains what
 * it should, answers calls from inside tasks, and undoes a failed create.
 * Method: tasks that hold their thread until told, so that every state is
 * reached on purpose; thread stacks too large to be had for the failure. */
#include <girt/workers.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "core/alloc_internal.h"
#include "queue/workers_internal.h"
#include "support/check.h"
#include "support/failing.h"

static girt_workers *make(girt_workers_options options)
{
    girt_workers *workers = NULL;
    check_status(girt_workers_create(&workers, &options), GIRT_OK);
    return workers;
}

/* A task that says that it started and returns when it may. */
typedef struct gate {
    int started, open, returned;
} gate;

static void pass_gate(void *argument)
{
    gate *const g = argument;
    __atomic_fetch_add(&g->started, 1, __ATOMIC_ACQ_REL);
    while (!__atomic_load_n(&g->open, __ATOMIC_ACQUIRE))
        sched_yield();
    __atomic_fetch_add(&g->returned, 1, __ATOMIC_ACQ_REL);
}

static void until(const int *word, int value)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
        sched_yield();
}

static void open_gate(gate *g)
{
    __atomic_store_n(&g->open, 1, __ATOMIC_RELEASE);
}

static void count_up(void *argument)
{
    __atomic_fetch_add((int *)argument, 1, __ATOMIC_ACQ_REL);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    static char long_name[300];
    memset(long_name, 'x', 256);
    int something = 0;
    failing f;
    failing_init(&f);
    girt_allocator const half = {.allocate = f.allocator.allocate};
    const struct {
        girt_workers_options options;
        girt_status status;
    } rows[] = {
        {{.threads = 4097}, GIRT_E_INVALID},
        {{.threads = SIZE_MAX}, GIRT_E_INVALID},
        {{.queue_capacity = ((size_t)1 << 32) + 1}, GIRT_E_TOO_LARGE},
        {{.queue_capacity = SIZE_MAX}, GIRT_E_TOO_LARGE},
        {{.name = ""}, GIRT_E_INVALID},
        {{.name = long_name}, GIRT_E_INVALID},
        {{.metrics = (girt_metrics *)(void *)&something}, GIRT_E_INVALID},
        {{.allocator = &half}, GIRT_E_INVALID},
        {{.reserved = {0, 1}}, GIRT_E_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        girt_workers *workers = (girt_workers *)(void *)&something;
        check_status(girt_workers_create(&workers, &rows[i].options),
                     rows[i].status);
        assert_ptr_equal(workers, &something);
    }
    check_status(girt_workers_create(NULL, NULL), GIRT_E_INVALID);
    girt_workers *workers = NULL;
    check_status(girt_workers_create(&workers, NULL), GIRT_OK);
    check_status(girt_workers_submit(NULL, count_up, NULL, 0), GIRT_E_INVALID);
    check_status(girt_workers_submit(workers, NULL, NULL, 0), GIRT_E_INVALID);
    check_status(girt_workers_submit(workers, count_up, &something, -1),
                 GIRT_E_INVALID);
    check_status(girt_workers_drain(NULL, 0), GIRT_E_INVALID);
    check_status(girt_workers_drain(workers, -1), GIRT_E_INVALID);
    check_status(girt_workers_drain(workers, GIRT_NOW), GIRT_OK);
    girt_workers_destroy(workers);
    girt_workers_destroy(NULL);
    assert_int_equal(something, 0);
}

/* Each queue would fit the machine; both would be touched. */
static void queues_that_do_not_fit_together_are_not_asked_for(void **state)
{
    (void)state;
    size_t const capacity = girt__machine_bytes() / 32;
    if (capacity > (size_t)1 << 32)
        skip_because("too much memory");
    failing f;
    failing_init(&f);
    f.fail_at = 2; /* the first queue: if it were asked for, not to touch it */
    f.fail_all_after = true;
    girt_workers *workers = NULL;
    check_status(girt_workers_create(&workers,
                                     &(girt_workers_options){
                                         .queue_capacity = capacity,
                                         .allocator = &f.allocator,
                                     }),
                 GIRT_E_NOMEM);
    assert_int_equal(f.calls, 1);
    assert_int_equal(f.live_blocks, 0);
}

static void *destroy_cancelled(void *argument)
{
    void **const pool_and_end = argument;
    (void)pthread_cancel(pthread_self());
    girt_workers_destroy(pool_and_end[0]);
    pool_and_end[1] = pool_and_end[0];
    pthread_testcancel();
    return NULL;
}

static void a_cancelled_thread_finishes_destroy(void **state)
{
    (void)state;
    static int ran; /* not on the stack: tasks outlive a failure */
    girt_workers *workers = NULL;
    check_status(girt_workers_create(&workers, NULL), GIRT_OK);
    for (int i = 0; i < 100; i++)
        check_status(girt_workers_submit(workers, count_up, &ran, GIRT_FOREVER),
                     GIRT_OK);
    void *pool_and_end[2] = {workers, NULL}, *result = NULL;
    pthread_t thread;
    assert_int_equal(
        pthread_create(&thread, NULL, destroy_cancelled, pool_and_end), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_ptr_equal(pool_and_end[1], workers);
    assert_int_equal(ran, 100);
}

static void running_tasks_do_not_count(void **state)
{
    (void)state;
    girt_workers *const workers =
        make((girt_workers_options){.threads = 2, .queue_capacity = 3});
    gate g = {0};
    for (int i = 0; i < 2; i++) {
        check_status(girt_workers_submit(workers, pass_gate, &g, GIRT_FOREVER),
                     GIRT_OK);
        until(&g.started, i + 1);
    }
    int count = 0;
    for (int i = 0; i < 3; i++)
        check_status(girt_workers_submit(workers, count_up, &count, GIRT_NOW),
                     GIRT_OK);
    check_status(girt_workers_submit(workers, count_up, &count, GIRT_NOW),
                 GIRT_FULL);
    check_status(girt_workers_submit(workers, count_up, &count, 1000),
                 GIRT_TIMEOUT);
    check_status(girt_workers_drain(workers, GIRT_NOW), GIRT_TIMEOUT);
    check_status(girt_workers_drain(workers, 1000000), GIRT_TIMEOUT);
    open_gate(&g);
    check_status(girt_workers_drain(workers, GIRT_FOREVER), GIRT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(g.returned, 2);
    girt_workers_destroy(workers);
}

static void destroy_finishes_what_was_accepted(void **state)
{
    (void)state;
    girt_workers *const workers =
        make((girt_workers_options){.threads = 1, .queue_capacity = 50});
    int count = 0;
    for (int i = 0; i < 50; i++)
        check_status(
            girt_workers_submit(workers, count_up, &count, GIRT_FOREVER),
            GIRT_OK);
    girt_workers_destroy(workers);
    assert_int_equal(count, 50);
}

/* ---- from inside a task ---- */

typedef struct inside {
    girt_workers *workers;
    gate *blocker;
    int count;
    girt_status drained, now, forever;
    int nested_at_return;
} inside;

static void call_from_inside(void *argument)
{
    inside *const in = argument;
    in->drained = girt_workers_drain(in->workers, GIRT_FOREVER);
    /* One place: the first fills it, the others find none. */
    check_status(
        girt_workers_submit(in->workers, count_up, &in->count, GIRT_NOW),
        GIRT_OK);
    in->now = girt_workers_submit(in->workers, count_up, &in->count, GIRT_NOW);
    in->forever =
        girt_workers_submit(in->workers, count_up, &in->count, GIRT_FOREVER);
    in->nested_at_return = in->count;
}

static void calls_from_inside_do_not_deadlock(void **state)
{
    (void)state;
    inside in = {.workers = make((girt_workers_options){.threads = 1,
                                                        .queue_capacity = 1})};
    check_status(
        girt_workers_submit(in.workers, call_from_inside, &in, GIRT_FOREVER),
        GIRT_OK);
    check_status(girt_workers_drain(in.workers, GIRT_FOREVER), GIRT_OK);
    check_status(in.drained, GIRT_E_BUSY);
    check_status(in.now, GIRT_FULL);
    check_status(in.forever, GIRT_OK);
    assert_int_equal(in.nested_at_return, 1); /* ran inside the call */
    assert_int_equal(in.count, 2);
    girt_workers_destroy(in.workers);
}

typedef struct chain {
    girt_workers *workers;
    int left;
} chain;

static void link_on(void *argument)
{
    chain *const c = argument;
    for (int i = 0; i < 20; i++)
        sched_yield();
    if (c->left-- > 0)
        check_status(girt_workers_submit(c->workers, link_on, c, GIRT_FOREVER),
                     GIRT_OK);
}

static void drain_waits_for_descendants_only(void **state)
{
    (void)state;
    girt_workers *const workers = make((girt_workers_options){.threads = 3});
    for (int round = 0; round < 20; round++) {
        chain c = {workers, 30};
        check_status(girt_workers_submit(workers, link_on, &c, GIRT_FOREVER),
                     GIRT_OK);
        check_status(girt_workers_drain(workers, GIRT_FOREVER), GIRT_OK);
        assert_int_equal(c.left, -1);
    }
    girt_workers_destroy(workers);
}

static void *drain_forever(void *argument)
{
    check_status(girt_workers_drain(argument, GIRT_FOREVER), GIRT_OK);
    return NULL;
}

static void drain_does_not_wait_for_later_tasks(void **state)
{
    (void)state;
    girt_workers *const workers = make((girt_workers_options){.threads = 3});
    gate early = {0}, late = {0};
    check_status(girt_workers_submit(workers, pass_gate, &early, GIRT_FOREVER),
                 GIRT_OK);
    pthread_t drainer;
    assert_int_equal(pthread_create(&drainer, NULL, drain_forever, workers), 0);
    until(&early.started, 1);
    while (girt__workers_generation(workers) == 0)
        sched_yield();
    int count = 0;
    check_status(girt_workers_submit(workers, count_up, &count, GIRT_FOREVER),
                 GIRT_OK);
    until(&count, 1);
    check_status(girt_workers_submit(workers, pass_gate, &late, GIRT_FOREVER),
                 GIRT_OK);
    until(&late.started, 1);
    open_gate(&early);
    assert_int_equal(pthread_join(drainer, NULL), 0);
    assert_int_equal(late.returned, 0);
    check_status(girt_workers_drain(workers, GIRT_NOW), GIRT_TIMEOUT);
    open_gate(&late);
    check_status(girt_workers_drain(workers, GIRT_FOREVER), GIRT_OK);
    assert_int_equal(late.returned, 1);
    girt_workers_destroy(workers);
}

static void *destroy_pool(void *argument)
{
    girt_workers_destroy(argument);
    return NULL;
}

typedef struct closing {
    girt_workers *workers;
    gate gate;
    int count;
} closing;

static void submit_until_closed(void *argument)
{
    closing *const c = argument;
    pass_gate(&c->gate);
    girt_status status;
    do
        status = girt_workers_submit(c->workers, count_up, &c->count, GIRT_NOW);
    while (status == GIRT_OK || status == GIRT_FULL);
    check_status(status, GIRT_CLOSED);
}

static void a_task_that_submits_during_destroy_is_told(void **state)
{
    (void)state;
    closing c = {make((girt_workers_options){.threads = 2}), {0}, 0};
    check_status(
        girt_workers_submit(c.workers, submit_until_closed, &c, GIRT_FOREVER),
        GIRT_OK);
    until(&c.gate.started, 1);
    pthread_t destroyer;
    assert_int_equal(pthread_create(&destroyer, NULL, destroy_pool, c.workers),
                     0);
    open_gate(&c.gate);
    assert_int_equal(pthread_join(destroyer, NULL), 0);
    assert_int_equal(c.gate.returned, 1);
}

/* ---- the threads ---- */

typedef struct look {
    char name[32];
    sigset_t blocked;
} look;

static void look_around(void *argument)
{
    look *const l = argument;
    assert_int_equal(
        pthread_getname_np(pthread_self(), l->name, sizeof l->name), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &l->blocked), 0);
}

static void threads_are_named_and_quiet(void **state)
{
    (void)state;
    sigset_t before, after;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    girt_workers *const workers = make((girt_workers_options){
        .threads = 1, .name = "a-name-longer-than-fifteen"});
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    look l = {0};
    check_status(girt_workers_submit(workers, look_around, &l, GIRT_FOREVER),
                 GIRT_OK);
    check_status(girt_workers_drain(workers, GIRT_FOREVER), GIRT_OK);
    assert_string_equal(l.name, "a-name-longer-t");
    assert_true(sigismember(&l.blocked, SIGINT));
    assert_true(sigismember(&l.blocked, SIGTERM));
    assert_false(sigismember(&l.blocked, SIGSEGV));
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    girt_workers_destroy(workers);
}

static void a_thread_that_cannot_be_made_is_undone(void **state)
{
    (void)state;
    pthread_attr_t before, huge;
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    failing f;
    failing_init(&f);
    int something = 0;
    girt_workers *workers = (girt_workers *)(void *)&something;
    girt_status const status = girt_workers_create(
        &workers,
        &(girt_workers_options){.threads = 2, .allocator = &f.allocator});
    assert_int_equal(pthread_setattr_default_np(&before), 0);
    (void)pthread_attr_destroy(&huge);
    (void)pthread_attr_destroy(&before);
    check_status(status, GIRT_E_SYSTEM);
    assert_ptr_equal(workers, &something);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.live_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(queues_that_do_not_fit_together_are_not_asked_for),
        cmocka_unit_test(a_cancelled_thread_finishes_destroy),
        cmocka_unit_test(running_tasks_do_not_count),
        cmocka_unit_test(destroy_finishes_what_was_accepted),
        cmocka_unit_test(calls_from_inside_do_not_deadlock),
        cmocka_unit_test(drain_waits_for_descendants_only),
        cmocka_unit_test(drain_does_not_wait_for_later_tasks),
        cmocka_unit_test(a_task_that_submits_during_destroy_is_told),
        cmocka_unit_test(threads_are_named_and_quiet),
        cmocka_unit_test(a_thread_that_cannot_be_made_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: a retired block is released once, never while a section is open that
 * could see it, and by a barrier at the latest.  Method: counters in place of
 * blocks; threads that stop inside sections at barriers, end, or are left
 * behind by a fork. */
#include <girt/epoch.h>

#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/epoch_internal.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t released;

static void count_release(void *block)
{
    (void)girt_add_relaxed((uint64_t *)block, 1);
}

static uint64_t count_of(uint64_t *counter)
{
    return girt_load_relaxed(counter);
}

static int reset(void **state)
{
    (void)state;
    girt_epoch_barrier();
    released = 0;
    return 0;
}

static void a_barrier_releases_what_was_retired(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        girt_epoch_retire(&released, count_release);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 1000);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 1000);
}

static uint32_t nulls;

static void count_null(void *block)
{
    nulls += block == NULL;
}

static void any_pointer_can_be_retired(void **state)
{
    (void)state;
    girt_epoch_retire(NULL, count_null);
    girt_epoch_barrier();
    assert_int_equal(nulls, 1);
}

static void an_open_section_holds_everything(void **state)
{
    (void)state;
    girt_epoch_enter();
    girt_epoch_enter();
    for (int i = 0; i < 20000; i++)
        girt_epoch_retire(&released, count_release);
    girt_epoch_exit();
    assert_int_equal(count_of(&released), 0);
    girt_epoch_exit();
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 20000);
}

typedef struct meeting {
    pthread_barrier_t inside, leave;
} meeting;

static void meeting_init(meeting *m, unsigned count)
{
    assert_int_equal(pthread_barrier_init(&m->inside, NULL, count), 0);
    assert_int_equal(pthread_barrier_init(&m->leave, NULL, count), 0);
}

static void meeting_end(meeting *m)
{
    (void)pthread_barrier_destroy(&m->inside);
    (void)pthread_barrier_destroy(&m->leave);
}

static void one_reads_one_retires(void *context, size_t me)
{
    meeting *const m = context;
    if (me == 0) {
        girt_epoch_enter();
        (void)pthread_barrier_wait(&m->inside);
        (void)pthread_barrier_wait(&m->leave);
        assert_int_equal(count_of(&released), 0);
        girt_epoch_exit();
        return;
    }
    (void)pthread_barrier_wait(&m->inside);
    for (int i = 0; i < 20000; i++) {
        girt_epoch_enter();
        girt_epoch_retire(&released, count_release);
        girt_epoch_exit();
    }
    assert_int_equal(count_of(&released), 0);
    (void)pthread_barrier_wait(&m->leave);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 20000);
}

static void another_threads_section_holds_everything(void **state)
{
    (void)state;
    meeting m;
    meeting_init(&m, 2);
    threads_run(2, one_reads_one_retires, &m);
    meeting_end(&m);
}

static void retire_and_end(void *context, size_t me)
{
    (void)context;
    for (size_t i = 0; i <= me; i++)
        girt_epoch_retire(&released, count_release);
}

static void ended_threads_blocks_are_released(void **state)
{
    (void)state;
    threads_run(8, retire_and_end, NULL);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 36);
}

static void short_lived_threads_do_not_pile_up_blocks(void **state)
{
    (void)state;
    uint64_t most = 0;
    for (uint64_t i = 1; i <= 2000; i++) {
        threads_run(1, retire_and_end, NULL);
        uint64_t const pending = i - count_of(&released);
        most = pending > most ? pending : most;
    }
    assert_true(most < 512);
}

static void backlog_is_bounded_without_readers(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 20000; i++) {
        girt_epoch_enter();
        girt_epoch_retire(&released, count_release);
        girt_epoch_exit();
        assert_true(i - count_of(&released) <= 128);
    }
    for (uint64_t i = 20001; i <= 40000; i++) {
        girt_epoch_retire(&released, count_release);
        assert_true(i - count_of(&released) <= 128);
    }
}

static uint64_t chain;

static void retire_two_more(void *block)
{
    (void)girt_add_relaxed(&released, 1);
    if (chain == 0)
        return;
    chain--;
    girt_epoch_enter();
    girt_epoch_retire(block, retire_two_more);
    girt_epoch_retire(block, count_release);
    girt_epoch_exit();
}

static void release_functions_may_retire_more(void **state)
{
    (void)state;
    chain = 300;
    girt_epoch_retire(&released, retire_two_more);
    for (int i = 0; i < 302; i++)
        girt_epoch_barrier();
    assert_int_equal(count_of(&released), 601);
}

static void barrier_within(void *block)
{
    girt_epoch_retire(block, count_release);
    girt_epoch_barrier();
    (void)girt_add_relaxed(&released, 1);
}

static void release_functions_may_wait(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        girt_epoch_retire(&released, barrier_within);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 20);
}

static void several_wait_within(void *context, size_t me)
{
    (void)context;
    (void)me;
    for (int i = 0; i < 100; i++) {
        girt_epoch_retire(&released, barrier_within);
        girt_epoch_barrier();
    }
}

static void barriers_within_release_functions_do_not_lock(void **state)
{
    (void)state;
    threads_run(4, several_wait_within, NULL);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 800);
}

/* A release function that is still running when another thread waits. */
typedef struct slow {
    pthread_barrier_t running;
    uint32_t done;
} slow;

static void release_slowly(void *block)
{
    slow *const s = block;
    (void)pthread_barrier_wait(&s->running);
    for (int i = 0; i < 100000; i++)
        girt_pause();
    girt_store_relaxed(&s->done, 1);
}

static void release_or_wait(void *context, size_t me)
{
    slow *const s = context;
    if (me == 0) {
        girt_epoch_retire(s, release_slowly);
        girt_epoch_barrier();
        return;
    }
    (void)pthread_barrier_wait(&s->running);
    girt_epoch_barrier();
    assert_int_equal(girt_load_relaxed(&s->done), 1);
}

static void a_barrier_waits_for_release_functions_under_way(void **state)
{
    (void)state;
    slow s = {.done = 0};
    assert_int_equal(pthread_barrier_init(&s.running, NULL, 2), 0);
    threads_run(2, release_or_wait, &s);
    (void)pthread_barrier_destroy(&s.running);
}

/* While a batch runs, a reader enters, a third thread moves the epoch on, and
 * the batch retires a block; the rest of the batch must not release it. */
typedef struct late_reader {
    pthread_barrier_t enter, entered, moved, leave;
    uint64_t counter;
} late_reader;

static void retire_when_read(void *block)
{
    late_reader *const l = block;
    (void)pthread_barrier_wait(&l->enter);
    (void)pthread_barrier_wait(&l->entered);
    (void)pthread_barrier_wait(&l->moved);
    for (int i = 0; i < 1000; i++)
        girt_epoch_retire(&l->counter, count_release);
}

static void read_late(void *context, size_t me)
{
    late_reader *const l = context;
    if (me == 2) { /* retires, and so releases in batches */
        girt_epoch_retire(l, retire_when_read);
        for (int i = 0; i < 200; i++)
            girt_epoch_retire(&released, count_release);
        (void)pthread_barrier_wait(&l->leave);
        return;
    }
    (void)pthread_barrier_wait(&l->enter);
    if (me == 0)
        girt_epoch_enter();
    (void)pthread_barrier_wait(&l->entered);
    for (int i = 0; me == 1 && i < 64; i++)
        girt_epoch_retire(&released, count_release);
    (void)pthread_barrier_wait(&l->moved);
    (void)pthread_barrier_wait(&l->leave);
    if (me == 0) {
        assert_int_equal(count_of(&l->counter), 0);
        girt_epoch_exit();
    }
}

static void what_a_release_function_retires_waits_too(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) { /* ck's four lists take turns */
        late_reader l = {.counter = 0};
        pthread_barrier_t *const barriers[] = {&l.enter, &l.entered, &l.moved,
                                               &l.leave};
        for (size_t b = 0; b < 4; b++)
            assert_int_equal(pthread_barrier_init(barriers[b], NULL, 3), 0);
        threads_run(3, read_late, &l);
        girt_epoch_barrier();
        assert_int_equal(count_of(&l.counter), 1000);
        for (size_t b = 0; b < 4; b++)
            (void)pthread_barrier_destroy(barriers[b]);
    }
}

static void end_inside_a_section(void *context, size_t me)
{
    (void)context;
    (void)me;
    girt_epoch_enter();
    girt_epoch_enter();
    girt_epoch_retire(&released, count_release);
}

static void a_threads_end_ends_its_section(void **state)
{
    (void)state;
    threads_run(3, end_inside_a_section, NULL);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 3);
}

/* Epochs in destructors of keys, in every round there is: the last ones come
 * after the thread's end was told. */
static pthread_key_t late_key;

static void use_epochs_late(void *value)
{
    girt_epoch_enter();
    girt_epoch_retire(&released, count_release);
    girt_epoch_exit();
    (void)pthread_setspecific(late_key, value);
}

static void set_late_key(void *context, size_t me)
{
    (void)me;
    girt_epoch_enter();
    girt_epoch_exit();
    (void)pthread_setspecific(late_key, context);
}

static void last_destructors_may_use_epochs(void **state)
{
    (void)state;
    if (under_tsan())
        skip_because("ThreadSanitizer has ended the thread by then");
    assert_int_equal(pthread_key_create(&late_key, use_epochs_late), 0);
    threads_run(3, set_late_key, &late_key);
    (void)pthread_key_delete(late_key);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 3 * PTHREAD_DESTRUCTOR_ITERATIONS);
}

typedef struct item {
    uint64_t before;
    girt__epoch_node node;
    uint64_t after;
} item;

static void release_item(girt__epoch_node *node)
{
    item *const i = (item *)(void *)((char *)node - offsetof(item, node));
    assert_int_equal(i->before, 1);
    assert_int_equal(i->after, 2);
    free(i);
    (void)girt_add_relaxed(&released, 1);
}

static void embedded_nodes_need_no_memory(void **state)
{
    (void)state;
    for (int n = 0; n < 500; n++) {
        item *const i = malloc(sizeof *i);
        assert_non_null(i);
        i->before = 1;
        i->after = 2;
        girt__epoch_retire_node(&i->node, release_item);
    }
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 500);
}

/* In the parent: one thread in a section with blocks pending, which the
 * child does not have. */
static void stay_inside(void *context, size_t me)
{
    meeting *const m = context;
    if (me != 0) {
        girt_epoch_enter();
        for (int i = 0; i < 10; i++)
            girt_epoch_retire(&released, count_release);
        (void)pthread_barrier_wait(&m->inside);
        (void)pthread_barrier_wait(&m->leave);
        girt_epoch_exit();
        return;
    }
    girt_epoch_retire(&released, count_release);
    (void)pthread_barrier_wait(&m->inside);
    pid_t const child = fork();
    if (child == 0) {
        girt_epoch_barrier(); /* does not wait for a thread that is not here */
        bool right = count_of(&released) == 31;
        if (!under_tsan()) {
            threads_run(2, retire_and_end, NULL);
            girt_epoch_barrier();
            right = right && count_of(&released) == 34;
        }
        _exit(right ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    (void)pthread_barrier_wait(&m->leave);
    girt_epoch_barrier();
}

static void a_child_releases_what_it_inherits(void **state)
{
    (void)state;
    meeting m;
    meeting_init(&m, 4);
    threads_run(4, stay_inside, &m);
    girt_epoch_barrier();
    assert_int_equal(count_of(&released), 31);
    meeting_end(&m);
}

static void a_fork_inside_a_section_keeps_it_open(void **state)
{
    (void)state;
    girt_epoch_enter();
    pid_t const child = fork();
    if (child == 0) {
        for (int i = 0; i < 1000; i++)
            girt_epoch_retire(&released, count_release);
        bool right = count_of(&released) == 0;
        girt_epoch_exit();
        girt_epoch_barrier();
        right = right && count_of(&released) == 1000;
        _exit(right ? 0 : 1);
    }
    girt_epoch_exit();
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_barrier_releases_what_was_retired, reset),
        cmocka_unit_test_setup(any_pointer_can_be_retired, reset),
        cmocka_unit_test_setup(an_open_section_holds_everything, reset),
        cmocka_unit_test_setup(another_threads_section_holds_everything, reset),
        cmocka_unit_test_setup(ended_threads_blocks_are_released, reset),
        cmocka_unit_test_setup(short_lived_threads_do_not_pile_up_blocks,
                               reset),
        cmocka_unit_test_setup(backlog_is_bounded_without_readers, reset),
        cmocka_unit_test_setup(release_functions_may_retire_more, reset),
        cmocka_unit_test_setup(release_functions_may_wait, reset),
        cmocka_unit_test_setup(barriers_within_release_functions_do_not_lock,
                               reset),
        cmocka_unit_test_setup(a_barrier_waits_for_release_functions_under_way,
                               reset),
        cmocka_unit_test_setup(what_a_release_function_retires_waits_too,
                               reset),
        cmocka_unit_test_setup(a_threads_end_ends_its_section, reset),
        cmocka_unit_test_setup(last_destructors_may_use_epochs, reset),
        cmocka_unit_test_setup(embedded_nodes_need_no_memory, reset),
        cmocka_unit_test_setup(a_child_releases_what_it_inherits, reset),
        cmocka_unit_test_setup(a_fork_inside_a_section_keeps_it_open, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

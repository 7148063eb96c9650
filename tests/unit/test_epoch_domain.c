/* SPDX-License-Identifier: MIT */
/* Goal: a living thread has a record of its own, or is a visitor when memory is
 * out; an ended one, and in a fork's child one that was left behind, leaves its
 * blocks as orphans and its record to the next.  Method: threads that look at
 * the domain itself, an allocator that fails, and children that report by
 * their exit status which check failed. */
#include "core/epoch_domain.h"

#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/epoch_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t released;

static void count_release(void *block)
{
    (void)girt_add_relaxed((uint64_t *)block, 1);
}

static int reset(void **state)
{
    (void)state;
    girt_epoch_barrier();
    released = 0;
    return 0;
}

static size_t count_records(bool free_only)
{
    size_t count = 0;
    ck_stack_entry_t *link;
    CK_STACK_FOREACH(&girt__epochs.ck.records, link)
    {
        girt__epoch_record *const record = (girt__epoch_record *)(void *)link;
        count += !free_only || ck_pr_load_uint(&record->ck.state) != 0;
    }
    return count;
}

static uint32_t pending_of(girt__epoch_record *record)
{
    return ck_pr_load_uint(&record->ck.n_pending);
}

/* ---- lists -------------------------------------------------------------- */

static void moving_keeps_every_block_and_counts(void **state)
{
    (void)state;
    ck_stack_entry_t blocks[10];
    ck_stack_t from = {NULL, NULL}, to = {NULL, NULL};
    assert_int_equal(girt__epoch_move(&from, &to), 0);
    for (size_t i = 0; i < 10; i++)
        ck_stack_push_upmc(i < 7 ? &from : &to, &blocks[i]);
    assert_int_equal(girt__epoch_move(&from, &to), 7);
    assert_null(from.head);
    uint32_t seen = 0;
    ck_stack_entry_t *link;
    CK_STACK_FOREACH(&to, link)
    seen += 1u << (link - blocks);
    assert_int_equal(seen, (1u << 10) - 1);
}

static void all_that_is_pending_is_moved(void **state)
{
    (void)state;
    girt__epoch_record *const record = girt__epoch_join();
    assert_non_null(record);
    girt_epoch_enter();
    for (int i = 0; i < 9; i++)
        girt_epoch_retire(&released, count_release);
    assert_int_equal(pending_of(record), 9);
    assert_int_equal(girt__epoch_backlog(), 9);
    ck_stack_t all = {NULL, NULL};
    assert_int_equal(girt__epoch_move_pending(record, &all), 9);
    assert_int_equal(pending_of(record), 0);
    assert_int_equal(girt__epoch_move_pending(record, &all), 0);
    assert_int_equal(girt__epoch_move(&all, &record->ck.pending[3]), 9);
    ck_pr_add_uint(&record->ck.n_pending, 9);
    girt_epoch_exit();
    girt_epoch_barrier();
    assert_int_equal(released, 9);
}

/* ---- threads ------------------------------------------------------------ */

typedef struct party {
    pthread_barrier_t all_in;
    girt__epoch_record *records[8];
} party;

static void join_party(void *context, size_t me)
{
    party *const p = context;
    p->records[me] = girt__epoch_join();
    assert_ptr_equal(girt__epoch_join(), p->records[me]);
    assert_ptr_equal(girt__epoch_own, p->records[me]);
    (void)pthread_barrier_wait(&p->all_in);
}

static void each_thread_has_a_record_until_it_ends(void **state)
{
    (void)state;
    (void)girt__epoch_join();
    size_t records = 0;
    for (int round = 0; round < 3; round++) {
        party p;
        assert_int_equal(pthread_barrier_init(&p.all_in, NULL, 8), 0);
        threads_run(8, join_party, &p);
        (void)pthread_barrier_destroy(&p.all_in);
        for (size_t i = 0; i < 8; i++) {
            assert_non_null(p.records[i]);
            assert_ptr_not_equal(p.records[i], girt__epoch_own);
            for (size_t k = 0; k < i; k++)
                assert_ptr_not_equal(p.records[i], p.records[k]);
        }
        /* Those of the first round serve the later ones. */
        if (round == 0)
            records = count_records(false);
        assert_int_equal(count_records(false), records);
        assert_true(count_records(true) >= 8);
    }
}

static void end_with_blocks(void *context, size_t me)
{
    (void)me;
    girt__epoch_record *const record = girt__epoch_join();
    *(girt__epoch_record **)context = record;
    for (int i = 0; i < 5; i++)
        girt_epoch_retire(&released, count_release);
    /* As if they had had their grace period, and a function of theirs ran. */
    assert_int_equal(girt__epoch_move_pending(record, &record->ready), 5);
    girt_epoch_enter();
    for (int i = 0; i < 3; i++)
        girt_epoch_retire(&released, count_release);
    record->releasing = true;
    girt_store_release(&record->batch, record->batch + 1);
}

static void an_ended_threads_blocks_are_orphans(void **state)
{
    (void)state;
    assert_int_equal(girt__epochs.orphan_count, 0);
    girt__epoch_record *record = NULL;
    threads_run(1, end_with_blocks, &record);
    assert_int_equal(girt_load_relaxed(&girt__epochs.orphan_count), 8);
    assert_int_equal(released, 0);
    assert_null(record->ready.head);
    assert_int_equal(pending_of(record), 0);
    assert_int_equal(record->since_poll, 0);
    assert_int_equal(ck_pr_load_uint(&record->ck.active), 0);
    assert_int_not_equal(ck_pr_load_uint(&record->ck.state), 0);
    /* Nobody would wait for it for ever. */
    assert_false(record->releasing);
    assert_int_equal(girt_load_relaxed(&record->batch) % 2, 0);
    girt_epoch_barrier();
    assert_int_equal(released, 8);
    assert_int_equal(girt_load_relaxed(&girt__epochs.orphan_count), 0);
}

static pthread_key_t late_key;
static girt__epoch_record *late_answer;

static void join_late(void *value)
{
    late_answer = girt__epoch_join();
    (void)pthread_setspecific(late_key, value);
}

static void set_late_key(void *context, size_t me)
{
    (void)me;
    *(girt__epoch_record **)context = girt__epoch_join();
    (void)pthread_setspecific(late_key, context);
}

static void after_its_end_a_thread_gets_no_record(void **state)
{
    (void)state;
    if (under_tsan())
        skip_because("calls from a thread's last destructors");
    girt__epoch_record *first = NULL;
    late_answer = &girt__epochs.visited;
    assert_int_equal(pthread_key_create(&late_key, join_late), 0);
    threads_run(1, set_late_key, &first);
    (void)pthread_key_delete(late_key);
    assert_non_null(first);
    assert_null(late_answer);
}

/* ---- visitors ----------------------------------------------------------- */

static failing f;
static girt__epoch_record *held[256];

/* So that a thread needs a new record, which it cannot have. */
static void without_memory(void)
{
    size_t count = 0;
    while ((held[count] = (girt__epoch_record *)(void *)ck_epoch_recycle(
                &girt__epochs.ck, NULL)) != NULL)
        assert_true(++count < 255);
    failing_init(&f);
    f.fail_at = 1;
    f.fail_all_after = true;
    girt__epoch_set_memory(&f.allocator);
}

static void with_memory(void)
{
    girt__epoch_set_memory(NULL);
    for (size_t i = 0; held[i] != NULL; i++)
        ck_epoch_unregister(&held[i]->ck);
}

static bool visitors_are_in(void)
{
    return ck_pr_load_uint(&girt__epochs.visited.ck.active) != 0;
}

static void visit(void *context, size_t me)
{
    (void)context;
    (void)me;
    assert_null(girt__epoch_join());
    assert_int_equal(f.calls, 1);
    girt__epoch_visitor_enter();
    girt__epoch_visitor_enter();
    assert_int_equal(girt__epoch_visits, 2);
    assert_int_equal(girt__epochs.visitors, 1);
    assert_true(visitors_are_in());
    girt__epoch_set_memory(NULL);
    /* Its section is where it began. */
    assert_null(girt__epoch_join());
    girt__epoch_visitor_exit();
    assert_true(visitors_are_in());
    girt__epoch_visitor_exit();
    assert_false(visitors_are_in());
    assert_int_equal(girt__epochs.visitors, 0);
    assert_non_null(girt__epoch_join());
}

static void without_memory_a_thread_is_a_visitor(void **state)
{
    (void)state;
    without_memory();
    threads_run(1, visit, NULL);
    with_memory();
    assert_int_equal(girt__epochs.visitors, 0);
}

typedef struct meeting {
    pthread_barrier_t inside, counted, leave;
} meeting;

static void visit_and_end(void *context, size_t me)
{
    meeting *const m = context;
    girt_epoch_enter();
    girt_epoch_enter();
    assert_null(girt__epoch_own);
    (void)pthread_barrier_wait(&m->inside);
    (void)pthread_barrier_wait(&m->counted);
    if (me == 0)
        return; /* inside */
    (void)pthread_barrier_wait(&m->leave);
    assert_true(visitors_are_in());
    girt_epoch_exit();
    girt_epoch_exit();
}

static void *run_visitor(void *context)
{
    visit_and_end(context, 0);
    return NULL;
}

static void *run_staying_visitor(void *context)
{
    visit_and_end(context, 1);
    return NULL;
}

static void visitors_share_a_section(void **state)
{
    (void)state;
    meeting m;
    pthread_t ends, stays;
    without_memory();
    assert_int_equal(pthread_barrier_init(&m.inside, NULL, 3), 0);
    assert_int_equal(pthread_barrier_init(&m.counted, NULL, 3), 0);
    assert_int_equal(pthread_barrier_init(&m.leave, NULL, 2), 0);
    assert_int_equal(pthread_create(&ends, NULL, run_visitor, &m), 0);
    assert_int_equal(pthread_create(&stays, NULL, run_staying_visitor, &m), 0);
    (void)pthread_barrier_wait(&m.inside);
    assert_int_equal(girt__epochs.visitors, 2);
    (void)pthread_barrier_wait(&m.counted);
    assert_int_equal(pthread_join(ends, NULL), 0); /* ends its section */
    assert_int_equal(girt__epochs.visitors, 1);
    assert_true(visitors_are_in());
    girt__epoch_set_memory(NULL);
    girt_epoch_enter();
    for (int i = 0; i < 300; i++)
        girt_epoch_retire(&released, count_release);
    girt_epoch_exit();
    assert_int_equal(released, 0); /* a reader like any other */
    (void)pthread_barrier_wait(&m.leave);
    assert_int_equal(pthread_join(stays, NULL), 0);
    (void)pthread_barrier_destroy(&m.inside);
    (void)pthread_barrier_destroy(&m.counted);
    (void)pthread_barrier_destroy(&m.leave);
    assert_false(visitors_are_in());
    assert_int_equal(girt__epochs.visitors, 0);
    with_memory();
    girt_epoch_barrier();
    assert_int_equal(released, 300);
}

/* ---- forks -------------------------------------------------------------- */

static int exit_status(pid_t child)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool locks_are_free(void)
{
    if (pthread_mutex_trylock(&girt__epochs.collecting) != 0)
        return false;
    (void)pthread_mutex_unlock(&girt__epochs.collecting);
    if (pthread_mutex_trylock(&girt__epochs.visiting) != 0)
        return false;
    (void)pthread_mutex_unlock(&girt__epochs.visiting);
    return true;
}

/* Runs after the domain's own handler, for it was registered before. */
static bool look_in_fork, locks_were_free;

static void look_at_locks(void)
{
    if (!look_in_fork)
        return;
    locks_were_free = false;
    pthread_mutex_t *const locks[] = {&girt__epochs.collecting,
                                      &girt__epochs.visiting};
    for (size_t i = 0; i < 2; i++)
        if (pthread_mutex_trylock(locks[i]) == 0) {
            locks_were_free = true;
            (void)pthread_mutex_unlock(locks[i]);
        }
}

static void a_fork_holds_both_locks(void **state)
{
    (void)state;
    (void)girt__epoch_join();
    look_in_fork = true;
    locks_were_free = true;
    const pid_t child = fork();
    if (child == 0)
        _exit(locks_are_free() ? 0 : 1);
    look_in_fork = false;
    assert_false(locks_were_free);
    assert_true(locks_are_free());
    assert_int_equal(exit_status(child), 0);
}

typedef struct left_behind {
    pthread_barrier_t inside, leave;
    girt__epoch_record *record;
} left_behind;

static void *stay_with_blocks(void *context)
{
    left_behind *const l = context;
    l->record = girt__epoch_join();
    girt_epoch_enter();
    for (int i = 0; i < 5; i++)
        girt_epoch_retire(&released, count_release);
    (void)pthread_barrier_wait(&l->inside);
    (void)pthread_barrier_wait(&l->leave);
    girt_epoch_exit();
    return NULL;
}

static int check_child(const left_behind *l)
{
    const girt__epoch_record *const record = l->record;
    girt__epoch_record *const own = girt__epoch_own;
    if (record->ck.state == 0 || record->ck.active != 0)
        return 1;
    if (record->spares != NULL || record->spare_count != 0)
        return 2;
    if (girt__epochs.orphan_count != 5)
        return 3;
    if (own->ck.state != 0 || pending_of(own) != 2 || own->spare_count == 0)
        return 4;
    if (girt__epochs.visitors != 0 || visitors_are_in())
        return 5;
    if (girt__epochs.visitors_releasing != 0)
        return 6;
    if (!locks_are_free())
        return 7;
    const size_t free_records = count_records(true);
    if (girt__epochs.ck.n_free != free_records) /* buried once each */
        return 10;
    girt_epoch_barrier(); /* waits for none of those who are not here */
    if (released != 7 || girt__epochs.orphan_count != 0)
        return 8;
    return count_records(true) == free_records ? 0 : 9;
}

static void a_child_buries_those_left_behind(void **state)
{
    (void)state;
    left_behind l;
    pthread_t thread;
    assert_int_equal(pthread_barrier_init(&l.inside, NULL, 2), 0);
    assert_int_equal(pthread_barrier_init(&l.leave, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, stay_with_blocks, &l), 0);
    (void)pthread_barrier_wait(&l.inside);
    girt_epoch_retire(&released, count_release);
    girt_epoch_retire(&released, count_release);
    /* Somebody visits, and somebody releases as one. */
    ck_epoch_begin(&girt__epochs.visited.ck, NULL);
    girt__epochs.visitors = 2;
    girt__epochs.visitors_releasing = 2;
    const pid_t child = fork();
    if (child == 0)
        _exit(check_child(&l));
    girt__epochs.visitors = 0;
    girt__epochs.visitors_releasing = 0;
    (void)ck_epoch_end(&girt__epochs.visited.ck, NULL);
    assert_int_equal(exit_status(child), 0);
    assert_int_equal(l.record->ck.state, 0);
    assert_int_equal(girt__epochs.orphan_count, 0);
    (void)pthread_barrier_wait(&l.leave);
    assert_int_equal(pthread_join(thread, NULL), 0);
    girt_epoch_barrier();
    assert_int_equal(released, 7);
    (void)pthread_barrier_destroy(&l.inside);
    (void)pthread_barrier_destroy(&l.leave);
}

static int check_visiting_child(void)
{
    if (girt__epochs.visitors != 1 || !visitors_are_in())
        return 1;
    if (girt__epochs.visitors_releasing != 1)
        return 2;
    girt__epoch_visitor_exit();
    return girt__epochs.visitors == 0 && !visitors_are_in() ? 0 : 3;
}

static void visit_and_fork(void *context, size_t me)
{
    (void)me;
    girt_epoch_enter();
    girt__epoch_visitor_releasing = true;
    girt__epochs.visitors += 2; /* others that the child does not have */
    girt__epochs.visitors_releasing = 3;
    const pid_t child = fork();
    if (child == 0)
        _exit(check_visiting_child());
    girt__epochs.visitors -= 2;
    girt__epochs.visitors_releasing = 0;
    girt__epoch_visitor_releasing = false;
    girt_epoch_exit();
    *(int *)context = exit_status(child);
}

static void a_visitor_that_forks_stays_inside(void **state)
{
    (void)state;
    int status = -1;
    without_memory();
    threads_run(1, visit_and_fork, &status);
    with_memory();
    assert_int_equal(status, 0);
}

/* Index 0 is among those left behind, and is what a thread's own would be if
 * nobody had said that it has none. */
static void fork_before_first_use(void *context, size_t me)
{
    (void)me;
    const pid_t child = fork();
    if (child == 0)
        _exit(girt__epoch_join() != NULL ? 0 : 1);
    *(int *)context = exit_status(child);
}

static void a_thread_may_fork_before_its_first_use(void **state)
{
    (void)state;
    int status = -1;
    assert_int_equal(girt__thread_index(), 0);
    threads_run(1, fork_before_first_use, &status);
    assert_int_equal(status, 0);
}

int main(void)
{
    /* Before the first use of epochs. */
    if (pthread_atfork(look_at_locks, NULL, NULL) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(moving_keeps_every_block_and_counts, reset),
        cmocka_unit_test_setup(all_that_is_pending_is_moved, reset),
        cmocka_unit_test_setup(each_thread_has_a_record_until_it_ends, reset),
        cmocka_unit_test_setup(an_ended_threads_blocks_are_orphans, reset),
        cmocka_unit_test_setup(after_its_end_a_thread_gets_no_record, reset),
        cmocka_unit_test_setup(without_memory_a_thread_is_a_visitor, reset),
        cmocka_unit_test_setup(visitors_share_a_section, reset),
        cmocka_unit_test_setup(a_fork_holds_both_locks, reset),
        cmocka_unit_test_setup(a_child_buries_those_left_behind, reset),
        cmocka_unit_test_setup(a_visitor_that_forks_stays_inside, reset),
        cmocka_unit_test_setup(a_thread_may_fork_before_its_first_use, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

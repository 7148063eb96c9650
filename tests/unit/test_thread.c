/* SPDX-License-Identifier: MIT */
/* Goal: indices are dense, unique among living threads and given again, and
 * every end is told once.  Method: threads that stop at barriers while their
 * indices are compared, threads that end one after the other, destructors of
 * other keys that call girt, and forks that leave threads behind. */
#include "core/thread.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 32 };

typedef struct told {
    girt__thread_observer observer;
    uint32_t count;
    uint32_t by_index[GIRT__THREADS_MAX];
} told;

static told ends; /* large: not on the stack */

static void note_end(girt__thread_observer *self, uint32_t index)
{
    told *const t = (told *)(void *)self;
    t->count++;
    t->by_index[index]++;
}

static void start_noting(void)
{
    memset(&ends, 0, sizeof ends);
    ends.observer.ended = note_end;
    girt__thread_observe(&ends.observer);
}

static void index_stays_the_same(void **state)
{
    (void)state;
    uint32_t const index = girt__thread_index();
    assert_true(index < GIRT__THREADS_MAX);
    assert_int_equal(girt__thread_index(), index);
}

typedef struct crowd {
    pthread_barrier_t all_have_one;
    uint32_t indices[THREADS];
} crowd;

static void join_crowd(void *context, size_t i)
{
    crowd *const c = context;
    c->indices[i] = girt__thread_index();
    (void)pthread_barrier_wait(&c->all_have_one);
}

static void living_threads_have_dense_unique_indices(void **state)
{
    (void)state;
    (void)girt__thread_index();
    for (int round = 0; round < 3; round++) {
        crowd c;
        assert_int_equal(pthread_barrier_init(&c.all_have_one, NULL, THREADS),
                         0);
        start_noting();
        threads_run(THREADS, join_crowd, &c);
        girt__thread_unobserve(&ends.observer);
        bool seen[THREADS + 1] = {false};
        seen[girt__thread_index()] = true;
        for (size_t i = 0; i < THREADS; i++) {
            /* The lowest free: no hole below the crowd. */
            assert_true(c.indices[i] <= THREADS);
            assert_false(seen[c.indices[i]]);
            seen[c.indices[i]] = true;
            assert_int_equal(ends.by_index[c.indices[i]], 1);
        }
        assert_int_equal(ends.count, THREADS);
        (void)pthread_barrier_destroy(&c.all_have_one);
    }
}

static void note_index(void *context, size_t i)
{
    (void)i;
    *(uint32_t *)context = girt__thread_index();
}

static void an_ended_threads_index_is_given_again(void **state)
{
    (void)state;
    uint32_t first;
    threads_run(1, note_index, &first);
    for (int i = 0; i < 100; i++) {
        uint32_t again;
        threads_run(1, note_index, &again);
        assert_int_equal(again, first);
    }
}

static void nothing_is_told_after_unobserve(void **state)
{
    (void)state;
    uint32_t index;
    start_noting();
    girt__thread_unobserve(&ends.observer);
    threads_run(1, note_index, &index);
    assert_int_equal(ends.count, 0);
}

/* A key made before girt's and one made after: whichever order libc runs
 * destructors in, one of them comes after girt's. */
static pthread_key_t keys[2];
static uint32_t late_index[2];
static pthread_key_t *late_key;

static void call_girt_late(void *value)
{
    late_index[value == &keys[1]] = girt__thread_index();
    if (late_key == value) /* and once more in each round there is */
        (void)pthread_setspecific(*late_key, value);
}

static void use_keys(void *context, size_t i)
{
    note_index(context, i);
    assert_int_equal(pthread_setspecific(keys[0], &keys[0]), 0);
    assert_int_equal(pthread_setspecific(keys[1], &keys[1]), 0);
}

static void destructors_that_call_girt_leave_nothing(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&keys[1], call_girt_late), 0);
    for (int i = 0; i < (under_tsan() ? 1 : 3); i++) {
        late_key = i == 0 ? NULL : &keys[i - 1];
        uint32_t index, again;
        start_noting();
        threads_run(1, use_keys, &index);
        girt__thread_unobserve(&ends.observer);
        assert_int_equal(ends.count, 1);
        assert_int_equal(ends.by_index[index], 1);
        if (late_key == NULL) { /* the first round: it still has its index */
            assert_int_equal(late_index[0], index);
            assert_int_equal(late_index[1], index);
        }
        threads_run(1, note_index, &again);
        assert_int_equal(again, index);
    }
    if (!under_tsan())
        assert_int_equal(late_index[1], GIRT__THREADS_MAX - 1);
}

typedef struct left_behind {
    pthread_barrier_t ready, done;
    uint32_t indices[THREADS];
} left_behind;

static void stay(void *context, size_t i)
{
    left_behind *const l = context;
    l->indices[i] = girt__thread_index();
    (void)pthread_barrier_wait(&l->ready);
    (void)pthread_barrier_wait(&l->done);
}

static void *fork_and_look(void *context)
{
    left_behind *const l = context;
    uint32_t const mine = girt__thread_index();
    (void)pthread_barrier_wait(&l->ready);
    pid_t const child = fork();
    if (child == 0) {
        bool right = girt__thread_index() == mine;
        for (size_t i = 0; i < 4; i++)
            right = right && ends.by_index[l->indices[i]] == 1;
        right = right && ends.by_index[mine] == 0;
        /* The locks are free: a new thread can begin and end. */
        if (!under_tsan()) {
            uint32_t index;
            threads_run(1, note_index, &index);
            right = right && index != mine && index <= 5;
        }
        _exit(right ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    (void)pthread_barrier_wait(&l->done);
    return NULL;
}

static void a_child_is_told_of_threads_left_behind(void **state)
{
    (void)state;
    left_behind l;
    assert_int_equal(pthread_barrier_init(&l.ready, NULL, 5), 0);
    assert_int_equal(pthread_barrier_init(&l.done, NULL, 5), 0);
    (void)girt__thread_index();
    start_noting();
    pthread_t forker;
    assert_int_equal(pthread_create(&forker, NULL, fork_and_look, &l), 0);
    threads_run(4, stay, &l);
    assert_int_equal(pthread_join(forker, NULL), 0);
    girt__thread_unobserve(&ends.observer);
    assert_int_equal(ends.count, 5); /* in the parent: at their real end */
    (void)pthread_barrier_destroy(&l.ready);
    (void)pthread_barrier_destroy(&l.done);
}

int main(void)
{
    /* Before girt makes its own. */
    if (pthread_key_create(&keys[0], call_girt_late) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_stays_the_same),
        cmocka_unit_test(living_threads_have_dense_unique_indices),
        cmocka_unit_test(an_ended_threads_index_is_given_again),
        cmocka_unit_test(nothing_is_told_after_unobserve),
        cmocka_unit_test(destructors_that_call_girt_leave_nothing),
        cmocka_unit_test(a_child_is_told_of_threads_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: threads beyond the limit share the last index, and none of it is left
 * when they have ended or were left behind by a fork.  Method: thread.c again,
 * with a limit of 64, and more threads than that. */
#define GIRT__THREADS_MAX 64
#include "core/thread.c"

#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/threads.h"

enum { THREADS = 80, LAST = GIRT__THREADS_MAX - 1 };

static girt__thread_observer observer;
static uint32_t ends[GIRT__THREADS_MAX];

static void note_end(girt__thread_observer *self, uint32_t index)
{
    assert_ptr_equal(self, &observer);
    ends[index]++; /* under thread.c's mutex */
}

typedef struct crowd {
    pthread_barrier_t all_have_one, forked;
    uint32_t indices[THREADS];
    size_t forker;
} crowd;

/* In a child whose only thread has `mine`. */
static bool child_is_right(uint32_t mine)
{
    bool right = girt__thread_index() == mine;
    for (uint32_t i = 0; i < LAST; i++)
        right = right && ends[i] == (i != mine);
    /* Those who share it are told of only when nobody has it any more. */
    right = right && ends[LAST] == (mine != LAST);
    right = right && all.shared == (mine == LAST);
    return right;
}

static void join_crowd(void *context, size_t i)
{
    crowd *const c = context;
    c->indices[i] = girt__thread_index();
    (void)pthread_barrier_wait(&c->all_have_one);
    if (c->forker == i) {
        pid_t const child = fork();
        if (child == 0)
            _exit(child_is_right(c->indices[i]) ? 0 : 1);
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    (void)pthread_barrier_wait(&c->forked);
}

static void those_beyond_share_the_last(void **state)
{
    (void)state;
    uint32_t const mine = girt__thread_index();
    for (size_t forker = 0; forker < THREADS; forker += 13) {
        crowd c = {.forker = forker};
        memset(ends, 0, sizeof ends);
        observer.ended = note_end;
        girt__thread_observe(&observer);
        assert_int_equal(pthread_barrier_init(&c.all_have_one, NULL, THREADS),
                         0);
        assert_int_equal(pthread_barrier_init(&c.forked, NULL, THREADS), 0);
        threads_run(THREADS, join_crowd, &c);
        girt__thread_unobserve(&observer);
        uint32_t holders[GIRT__THREADS_MAX] = {0};
        holders[mine]++;
        for (size_t i = 0; i < THREADS; i++)
            holders[c.indices[i]]++;
        for (uint32_t i = 0; i < LAST; i++)
            assert_int_equal(holders[i], 1);
        assert_int_equal(holders[LAST], THREADS + 1 - LAST);
        for (uint32_t i = 0; i <= LAST; i++)
            assert_int_equal(ends[i], holders[i] - (i == mine));
        assert_int_equal(all.shared, 0);
        assert_true(all.taken[0] == (uint64_t)1 << mine);
        (void)pthread_barrier_destroy(&c.all_have_one);
        (void)pthread_barrier_destroy(&c.forked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_beyond_share_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: a process that was killed is seen to be gone, reaped or not, and a lock
 * that it held can be taken; a living one is never taken for dead.
 * Method: forked children that are killed, and words that nobody wrote. */
#include "core/process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <girt/clock.h>

#include "core/atomic.h"
#include "support/check.h"
#include "support/threads.h"

typedef struct board {
    uint64_t child; /* written when the child is ready */
    uint64_t lock;
} board;

static board *make_board(void)
{
    board *const b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(b != MAP_FAILED);
    return b;
}

/* A child that takes the lock and then does nothing until it is killed. */
static pid_t fork_holder(board *b)
{
    girt_store_release(&b->child, (uint64_t)0);
    pid_t const pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!girt__process_try_lock(&b->lock))
            _exit(1);
        girt_store_release(&b->child, girt__process_self());
        for (;;)
            (void)pause();
    }
    while (girt_load_acquire(&b->child) == 0)
        (void)usleep(100);
    return pid;
}

static void test_self(void **state)
{
    (void)state;
    uint64_t const self = girt__process_self();
    assert_int_equal(self & ((1u << 22) - 1), getpid());
    assert_int_equal(self, girt__process_self());
    assert_false(girt__process_is_gone(self));
    assert_false(girt__process_is_gone((uint64_t)getpid()));
}

static void test_other_incarnation(void **state)
{
    (void)state;
    uint64_t const self = girt__process_self();
    if (self >> 22 == 0)
        skip_because("no /proc");
    /* The same pid, started earlier: given again since. */
    assert_true(girt__process_is_gone(self - (UINT64_C(1) << 22)));
}

static void test_any_word(void **state)
{
    (void)state;
    assert_true(girt__process_is_gone(0));
    assert_true(girt__process_is_gone(UINT64_MAX << 22));
    assert_true(girt__process_is_gone(UINT64_MAX));
}

static void test_killed(void **state)
{
    (void)state;
    board *const b = make_board();
    pid_t const pid = fork_holder(b);
    assert_false(girt__process_is_gone(b->child));
    assert_false(girt__process_try_lock(&b->lock));
    assert_false(girt__process_lock(&b->lock, 1000000));
    assert_int_equal(kill(pid, SIGSTOP), 0); /* stopped is not gone */
    assert_false(girt__process_try_lock(&b->lock));
    assert_int_equal(kill(pid, SIGKILL), 0);
    /* Not reaped yet: a zombie, whose lock can be had all the same. */
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(girt__process_is_gone(b->child));
    assert_true(girt__process_lock(&b->lock, 1000000000));
    assert_int_equal(b->lock, girt__process_self());
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(girt__process_is_gone(b->child));
    girt__process_unlock(&b->lock);
    assert_int_equal(b->lock, 0);
    assert_int_equal(munmap(b, sizeof *b), 0);
}

static void *report_and_pause(void *argument)
{
    board *const b = argument;
    /* Until the leader has ended: its state is then Z. */
    (void)usleep(20000);
    girt_store_release(&b->child, girt__process_self());
    for (;;)
        (void)pause();
    return NULL;
}

/* A leader that ended before its threads is a zombie, its process is not. */
static void test_leader_ended(void **state)
{
    (void)state;
    board *const b = make_board();
    pid_t const pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, report_and_pause, b) != 0)
            _exit(1);
        pthread_exit(NULL);
    }
    while (girt_load_acquire(&b->child) == 0)
        (void)usleep(100);
    assert_false(girt__process_is_gone(b->child));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(girt__process_is_gone(b->child));
    assert_int_equal(munmap(b, sizeof *b), 0);
}

typedef struct counted {
    uint64_t lock;
    uint64_t count; /* under the lock */
} counted;

static void count_up(void *context, size_t index)
{
    (void)index;
    counted *const c = context;
    for (int i = 0; i < 20; i++) {
        assert_true(girt__process_lock(&c->lock, INT64_MAX));
        c->count++;
        girt__process_unlock(&c->lock);
    }
}

static void test_threads(void **state)
{
    (void)state;
    counted c = {0, 0};
    threads_run(3, count_up, &c);
    assert_int_equal(c.count, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_other_incarnation),
        cmocka_unit_test(test_any_word),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_leader_ended),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

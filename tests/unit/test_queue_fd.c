/* SPDX-License-Identifier: MIT */
/* Goal: the eventfd is readable while items wait or the queue is closed, and
 * not after a pop that said empty.  Method: poll with no wait after each step,
 * in each mode; the limit on descriptors lowered for the failure. */
#include <girt/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "queue/queue_internal.h"
#include "support/check.h"

static const girt_queue_options modes[] = {
    {.capacity = 3},
    {.capacity = 3, .bands = 2},
    {.capacity = 3, .per_producer_order = true},
    {.capacity = 3, .single_producer = true, .single_consumer = true},
};
#define MODES (sizeof modes / sizeof *modes)

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_in_range(poll(&p, 1, 0), 0, 1);
    return p.revents & POLLIN;
}

static void it_follows_the_items(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        girt_queue *queue = NULL;
        check_status(girt_queue_create(&queue, &modes[m]), GIRT_OK);
        int fd = -1, again = -1;
        check_status(girt_queue_fd(queue, &fd), GIRT_OK);
        check_status(girt_queue_fd(queue, &again), GIRT_OK);
        assert_int_equal(fd, again);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        assert_false(readable(fd));
        void *item = NULL;
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_EMPTY);
        assert_false(readable(fd));
        for (size_t round = 0; round < 3; round++) {
            for (size_t i = 0; i < 3; i++) {
                check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
                assert_true(readable(fd));
            }
            for (size_t i = 0; i < 3; i++) {
                assert_true(readable(fd));
                check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
            }
            check_status(round % 2 ? girt_queue_pop(queue, &item, 1000)
                                   : girt_queue_pop(queue, &item, GIRT_NOW),
                         round % 2 ? GIRT_TIMEOUT : GIRT_EMPTY);
            assert_false(readable(fd));
        }
        girt_queue_close(queue);
        assert_true(readable(fd));
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_CLOSED);
        girt_queue_close(queue);
        assert_true(readable(fd));
        girt_queue_destroy(queue);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
    }
}

static void it_may_come_late(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2 * MODES; m++) {
        girt_queue *queue = NULL;
        check_status(girt_queue_create(&queue, &modes[m / 2]), GIRT_OK);
        int fd = -1;
        if (m % 2 == 0)
            check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
        else
            girt_queue_close(queue);
        check_status(girt_queue_fd(queue, &fd), GIRT_OK);
        assert_true(readable(fd));
        girt_queue_destroy(queue);
    }
}

static void no_descriptor_is_a_clear_answer(void **state)
{
    (void)state;
    girt_queue *queue = NULL;
    check_status(girt_queue_create(&queue, NULL), GIRT_OK);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit const none = {0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int fd = -7;
    girt_status const status = girt_queue_fd(queue, &fd);
    int const reason = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    check_status(status, GIRT_E_SYSTEM);
    assert_int_equal(reason, EMFILE);
    assert_int_equal(fd, -7);
    check_status(girt_queue_fd(queue, &fd), GIRT_OK);
    girt_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_the_items),
        cmocka_unit_test(it_may_come_late),
        cmocka_unit_test(no_descriptor_is_a_clear_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

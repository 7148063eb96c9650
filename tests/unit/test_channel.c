/* SPDX-License-Identifier: MIT */
/* Goal: messages arrive once, in order and whole, and every argument that is
 * out of range is told so.
 * Method: one process that sends and receives by turns, at the edges: full,
 * empty, sizes 0 and message_max, round the lane's end, a fork in between. */
#include <girt/channel.h>

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <girt/clock.h>

#include "shared/channel_internal.h"
#include "support/check.h"
#include "support/segment.h"

static girt_shared *make_segment(size_t size)
{
    girt_shared *shared;
    check_status(girt_shared_create(&shared, NULL, size, 0), GIRT_OK);
    return shared;
}

static girt_channel *open_channel(girt_shared *shared, size_t capacity,
                                  size_t message_max)
{
    girt_channel *channel;
    check_status(
        girt_channel_open(&channel, shared, "c", capacity, message_max),
        GIRT_OK);
    return channel;
}

static void expect_message(girt_channel *channel, const char *text)
{
    char message[256];
    size_t size = 0;
    check_status(
        girt_channel_receive(channel, message, sizeof message, &size, GIRT_NOW),
        GIRT_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(message, text, size);
}

static void send_text(girt_channel *channel, const char *text)
{
    check_status(girt_channel_send(channel, text, strlen(text), GIRT_NOW),
                 GIRT_OK);
}

static void test_there_and_back(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 16);
    girt_channel *const channel = open_channel(shared, 4, 20);
    girt_shared_close(shared); /* the channel keeps it */
    send_text(channel, "one");
    send_text(channel, "");
    check_status(girt_channel_send(channel, NULL, 0, GIRT_NOW), GIRT_OK);
    send_text(channel, "twenty bytes, all of");
    expect_message(channel, "one");
    expect_message(channel, "");
    expect_message(channel, "");
    expect_message(channel, "twenty bytes, all of");
    size_t size = 77;
    check_status(girt_channel_receive(channel, NULL, 0, &size, GIRT_NOW),
                 GIRT_EMPTY);
    assert_int_equal(size, 77);
    girt_channel_close(channel);
    girt_channel_close(NULL);
}

static void test_bound(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity <= 9; capacity++) {
        girt_shared *const shared = make_segment(1 << 16);
        girt_channel *const channel = open_channel(shared, capacity, 13);
        char text[16];
        for (int round = 0; round < 5; round++) {
            for (size_t i = 0; i < capacity; i++) {
                (void)snprintf(text, sizeof text, "%d %zu", round, i);
                send_text(channel, text);
            }
            check_status(girt_channel_send(channel, "x", 1, GIRT_NOW),
                         GIRT_FULL);
            check_status(girt_channel_send(channel, "x", 1, 1000),
                         GIRT_TIMEOUT);
            for (size_t i = 0; i < capacity; i++) {
                (void)snprintf(text, sizeof text, "%d %zu", round, i);
                expect_message(channel, text);
            }
            char byte;
            size_t size;
            check_status(girt_channel_receive(channel, &byte, 1, &size, 1000),
                         GIRT_TIMEOUT);
        }
        girt_channel_close(channel);
        girt_shared_close(shared);
    }
}

static void test_bad_arguments(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 16);
    girt_channel *const untouched = (girt_channel *)(void *)shared;
    girt_channel *out = untouched;
    char name[257];
    memset(name, 'n', 256);
    name[256] = '\0';
    check_status(girt_channel_open(NULL, shared, "c", 4, 4), GIRT_E_INVALID);
    check_status(girt_channel_open(&out, NULL, "c", 4, 4), GIRT_E_INVALID);
    check_status(girt_channel_open(&out, shared, NULL, 4, 4), GIRT_E_INVALID);
    check_status(girt_channel_open(&out, shared, "", 4, 4), GIRT_E_INVALID);
    check_status(girt_channel_open(&out, shared, name, 4, 4), GIRT_E_INVALID);
    check_status(girt_channel_open(&out, shared, "c", 0, 4), GIRT_E_INVALID);
    check_status(girt_channel_open(&out, shared, "c", 4, 0), GIRT_E_INVALID);
    static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 7, (size_t)1 << 63,
                                  (size_t)1 << 40, (size_t)1 << 32};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        check_status(girt_channel_open(&out, shared, "c", huge[i], 4),
                     GIRT_E_TOO_LARGE);
        check_status(girt_channel_open(&out, shared, "c", 4, huge[i]),
                     GIRT_E_TOO_LARGE);
        check_status(girt_channel_open(&out, shared, "c", huge[i], huge[i]),
                     GIRT_E_TOO_LARGE);
    }
    check_status(girt_channel_open(&out, shared, "c", (size_t)1 << 20, 1 << 20),
                 GIRT_E_TOO_LARGE);
    check_status(girt_channel_open(&out, shared, "c", 1000, 1000),
                 GIRT_E_NOMEM);
    assert_ptr_equal(out, untouched);

    girt_channel *const channel = open_channel(shared, 4, 16);
    check_status(girt_channel_open(&out, shared, "c", 5, 16), GIRT_E_INVALID);
    check_status(girt_channel_open(&out, shared, "c", 4, 17), GIRT_E_INVALID);
    check_status(girt_channel_send(NULL, "a", 1, 0), GIRT_E_INVALID);
    check_status(girt_channel_send(channel, NULL, 1, 0), GIRT_E_INVALID);
    check_status(girt_channel_send(channel, "a", 1, -1), GIRT_E_INVALID);
    check_status(girt_channel_send(channel, name, 17, 0), GIRT_E_TOO_LARGE);
    check_status(girt_channel_send(channel, name, SIZE_MAX, 0),
                 GIRT_E_TOO_LARGE);
    size_t size = 5, count = 6;
    check_status(girt_channel_receive(NULL, name, 9, &size, 0), GIRT_E_INVALID);
    check_status(girt_channel_receive(channel, NULL, 9, &size, 0),
                 GIRT_E_INVALID);
    check_status(girt_channel_receive(channel, name, 9, NULL, 0),
                 GIRT_E_INVALID);
    check_status(girt_channel_receive(channel, name, 9, &size, -1),
                 GIRT_E_INVALID);
    check_status(girt_channel_send_n(NULL, name, 16, 0, &count),
                 GIRT_E_INVALID);
    check_status(girt_channel_send_n(channel, NULL, 16, 0, &count),
                 GIRT_E_INVALID);
    check_status(girt_channel_send_n(channel, name, 16, 0, NULL),
                 GIRT_E_INVALID);
    check_status(girt_channel_send_n(channel, name, 16, -1, &count),
                 GIRT_E_INVALID);
    check_status(girt_channel_receive_n(NULL, name, 16, 0, &size, &count),
                 GIRT_E_INVALID);
    check_status(girt_channel_receive_n(channel, NULL, 16, 0, &size, &count),
                 GIRT_E_INVALID);
    check_status(girt_channel_receive_n(channel, name, 16, 0, NULL, &count),
                 GIRT_E_INVALID);
    check_status(girt_channel_receive_n(channel, name, 16, -1, &size, &count),
                 GIRT_E_INVALID);
    assert_int_equal(size, 5);
    assert_int_equal(count, 6);
    check_status(girt_channel_receive(channel, name, 9, &size, 0), GIRT_EMPTY);
    girt_channel_close(channel);
    girt_shared_close(shared);
}

static void test_too_small_a_buffer(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 16);
    girt_channel *const channel = open_channel(shared, 4, 16);
    send_text(channel, "sixteen bytes :)");
    char message[32];
    size_t size = 1, count;
    check_status(girt_channel_receive(channel, message, 15, &size, GIRT_NOW),
                 GIRT_E_TOO_LARGE);
    check_status(girt_channel_receive_n(channel, message, 23, GIRT_FOREVER,
                                        &size, &count),
                 GIRT_E_TOO_LARGE);
    assert_int_equal(size, 1);
    check_status(
        girt_channel_receive_n(channel, message, 24, GIRT_FOREVER, &size, NULL),
        GIRT_OK);
    assert_int_equal(size, 24);
    assert_memory_equal(message + 8, "sixteen bytes :)", 16);
    girt_channel_close(channel);
    girt_shared_close(shared);
}

/* A batch of messages "first", "first + 1", ... of differing sizes. */
static size_t fill(char *frames, size_t capacity, unsigned first,
                   unsigned count)
{
    size_t used = 0;
    for (unsigned i = first; i < first + count; i++) {
        char text[32];
        memset(text, 'a' + (int)(i % 26), sizeof text);
        memcpy(text, &i, sizeof i);
        check_status(
            girt_channel_frame_put(frames, capacity, &used, text, 4 + i % 21),
            GIRT_OK);
    }
    return used;
}

/* Reads a batch; the number that should come next. */
static unsigned empty(const char *frames, size_t size, unsigned next)
{
    size_t at = 0, message_size;
    const void *message;
    while (girt_channel_frame_next(frames, size, &at, &message,
                                   &message_size) == GIRT_OK) {
        unsigned number;
        memcpy(&number, message, sizeof number);
        assert_int_equal(number, next);
        assert_int_equal(message_size, 4 + next % 21);
        for (size_t i = 4; i < message_size; i++)
            assert_int_equal(((const char *)message)[i], 'a' + next % 26);
        next++;
    }
    assert_int_equal(at, size);
    return next;
}

static void test_batches(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 16);
    girt_channel *const channel = open_channel(shared, 10, 24);
    char frames[1024], back[1024];
    unsigned sent = 0, received = 0;
    for (int round = 0; round < 200; round++) {
        unsigned const count = 1 + (unsigned)round % 10;
        size_t const used = fill(frames, sizeof frames, sent, count);
        size_t done, size, came;
        check_status(
            girt_channel_send_n(channel, frames, used, GIRT_NOW, &done),
            GIRT_OK);
        assert_int_equal(done, count);
        sent += count;
        while (received != sent) {
            size_t const room =
                GIRT_CHANNEL_FRAME(24) * (size_t)(1 + round % 4);
            /* Unaligned, to see that it may be. */
            check_status(girt_channel_receive_n(channel, back + 1, room,
                                                GIRT_NOW, &size, &came),
                         GIRT_OK);
            unsigned const next = empty(back + 1, size, received);
            assert_int_equal(next - received, came);
            received = next;
        }
    }
    girt_channel_close(channel);
    girt_shared_close(shared);
}

static void test_batch_that_does_not_fit(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 16);
    girt_channel *const channel = open_channel(shared, 10, 24);
    char frames[1024], back[1024];
    size_t done = 99, size, came;
    size_t const used = fill(frames, sizeof frames, 0, 25);
    check_status(girt_channel_send_n(channel, frames, used, GIRT_NOW, &done),
                 GIRT_FULL);
    assert_int_equal(done, 10);
    check_status(girt_channel_send_n(channel, frames, used, 1000, &done),
                 GIRT_TIMEOUT);
    assert_int_equal(done, 0);
    check_status(girt_channel_receive_n(channel, back, sizeof back, GIRT_NOW,
                                        &size, &came),
                 GIRT_OK);
    assert_int_equal(came, 10);
    assert_int_equal(empty(back, size, 0), 10);
    check_status(girt_channel_send_n(channel, frames, 0, GIRT_NOW, &done),
                 GIRT_OK);
    assert_int_equal(done, 0);
    girt_channel_close(channel);
    girt_shared_close(shared);
}

static void test_no_frames(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 16);
    girt_channel *const channel = open_channel(shared, 4, 24);
    char frames[1024];
    size_t done = 99;
    size_t const used = fill(frames, sizeof frames, 0, 12);
    /* Cut short anywhere but between frames; nothing of it is sent, be the
     * damage beyond the room there is. */
    size_t ends = 0;
    for (size_t size = 1; size < used; size++) {
        girt_status const status =
            girt_channel_send_n(channel, frames, size, GIRT_NOW, &done);
        if (status == GIRT_E_INVALID)
            continue;
        ends++;
        char back[1024];
        size_t bytes;
        while (girt_channel_receive_n(channel, back, sizeof back, GIRT_NOW,
                                      &bytes, NULL) == GIRT_OK)
            ;
    }
    assert_int_equal(ends, 11);
    static const uint64_t sizes[] = {
        25, 1000, UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memcpy(frames, &sizes[i], 8);
        check_status(girt_channel_send_n(channel, frames, 32, GIRT_NOW, &done),
                     GIRT_E_INVALID);
        check_status(
            girt_channel_send_n(channel, frames, 1024, GIRT_NOW, &done),
            sizes[i] <= 1000 ? GIRT_E_TOO_LARGE : GIRT_E_INVALID);
    }
    check_status(girt_channel_receive(channel, frames, 24, &done, GIRT_NOW),
                 GIRT_EMPTY);
    girt_channel_close(channel);
    girt_shared_close(shared);
}

static void test_frames(void **state)
{
    (void)state;
    char frames[64];
    size_t used = 0, at, size;
    const void *message;
    memset(frames, 'x', sizeof frames);
    check_status(girt_channel_frame_put(frames, 15, &used, "a", 1), GIRT_FULL);
    check_status(girt_channel_frame_put(frames, 64, &used, NULL, SIZE_MAX),
                 GIRT_FULL);
    check_status(girt_channel_frame_put(frames, 64, &used, NULL, SIZE_MAX - 20),
                 GIRT_FULL);
    used = 65;
    check_status(girt_channel_frame_put(frames, 64, &used, "a", 1), GIRT_FULL);
    used = 0;
    check_status(girt_channel_frame_put(frames, 64, &used, NULL, 0), GIRT_OK);
    check_status(girt_channel_frame_put(frames, 64, &used, "a", 1), GIRT_OK);
    assert_int_equal(used, 24);
    assert_memory_equal(frames + 16, "a\0\0\0\0\0\0\0", 8);
    at = 0;
    check_status(girt_channel_frame_next(frames, used, &at, &message, &size),
                 GIRT_OK);
    assert_int_equal(size, 0);
    check_status(girt_channel_frame_next(frames, used, &at, &message, &size),
                 GIRT_OK);
    assert_int_equal(size, 1);
    check_status(girt_channel_frame_next(frames, used, &at, &message, &size),
                 GIRT_EMPTY);
    for (size_t cut = 1; cut < 8; cut++) {
        at = 0;
        check_status(girt_channel_frame_next(frames, cut, &at, &message, &size),
                     GIRT_E_CORRUPT);
    }
    static const uint64_t heads[] = {17, 57, UINT64_MAX, UINT64_MAX - 7,
                                     (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        memcpy(frames, &heads[i], 8);
        at = 0;
        check_status(girt_channel_frame_next(frames, 24, &at, &message, &size),
                     GIRT_E_CORRUPT);
        assert_int_equal(at, 0);
    }
}

static int send_from_child(void *context)
{
    girt_channel *const channel = context;
    if (girt_channel_send(channel, "from the child", 14, GIRT_NOW) != GIRT_OK)
        return 1;
    girt_channel_close(channel);
    return 0;
}

static void test_fork(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 18);
    girt_channel *const channel = open_channel(shared, 4, 24);
    send_text(channel, "from the parent");
    assert_int_equal(child_wait(child_start(send_from_child, channel)), 0);
    assert_int_equal(channel->block->lanes_end, 2); /* a lane each */
    send_text(channel, "again");
    expect_message(channel, "from the parent");
    expect_message(channel, "from the child");
    expect_message(channel, "again");
    /* The lane of a child that closed, or died, is the next one's. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(child_wait(child_start(send_from_child, channel)), 0);
        expect_message(channel, "from the child");
    }
    assert_int_equal(channel->block->lanes_end, 2);
    girt_channel_close(channel);
    girt_shared_close(shared);
}

static int send_and_die(void *context)
{
    girt_channel *const channel = context;
    if (girt_channel_send(channel, "last words", 10, GIRT_NOW) != GIRT_OK)
        return 1;
    (void)raise(SIGKILL);
    return 0;
}

static void test_dead_sender(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(4096);
    girt_channel *const channel = open_channel(shared, 4, 24);
    /* No room for a second lane, so each child goes on in the first. */
    for (int i = 0; i < 4; i++)
        assert_int_equal(child_wait(child_start(send_and_die, channel)),
                         1000 + SIGKILL);
    check_status(girt_channel_send(channel, "x", 1, GIRT_NOW), GIRT_FULL);
    for (int i = 0; i < 4; i++)
        expect_message(channel, "last words");
    send_text(channel, "mine now");
    expect_message(channel, "mine now");
    /* And a living one keeps it. */
    assert_int_equal(child_wait(child_start(send_from_child, channel)), 1);
    girt_channel_close(channel);
    girt_shared_close(shared);
}

static void test_lanes_run_out(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(100 * 4096);
    girt_channel *handles[GIRT_CHANNEL_LANES + 1];
    for (int i = 0; i <= GIRT_CHANNEL_LANES; i++) {
        handles[i] = open_channel(shared, 2, 16);
        girt_status const expected =
            i < GIRT_CHANNEL_LANES ? GIRT_OK : GIRT_E_NOMEM;
        check_status(girt_channel_send(handles[i], &i, sizeof i, GIRT_NOW),
                     expected);
    }
    /* Received in turn, from all lanes. */
    bool seen[GIRT_CHANNEL_LANES] = {false};
    for (int i = 0; i < GIRT_CHANNEL_LANES; i++) {
        int number;
        size_t size;
        check_status(girt_channel_receive(handles[0], &number, sizeof number,
                                          &size, GIRT_NOW),
                     GIRT_OK);
        assert_false(seen[number]);
        seen[number] = true;
    }
    girt_channel_close(handles[7]);
    send_text(handles[GIRT_CHANNEL_LANES], "in its place");
    expect_message(handles[0], "in its place");
    for (int i = 0; i <= GIRT_CHANNEL_LANES; i++)
        if (i != 7)
            girt_channel_close(handles[i]);
    girt_shared_close(shared);
}

static int receive_late(void *context)
{
    girt_channel *const channel = context;
    char message[24];
    size_t size;
    /* Long before the time limit, by the ring. */
    int64_t const before_ns = girt_clock_monotonic.now_ns(NULL);
    if (girt_channel_receive(channel, message, sizeof message, &size,
                             GIRT_FOREVER) != GIRT_OK)
        return 1;
    return girt_clock_monotonic.now_ns(NULL) - before_ns < 5000000000 ? 0 : 2;
}

static void test_waiting(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(1 << 16);
    girt_channel *const channel = open_channel(shared, 1, 24);
    for (int i = 0; i < 20; i++) {
        pid_t const child = child_start(receive_late, channel);
        if (i % 2 == 0) /* asleep by now, as a rule */
            while (__atomic_load_n(&channel->block->messages.waiting,
                                   __ATOMIC_RELAXED) == 0)
                (void)usleep(100);
        /* The second waits for the room that the child makes. */
        check_status(girt_channel_send(channel, "a", 1, GIRT_FOREVER), GIRT_OK);
        check_status(girt_channel_send(channel, "b", 1, GIRT_FOREVER), GIRT_OK);
        assert_int_equal(child_wait(child), 0);
        expect_message(channel, "b");
    }
    girt_channel_close(channel);
    girt_shared_close(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_too_small_a_buffer),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_batch_that_does_not_fit),
        cmocka_unit_test(test_no_frames),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_dead_sender),
        cmocka_unit_test(test_lanes_run_out),
        cmocka_unit_test(test_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

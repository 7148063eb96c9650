/* SPDX-License-Identifier: MIT */
/* Goal: threads of one process that share a handle lose and repeat no message,
 * whole ones only, while handles come and go beside them.
 * Method: threads send numbers and receive them, singly and in batches, with a
 * lane so short that both sides wait; each number is ticked off once. */
#include <girt/channel.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { SENDERS = 2, THREADS = 5, BATCH = 8 };

typedef struct arena {
    girt_shared *shared;
    girt_channel *channel;
    size_t messages; /* of each sender */
    uint64_t left;   /* not received yet */
    unsigned char *seen;
    uint64_t seed;
} arena;

typedef struct content {
    uint64_t number;
    uint64_t again[4];
} content;

static void tick_off(arena *a, const void *message, size_t size)
{
    content c;
    assert_int_equal(size, sizeof c);
    memcpy(&c, message, sizeof c);
    for (int i = 0; i < 4; i++)
        assert_int_equal(c.again[i], c.number);
    assert_true(c.number < a->messages * SENDERS);
    assert_int_equal(
        __atomic_fetch_add(&a->seen[c.number], 1, __ATOMIC_RELAXED), 0);
    (void)__atomic_sub_fetch(&a->left, 1, __ATOMIC_RELAXED);
}

static content content_of(uint64_t number)
{
    return (content){number, {number, number, number, number}};
}

static void send_all(arena *a, girt_channel *channel, size_t index, rng *r)
{
    uint64_t next = index * a->messages;
    uint64_t const end = next + a->messages;
    while (next < end) {
        content c = content_of(next);
        if (rng_below(r, 2) == 0) {
            check_status(girt_channel_send(channel, &c, sizeof c, GIRT_FOREVER),
                         GIRT_OK);
            next++;
            continue;
        }
        char frames[BATCH * GIRT_CHANNEL_FRAME(sizeof c)];
        size_t used = 0, sent;
        uint64_t at = next;
        for (int i = 0; i < BATCH && at < end; i++) {
            c = content_of(at++);
            check_status(girt_channel_frame_put(frames, sizeof frames, &used,
                                                &c, sizeof c),
                         GIRT_OK);
        }
        check_status(
            girt_channel_send_n(channel, frames, used, GIRT_FOREVER, &sent),
            GIRT_OK);
        assert_int_equal(sent, at - next);
        next = at;
    }
}

static void receive_all(arena *a, girt_channel *channel, rng *r)
{
    while (__atomic_load_n(&a->left, __ATOMIC_RELAXED) != 0) {
        char buffer[BATCH * GIRT_CHANNEL_FRAME(sizeof(content))];
        size_t size, at = 0, message_size;
        const void *message;
        if (rng_below(r, 2) == 0) {
            if (girt_channel_receive(channel, buffer, sizeof buffer, &size,
                                     1000000) == GIRT_OK)
                tick_off(a, buffer, size);
        } else if (girt_channel_receive_n(channel, buffer, sizeof buffer,
                                          1000000, &size, NULL) == GIRT_OK) {
            while (girt_channel_frame_next(buffer, size, &at, &message,
                                           &message_size) == GIRT_OK)
                tick_off(a, message, message_size);
        }
    }
}

static girt_channel *open_handle(arena *a)
{
    girt_channel *channel;
    check_status(
        girt_channel_open(&channel, a->shared, "c", 10, sizeof(content)),
        GIRT_OK);
    return channel;
}

static void work(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    if (index < SENDERS) {
        send_all(a, a->channel, index, &r);
    } else if (index < THREADS - 1) {
        receive_all(a, a->channel, &r);
    } else { /* a handle of its own, for a while each */
        while (__atomic_load_n(&a->left, __ATOMIC_RELAXED) != 0) {
            girt_channel *const own = open_handle(a);
            char buffer[sizeof(content)];
            size_t size;
            for (int i = 0; i < 50; i++)
                if (girt_channel_receive(own, buffer, sizeof buffer, &size,
                                         1000000) == GIRT_OK)
                    tick_off(a, buffer, size);
            girt_channel_close(own);
        }
    }
}

static void test_threads(void **state)
{
    (void)state;
    arena a = {.seed = test_seed(), .messages = scaled(400000)};
    a.left = a.messages * SENDERS;
    a.seen = calloc(a.messages, SENDERS);
    assert_non_null(a.seen);
    check_status(girt_shared_create(&a.shared, NULL, 1 << 16, 0), GIRT_OK);
    a.channel = open_handle(&a);
    threads_run(THREADS, work, &a);
    for (size_t i = 0; i < a.messages * SENDERS; i++)
        assert_int_equal(a.seen[i], 1);
    girt_channel_close(a.channel);
    girt_shared_close(a.shared);
    free(a.seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: whatever is sent and received, singly or in batches, by handles that
 * come and go, arrives once, whole and in its lane's order.
 * Method: random operations against a naive list for each handle; sizes and
 * contents follow from a message's number. */
#include <girt/channel.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { SENDERS = 3, CAPACITY_MAX = 20, MESSAGE_MAX = 90 };

/* A handle, and what it has sent that nobody has received. */
typedef struct sender {
    girt_channel *channel;
    unsigned sent;
    unsigned received;
} sender;

typedef struct arena {
    girt_shared *shared;
    rng random;
    size_t capacity;
    size_t message_max;
    sender senders[SENDERS];
} arena;

typedef struct content {
    unsigned who;
    unsigned number;
    unsigned char bytes[MESSAGE_MAX];
} content;

static size_t write_message(const arena *a, content *c, unsigned who,
                            unsigned number)
{
    rng r = {who * 1000003u + number};
    size_t const size = sizeof c->who + sizeof c->number +
                        (size_t)rng_below(&r, a->message_max - 7);
    c->who = who;
    c->number = number;
    for (size_t i = 0; i < MESSAGE_MAX; i++)
        c->bytes[i] = (unsigned char)rng_next(&r);
    return size;
}

static void check_message(arena *a, const void *message, size_t size)
{
    content c, expected;
    assert_in_range(size, 8, a->message_max);
    memcpy(&c, message, size);
    assert_in_range(c.who, 0, SENDERS - 1);
    sender *const s = &a->senders[c.who];
    assert_int_equal(c.number, s->received); /* in order, none missing */
    assert_int_equal(size, write_message(a, &expected, c.who, c.number));
    assert_memory_equal(message, &expected, size);
    s->received++;
    assert_true(s->received <= s->sent);
}

static size_t waiting(const arena *a, unsigned who)
{
    return a->senders[who].sent - a->senders[who].received;
}

static void send_one(arena *a, unsigned who)
{
    sender *const s = &a->senders[who];
    content c;
    size_t const size = write_message(a, &c, who, s->sent);
    girt_status const status =
        girt_channel_send(s->channel, &c, size, GIRT_NOW);
    check_status(status, waiting(a, who) < a->capacity ? GIRT_OK : GIRT_FULL);
    s->sent += status == GIRT_OK;
}

static void send_some(arena *a, unsigned who)
{
    sender *const s = &a->senders[who];
    static char frames[3 * CAPACITY_MAX * GIRT_CHANNEL_FRAME(MESSAGE_MAX)];
    unsigned const count =
        1 + (unsigned)rng_below(&a->random, CAPACITY_MAX * 2);
    size_t used = 0, sent;
    for (unsigned i = 0; i < count; i++) {
        content c;
        size_t const size = write_message(a, &c, who, s->sent + i);
        check_status(
            girt_channel_frame_put(frames, sizeof frames, &used, &c, size),
            GIRT_OK);
    }
    size_t const room = a->capacity - waiting(a, who);
    check_status(girt_channel_send_n(s->channel, frames, used, GIRT_NOW, &sent),
                 count <= room ? GIRT_OK : GIRT_FULL);
    assert_int_equal(sent, count <= room ? count : room);
    s->sent += (unsigned)sent;
}

static size_t all_waiting(const arena *a)
{
    size_t sum = 0;
    for (unsigned i = 0; i < SENDERS; i++)
        sum += waiting(a, i);
    return sum;
}

static void receive_one(arena *a, unsigned who)
{
    char message[sizeof(content)];
    size_t size;
    bool const any = all_waiting(a) != 0;
    check_status(girt_channel_receive(a->senders[who].channel, message,
                                      a->message_max, &size, GIRT_NOW),
                 any ? GIRT_OK : GIRT_EMPTY);
    if (any)
        check_message(a, message, size);
}

static void receive_some(arena *a, unsigned who)
{
    static char frames[CAPACITY_MAX * GIRT_CHANNEL_FRAME(MESSAGE_MAX)];
    size_t const room = GIRT_CHANNEL_FRAME(a->message_max) +
                        (size_t)rng_below(&a->random, 1000);
    size_t size, count;
    bool const any = all_waiting(a) != 0;
    check_status(girt_channel_receive_n(a->senders[who].channel, frames, room,
                                        GIRT_NOW, &size, &count),
                 any ? GIRT_OK : GIRT_EMPTY);
    if (!any)
        return;
    size_t at = 0, message_size;
    const void *message;
    while (girt_channel_frame_next(frames, size, &at, &message,
                                   &message_size) == GIRT_OK) {
        check_message(a, message, message_size);
        assert_true(count-- != 0);
    }
    assert_int_equal(count, 0);
}

/* A handle that closes leaves its lane, messages and all, to the next; to keep
 * the twin's lists apart it must be empty. */
static void reopen(arena *a, unsigned who)
{
    if (waiting(a, who) != 0)
        return;
    girt_channel_close(a->senders[who].channel);
    check_status(girt_channel_open(&a->senders[who].channel, a->shared, "c",
                                   a->capacity, a->message_max),
                 GIRT_OK);
}

static void run(uint64_t seed, size_t operations)
{
    arena a = {.random = {seed}};
    a.capacity = 1 + (size_t)rng_below(&a.random, CAPACITY_MAX);
    a.message_max = 8 + (size_t)rng_below(&a.random, MESSAGE_MAX - 7);
    check_status(girt_shared_create(&a.shared, NULL, 1 << 18, 0), GIRT_OK);
    for (unsigned i = 0; i < SENDERS; i++)
        check_status(girt_channel_open(&a.senders[i].channel, a.shared, "c",
                                       a.capacity, a.message_max),
                     GIRT_OK);
    for (size_t i = 0; i < operations; i++) {
        unsigned const who = (unsigned)rng_below(&a.random, SENDERS);
        switch (rng_below(&a.random, 8)) {
        case 0:
            reopen(&a, who);
            break;
        case 1:
        case 2:
            send_some(&a, who);
            break;
        case 3:
        case 4:
            receive_some(&a, who);
            break;
        case 5:
            receive_one(&a, who);
            break;
        default:
            send_one(&a, who);
        }
    }
    for (unsigned i = 0; i < SENDERS; i++)
        girt_channel_close(a.senders[i].channel);
    girt_shared_close(a.shared);
}

static void test_random(void **state)
{
    (void)state;
    uint64_t const seed = test_seed();
    size_t const rounds = scaled(400);
    for (size_t i = 0; i < rounds; i++)
        run(seed + i, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

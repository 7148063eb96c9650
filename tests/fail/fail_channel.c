/* SPDX-License-Identifier: MIT */
/* Goal: a process that is killed at any instruction of a send or a receive
 * leaves the channel so that the others go on: what was accepted is received
 * once, what was not is not there or whole.
 * Method: children killed after their k-th instruction, for all k, or in the
 * long way to a lane for every so many; then the parent sends and receives. */
#include <girt/channel.h>

#include <sys/mman.h>

#include "shared/channel_internal.h"
#include "support/check.h"
#include "support/kill_steps.h"
#include "support/scale.h"
#include "support/threads.h"

enum { CAPACITY = 8, BATCH = 3, MESSAGE_MAX = 40 };

typedef struct stage {
    girt_shared *shared;
    girt_channel *channel;
    bool *returned; /* shared: the child's call answered GIRT_OK */
} stage;

static void open_stage(stage *s)
{
    check_status(girt_shared_create(&s->shared, NULL, 1 << 16, 0), GIRT_OK);
    check_status(
        girt_channel_open(&s->channel, s->shared, "c", CAPACITY, MESSAGE_MAX),
        GIRT_OK);
    s->returned = mmap(NULL, sizeof *s->returned, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->returned != MAP_FAILED);
}

static void close_stage(stage *s)
{
    girt_channel_close(s->channel);
    girt_shared_close(s->shared);
    assert_int_equal(munmap(s->returned, sizeof *s->returned), 0);
}

static void send_text(stage *s, const char *text)
{
    check_status(girt_channel_send(s->channel, text, strlen(text), 1000000000),
                 GIRT_OK);
}

/* The next message's text; "": none. */
static void receive_text(stage *s, char text[MESSAGE_MAX + 1])
{
    size_t size = 0;
    girt_status const status =
        girt_channel_receive(s->channel, text, MESSAGE_MAX, &size, GIRT_NOW);
    assert_true(status == GIRT_OK || status == GIRT_EMPTY);
    text[size] = '\0';
}

static void expect_text(stage *s, const char *expected)
{
    char text[MESSAGE_MAX + 1];
    receive_text(s, text);
    assert_string_equal(text, expected);
}

static size_t frame_some(char *frames, size_t capacity)
{
    size_t used = 0;
    for (int i = 0; i < BATCH; i++)
        (void)girt_channel_frame_put(frames, capacity, &used, "batched", 7);
    return used;
}

/* The child's calls. */
static void warm_up(void *context)
{
    stage *const s = context;
    (void)girt_channel_send(s->channel, "warm", 4, GIRT_NOW);
}

static void send_one(void *context)
{
    stage *const s = context;
    if (girt_channel_send(s->channel, "a child's message", 17, GIRT_NOW) ==
        GIRT_OK)
        *s->returned = true;
}

static void send_batch(void *context)
{
    stage *const s = context;
    char frames[256];
    size_t sent;
    if (girt_channel_send_n(s->channel, frames, frame_some(frames, 256),
                            GIRT_NOW, &sent) == GIRT_OK)
        *s->returned = true;
}

static void receive_one(void *context)
{
    stage *const s = context;
    char message[MESSAGE_MAX];
    size_t size;
    if (girt_channel_receive(s->channel, message, sizeof message, &size,
                             GIRT_NOW) == GIRT_OK)
        *s->returned = true;
}

static void receive_batch(void *context)
{
    stage *const s = context;
    char frames[256];
    size_t size;
    if (girt_channel_receive_n(s->channel, frames, sizeof frames, GIRT_NOW,
                               &size, NULL) == GIRT_OK)
        *s->returned = true;
}

/* Every so many instructions, from a different one in each run; all of them
 * with GIRT_TEST_SCALE=7 in the environment. */
static size_t stride_of(size_t usual)
{
    size_t const stride = usual * 1000 / scaled(1000);
    return stride == 0 ? 1 : stride;
}

static uint64_t seed;

/* Steps of `act` until it returns. */
#define FOR_EACH_STEP(k, stride, outcome, s, prepare, act)                     \
    for (size_t k = seed % (stride); *(s)->returned = false,                   \
                (outcome = kill_after(k, prepare, act, s)) == KILLED;          \
         k += (stride))

static void test_send(void **state)
{
    (void)state;
    stage s;
    open_stage(&s);
    kill_outcome outcome;
    size_t kills = 0, published = 0;
    char text[MESSAGE_MAX + 1];
    size_t const stride = stride_of(7);
    FOR_EACH_STEP(k, stride, outcome, &s, warm_up, send_one)
    {
        expect_text(&s, "warm");
        receive_text(&s, text);
        assert_true(*text != '\0' || !*s.returned);
        if (*text != '\0') {
            assert_string_equal(text, "a child's message");
            published++;
            expect_text(&s, "");
        }
        send_text(&s, "next");
        expect_text(&s, "next");
        kills++;
    }
    if (outcome == CANNOT_TRACE)
        skip_because("ptrace is not allowed here");
    printf("%zu kills, %zu of them after the message was out\n", kills,
           published);
    assert_true(kills > published && published > 0);
    /* Two lanes at most: the dead one's was the next one's. */
    assert_in_range(s.channel->block->lanes_end, 1, 2);
    close_stage(&s);
}

static void test_send_batch(void **state)
{
    (void)state;
    stage s;
    open_stage(&s);
    kill_outcome outcome;
    char frames[512];
    size_t const stride = stride_of(7);
    FOR_EACH_STEP(k, stride, outcome, &s, warm_up, send_batch)
    {
        expect_text(&s, "warm");
        size_t size, count = 0;
        girt_status const status = girt_channel_receive_n(
            s.channel, frames, sizeof frames, GIRT_NOW, &size, &count);
        assert_true(status == GIRT_OK || status == GIRT_EMPTY);
        /* All of it or nothing. */
        assert_int_equal(count, status == GIRT_OK ? BATCH : 0);
        assert_true(count != 0 || !*s.returned);
        size_t at = 0, message_size;
        const void *message;
        for (size_t i = 0; i < count; i++) {
            check_status(girt_channel_frame_next(frames, size, &at, &message,
                                                 &message_size),
                         GIRT_OK);
            assert_int_equal(message_size, 7);
            assert_memory_equal(message, "batched", 7);
        }
        send_text(&s, "next");
        expect_text(&s, "next");
    }
    if (outcome == CANNOT_TRACE)
        skip_because("ptrace is not allowed here");
    close_stage(&s);
}

/* The first send gets a lane: tens of thousands of instructions. */
static void test_first_send(void **state)
{
    (void)state;
    kill_outcome outcome = KILLED;
    size_t kills = 0, stride = stride_of(700);
    char text[MESSAGE_MAX + 1];
    stage s;
    open_stage(&s);
    send_text(&s, "first"); /* lane 0 is the parent's */
    expect_text(&s, "first");
    FOR_EACH_STEP(k, stride, outcome, &s, NULL, send_one)
    {
        receive_text(&s, text);
        assert_true(*text != '\0' || !*s.returned);
        send_text(&s, "next");
        expect_text(&s, "next");
        /* Another process gets a lane all the same, and the same one. */
        girt_channel *other;
        check_status(
            girt_channel_open(&other, s.shared, "c", CAPACITY, MESSAGE_MAX),
            GIRT_OK);
        check_status(girt_channel_send(other, "other", 5, GIRT_NOW), GIRT_OK);
        expect_text(&s, "other");
        girt_channel_close(other);
        assert_int_equal(s.channel->block->lanes_end, 2);
        kills++;
    }
    if (outcome == CANNOT_TRACE)
        skip_because("ptrace is not allowed here");
    printf("%zu kills\n", kills);
    close_stage(&s);
}

static void kill_receiver(void (*act)(void *), size_t stride, size_t taken_at)
{
    stage s;
    open_stage(&s);
    kill_outcome outcome;
    size_t kills = 0, lost = 0;
    send_text(&s, "one");
    send_text(&s, "two");
    FOR_EACH_STEP(k, stride, outcome, &s, NULL, act)
    {
        /* What was there before, less what the child took, all or nothing. */
        char text[MESSAGE_MAX + 1];
        size_t left = 0;
        for (receive_text(&s, text); *text != '\0'; receive_text(&s, text))
            left++;
        assert_true(left == 2 || left == 2 - taken_at);
        assert_true(left != 2 || !*s.returned);
        lost += left != 2;
        kills++;
        send_text(&s, "one");
        send_text(&s, "two");
    }
    if (outcome == CANNOT_TRACE)
        skip_because("ptrace is not allowed here");
    printf("%zu kills, %zu of them with messages\n", kills, lost);
    assert_true(kills > lost && lost > 0);
    close_stage(&s);
}

static void test_receive(void **state)
{
    (void)state;
    kill_receiver(receive_one, stride_of(7), 1);
}

static void test_receive_batch(void **state)
{
    (void)state;
    kill_receiver(receive_batch, stride_of(7), 2);
}

int main(void)
{
    seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send),          cmocka_unit_test(test_send_batch),
        cmocka_unit_test(test_first_send),    cmocka_unit_test(test_receive),
        cmocka_unit_test(test_receive_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

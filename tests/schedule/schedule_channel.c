/* SPDX-License-Identifier: MIT */
/* Goal: a channel's lane is a linearizable FIFO of exact capacity, and a
 * process that stops for good at any instruction costs the others no message,
 * repeats none and stops nobody; its lane goes on with another.
 * Method: a thread with a handle of its own stands for a process.  One sends,
 * two receive, singly and in batches, under many schedules; each is stopped at
 * each of its steps.  A sender that stopped is declared dead while it stands
 * there, and an heir takes its lane. */
#include <stdlib.h>
#include <string.h>

#include <girt/channel.h>

#include "schedule/support/queue_play.h"
#include "schedule/support/scheduler.h"
#include "shared/channel_internal.h"
#include "support/check.h"

enum {
    HANDLES = 4, /* the sender, two receivers, and the heir */
    HEIR = HANDLES - 1,
    CAPACITY_MAX = 4,
    MESSAGE_MAX = 24,
    MESSAGES_MAX = 64,
    BATCH_BYTES = PLAY_BATCH_MAX * GIRT_CHANNEL_FRAME(MESSAGE_MAX)
};
#define SEGMENT (16 * 4096)
/* A pid that is not in use, with a start that no process has. */
#define NOBODY  UINT64_C(0x7ffffff)

typedef struct arena {
    queue_play play; /* first */
    size_t capacity;
    girt_shared *shared;
    girt_channel *handles[HANDLES];
    /* Of the scenario with the dead. */
    uint32_t sends;               /* of the sender, in all */
    uint32_t attempted, accepted; /* messages below it */
    bool sender_is_dead;
    unsigned char seen[MESSAGES_MAX];
} arena;

/* All of the largest size, so that as many fit into a batch as are asked for.
 */
static bool alike;

/* A message's size and bytes follow from its number. */
static size_t write_message(uint64_t words[3], uint64_t number)
{
    for (uint64_t i = 0; i < 3; i++)
        words[i] = number * (i + 1);
    return alike ? MESSAGE_MAX : 8 + (size_t)(number * 5 % 17);
}

static uint64_t read_message(const void *bytes, size_t size)
{
    uint64_t words[3], number = 0;
    schedule_check(size >= 8 && size <= MESSAGE_MAX, "size %zu", size);
    memcpy(&number, bytes, sizeof number);
    schedule_check(size == write_message(words, number), "another's size");
    schedule_check(memcmp(words, bytes, size) == 0, "torn");
    return number;
}

static girt_status send_one(girt_channel *channel, uint64_t number)
{
    uint64_t words[3];
    size_t const size = write_message(words, number);
    return girt_channel_send(channel, words, size, GIRT_NOW);
}

static size_t send_batch(girt_channel *channel, const uint64_t *numbers,
                         size_t count, girt_status *status)
{
    char frames[BATCH_BYTES];
    size_t used = 0, sent = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t words[3];
        size_t const size = write_message(words, numbers[i]);
        schedule_check(girt_channel_frame_put(frames, sizeof frames, &used,
                                              words, size) == GIRT_OK,
                       "a frame does not fit");
    }
    *status = girt_channel_send_n(channel, frames, used, GIRT_NOW, &sent);
    return sent;
}

static void check_sent(size_t sent, size_t count, girt_status status)
{
    schedule_check(status == (sent == count ? GIRT_OK : GIRT_FULL),
                   "%zu of %zu sent, %d", sent, count, (int)status);
}

/* How many came; 0: none was there. */
static size_t receive_batch(girt_channel *channel, uint64_t *numbers,
                            size_t count)
{
    char frames[BATCH_BYTES];
    size_t size = 0, received = 0, at = 0, message_size;
    const void *message;
    girt_status const status = girt_channel_receive_n(
        channel, frames, count * GIRT_CHANNEL_FRAME(MESSAGE_MAX), GIRT_NOW,
        &size, &received);
    if (status == GIRT_EMPTY)
        return 0;
    schedule_check(status == GIRT_OK, "status %d", (int)status);
    size_t got = 0;
    while (got < PLAY_BATCH_MAX &&
           girt_channel_frame_next(frames, size, &at, &message,
                                   &message_size) == GIRT_OK)
        numbers[got++] = read_message(message, message_size);
    schedule_check(at == size && got == received, "no whole batch");
    return got;
}

static bool receive_one(girt_channel *channel, uint64_t *number)
{
    char message[MESSAGE_MAX];
    size_t size = 0;
    girt_status const status =
        girt_channel_receive(channel, message, sizeof message, &size, GIRT_NOW);
    if (status == GIRT_EMPTY)
        return false;
    schedule_check(status == GIRT_OK, "status %d", (int)status);
    *number = read_message(message, size);
    return true;
}

static girt_channel *own(arena *a)
{
    return a->handles[schedule_self()];
}

/* So that an heir has to take the lane that is there, messages and all. */
static void leave_no_room(arena *a)
{
    char name[2] = "0";
    girt_status status = GIRT_OK;
    while (status == GIRT_OK) { /* ends with the segment */
        girt_channel *filler;
        name[0]++;
        status = girt_channel_open(&filler, a->shared, name, 1, MESSAGE_MAX);
        if (status == GIRT_OK)
            girt_channel_close(filler);
    }
    if (status != GIRT_E_NOMEM)
        abort();
}

static void set_up(arena *a)
{
    a->capacity = 1 + (size_t)schedule_random(CAPACITY_MAX);
    if (girt_shared_create(&a->shared, NULL, SEGMENT, 0) != GIRT_OK)
        abort();
    for (size_t i = 0; i < HANDLES; i++)
        if (girt_channel_open(&a->handles[i], a->shared, "c", a->capacity,
                              MESSAGE_MAX) != GIRT_OK)
            abort();
    if (schedule_random(4) != 0)
        leave_no_room(a);
    /* Claims the lane, and begins anywhere in it. */
    uint64_t number;
    for (uint64_t i = 1 + schedule_random(9); i != 0; i--)
        if (send_one(a->handles[0], 1) != GIRT_OK ||
            !receive_one(a->handles[1], &number))
            abort();
}

static void tear_down(arena *a)
{
    for (size_t i = 0; i < HANDLES; i++)
        girt_channel_close(a->handles[i]);
    girt_shared_close(a->shared);
}

/* As a queue. */
static bool push(void *object, void *item)
{
    girt_status const status = send_one(own(object), (uintptr_t)item);
    schedule_check(status == GIRT_OK || status == GIRT_FULL, "status %d",
                   (int)status);
    return status == GIRT_OK;
}

static bool pop(void *object, void **item)
{
    uint64_t number = 0;
    if (!receive_one(own(object), &number))
        return false;
    *item = (void *)(uintptr_t)number;
    return true;
}

static size_t push_n(void *object, void *const items[], size_t count)
{
    uint64_t numbers[PLAY_BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        numbers[i] = (uintptr_t)items[i];
    girt_status status;
    size_t const sent = send_batch(own(object), numbers, count, &status);
    check_sent(sent, count, status);
    return sent;
}

static size_t pop_n(void *object, void *items[], size_t count)
{
    uint64_t numbers[PLAY_BATCH_MAX];
    size_t const got = receive_batch(own(object), numbers, count);
    schedule_check(got <= count, "more than fit");
    for (size_t i = 0; i < got; i++)
        items[i] = (void *)(uintptr_t)numbers[i];
    return got;
}

static void setup_queue(void *context)
{
    arena *const a = context;
    queue_play_start(&a->play);
    set_up(a);
    a->play.object = a;
    a->play.capacity = a->capacity;
}

static void body_queue(void *context, size_t thread)
{
    queue_play_body(context, thread);
}

static void check_queue(void *context)
{
    arena *const a = context;
    queue_play_judge(&a->play);
    tear_down(a);
}

static void play_queue(const char *name, queue_play p)
{
    arena a = {.play = p};
    a.play.push = push;
    a.play.pop = pop;
    a.play.pushers = 1;
    a.play.poppers = HANDLES - 1;
    a.play.looks_first = true;
    a.play.short_pop_says_nothing = true;
    queue_play_init(&a.play);
    schedule const s = {.name = name,
                        .threads = HANDLES - 1,
                        .runs = 4000,
                        .stopped_threads = HANDLES - 1,
                        .context = &a,
                        .setup = setup_queue,
                        .body = body_queue,
                        .check = check_queue};
    schedule_must_pass(&s);
    queue_play_free(&a.play);
}

static void single_calls(void **state)
{
    (void)state;
    play_queue("single", (queue_play){.calls = 5});
}

static void batches(void **state)
{
    (void)state;
    alike = true;
    play_queue("batches",
               (queue_play){.calls = 4, .push_n = push_n, .pop_n = pop_n});
    alike = false;
}

/* With processes that stop for good. */
static void setup_dead(void *context)
{
    arena *const a = context;
    set_up(a);
    a->sends = 2 + (uint32_t)schedule_random(3);
    a->attempted = a->accepted = 0;
    a->sender_is_dead = false;
    memset(a->seen, 0, sizeof a->seen);
}

static void tick_off(arena *a, uint64_t number)
{
    schedule_check(number < MESSAGES_MAX, "no such message");
    schedule_check(a->seen[number]++ == 0, "message %u twice",
                   (unsigned)number);
}

static void send_next(arena *a, girt_channel *channel)
{
    uint64_t numbers[PLAY_BATCH_MAX];
    size_t const count = 1 + (size_t)schedule_random(PLAY_BATCH_MAX);
    for (size_t i = 0; i < count; i++)
        numbers[i] = a->accepted + i;
    a->attempted = a->accepted + (uint32_t)count;
    girt_status status;
    size_t sent;
    if (count == 1) {
        status = send_one(channel, numbers[0]);
        sent = status == GIRT_OK;
    } else {
        sent = send_batch(channel, numbers, count, &status);
    }
    if (a->sender_is_dead)
        return; /* the thread goes on, and may find anything there */
    check_sent(sent, count, status);
    a->accepted += (uint32_t)sent;
}

static size_t receive_next(arena *a, girt_channel *channel, bool batch)
{
    uint64_t numbers[PLAY_BATCH_MAX];
    size_t const got = batch ? receive_batch(channel, numbers, PLAY_BATCH_MAX)
                             : (size_t)receive_one(channel, numbers);
    for (size_t i = 0; i < got; i++)
        tick_off(a, numbers[i]);
    return got;
}

static void body_dead(void *context, size_t thread)
{
    arena *const a = context;
    if (thread != 0) {
        /* Few, so that the heir finds messages. */
        for (uint64_t i = schedule_random(3); i != 0; i--)
            (void)receive_next(a, own(a), schedule_random(2) == 0);
        return;
    }
    for (uint32_t i = 0; i < a->sends && !a->sender_is_dead; i++)
        send_next(a, own(a));
}

static void drain(arena *a, girt_channel *channel)
{
    for (size_t i = 0; i <= CAPACITY_MAX; i++)
        if (receive_next(a, channel, false) == 0)
            return;
    schedule_check(false, "more than the capacity");
}

/* What was accepted is there once, in an unbroken row, and of the send that was
 * cut short all or nothing was published at a time. */
static void judge_messages(const arena *a)
{
    for (uint32_t i = 0; i < a->attempted; i++) {
        schedule_check(a->seen[i] == 1 || i >= a->accepted, "%u is lost", i);
        schedule_check(i == 0 || a->seen[i] <= a->seen[i - 1], "%u has a gap",
                       i);
    }
    for (uint32_t i = a->attempted; i < MESSAGES_MAX; i++)
        schedule_check(a->seen[i] == 0, "%u was never sent", i);
}

/* The sender died where it stands: an heir sends behind what it left. */
static void bury(void *context, size_t thread)
{
    arena *const a = context;
    if (thread != 0)
        return; /* it goes on, and what it had taken is judged at the end */
    a->sender_is_dead = true;
    a->handles[0]->block->lanes[a->handles[0]->mine_index].owner = NOBODY;
    uint32_t sent = 0;
    for (size_t i = 0; i < CAPACITY_MAX + 1; i++) {
        girt_status const status =
            send_one(a->handles[HEIR], MESSAGES_MAX + sent);
        if (status != GIRT_OK) {
            schedule_check(status == GIRT_FULL, "heir: %d", (int)status);
            break;
        }
        sent++;
    }
    schedule_check(a->handles[HEIR]->mine != NULL, "the heir has no lane");
    bool const same = a->handles[HEIR]->mine_index == a->handles[0]->mine_index;
    uint64_t number, heirs = 0;
    while (!schedule_failed() && receive_one(a->handles[1], &number)) {
        if (number >= MESSAGES_MAX)
            schedule_check(number == MESSAGES_MAX + heirs++, "order");
        else
            tick_off(a, number);
        schedule_check(number >= MESSAGES_MAX || heirs == 0 || !same,
                       "behind the heir's");
    }
    schedule_check(heirs == sent, "of the heir's a message is lost");
    judge_messages(a);
    /* It is dead: what the thread may still write counts for nothing. */
}

static void check_dead(void *context)
{
    arena *const a = context;
    if (!a->sender_is_dead) {
        drain(a, a->handles[1]);
        judge_messages(a);
    }
    tear_down(a);
}

static void the_dead(void **state)
{
    (void)state;
    arena a = {.capacity = 0};
    schedule const s = {.name = "dead",
                        .threads = HANDLES - 1,
                        .runs = 4000,
                        /* What a killed process has stored is there for who
                         * sees its end; a stopped thread's store buffer may
                         * still leak. The other scenarios have these. */
                        .flags = SCHEDULE_IN_ORDER,
                        .stopped_threads = HANDLES - 1,
                        .context = &a,
                        .setup = setup_dead,
                        .body = body_dead,
                        .check = check_dead,
                        .check_stopped = bury};
    schedule_must_pass(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_calls),
        cmocka_unit_test(batches),
        cmocka_unit_test(the_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

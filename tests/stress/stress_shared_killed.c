/* SPDX-License-Identifier: MIT */
/* Goal: processes that are killed at any instant block no survivor for a
 * second, cost it no message and repeat none, and no limit is exceeded.
 * Method: three processes send, three receive, singly and in batches; all take
 * from a limiter and a keyed one, and add to a counter.  SIGKILL ends one after
 * the other and a new one comes in its place.  What was accepted and what was
 * received is written down in memory that outlives them, and compared.
 *
 * That many kills: stress_shared_killed KILLS; without, 1,000. */
#include <girt/channel.h>
#include <girt/shared.h>

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <girt/clock.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/segment.h"
#include "support/threads.h"

enum {
    SENDERS = 3,
    MEMBERS = 6,
    LIVES_MAX = 20000,      /* senders, all of them that there ever were */
    MESSAGES_MAX = 1 << 14, /* of a sender; then it ends by itself */
    MESSAGE_MAX = 100,
    BATCH_MAX = 16,
    KEYS = 4
};
#define WAIT_NS INT64_C(1000000000)

/* One life of a process that sends. */
typedef struct life {
    uint32_t attempted; /* messages below it may have been sent */
    uint32_t accepted;  /* messages below it were */
} life;

/* What a member is doing just now. */
typedef struct member {
    pid_t pid;
    uint32_t life;      /* of a sender */
    uint32_t receiving; /* between the call and writing down what came */
    uint32_t is_batch;
    uint64_t size;
    int64_t worst_ns; /* of all lives: the longest call */
    char buffer[BATCH_MAX * GIRT_CHANNEL_FRAME(MESSAGE_MAX)];
} member;

typedef struct board {
    uint32_t stop;   /* 1: receivers, 2: senders too */
    uint32_t failed; /* the line of the first thing that went wrong */
    uint64_t admitted, admitted_by_key[KEYS];
    uint64_t counted;
    life lives[LIVES_MAX];
    member members[MEMBERS];
    unsigned char seen[LIVES_MAX][MESSAGES_MAX];
    unsigned char excused[LIVES_MAX][MESSAGES_MAX];
} board;

typedef struct content {
    uint32_t life;
    uint32_t number;
    unsigned char bytes[MESSAGE_MAX - 8];
} content;

typedef struct stage {
    board *board;
    girt_shared *shared;
    girt_channel *channel;
    girt_limiter *limiter;
    girt_keyed_limiter *keyed;
    girt_counter *counter;
    girt_metrics *metrics;
    int64_t began_ns;
    uint32_t lives;
    rng random;
} stage;

static girt_rate const rate = {50, 1000000, 100}; /* 50,000 a second */
static girt_rate const key_rate = {10, 1000000, 20};

#define FAIL(b)                                                                \
    do {                                                                       \
        uint32_t none = 0;                                                     \
        (void)__atomic_compare_exchange_n(&(b)->failed, &none, __LINE__,       \
                                          false, __ATOMIC_RELAXED,             \
                                          __ATOMIC_RELAXED);                   \
    } while (0)

static size_t write_message(content *c, uint32_t lived, uint32_t number)
{
    rng r = {((uint64_t)lived << 32) + number};
    size_t const size = 8 + (size_t)rng_below(&r, MESSAGE_MAX - 8 + 1);
    c->life = lived;
    c->number = number;
    memset(c->bytes, (int)(lived + number * 7), sizeof c->bytes);
    return size;
}

/* Whether these bytes are one of our messages, whole. */
static bool read_message(const void *bytes, size_t size, content *c)
{
    content expected;
    if (size < 8 || size > sizeof *c)
        return false;
    memcpy(c, bytes, size);
    return c->life < LIVES_MAX && c->number < MESSAGES_MAX &&
           size == write_message(&expected, c->life, c->number) &&
           memcmp(c, &expected, size) == 0;
}

static int64_t now_ns(void)
{
    return girt_clock_monotonic.now_ns(NULL);
}

static void note_time(stage *s, member *me, int64_t before_ns)
{
    int64_t const took_ns = now_ns() - before_ns;
    if (took_ns > me->worst_ns)
        me->worst_ns = took_ns;
    if (took_ns >= WAIT_NS)
        FAIL(s->board);
}

/* Takes are counted after they were admitted: a kill in between counts less. */
static void take_some(stage *s, rng *r)
{
    board *const b = s->board;
    if (girt_limiter_take(s->limiter, 1, NULL) == GIRT_OK)
        (void)__atomic_fetch_add(&b->admitted, 1, __ATOMIC_RELAXED);
    uint64_t const key = rng_below(r, KEYS);
    if (girt_keyed_limiter_take(s->keyed, &key, sizeof key, 1, NULL) == GIRT_OK)
        (void)__atomic_fetch_add(&b->admitted_by_key[key], 1, __ATOMIC_RELAXED);
    girt_counter_add(s->counter, 1);
    (void)__atomic_fetch_add(&b->counted, 1, __ATOMIC_RELAXED);
}

static girt_status send_batch(stage *s, life *mine, uint32_t lived,
                              uint32_t count)
{
    char frames[BATCH_MAX * GIRT_CHANNEL_FRAME(MESSAGE_MAX)];
    size_t used = 0, sent = 0;
    for (uint32_t i = 0; i < count; i++) {
        content c;
        size_t const size = write_message(&c, lived, mine->accepted + i);
        (void)girt_channel_frame_put(frames, sizeof frames, &used, &c, size);
    }
    girt_status const status =
        girt_channel_send_n(s->channel, frames, used, WAIT_NS, &sent);
    __atomic_store_n(&mine->accepted, mine->accepted + (uint32_t)sent,
                     __ATOMIC_RELEASE);
    return status;
}

static void send_until_killed(stage *s, member *me, rng *r)
{
    board *const b = s->board;
    life *const mine = &b->lives[me->life];
    while (mine->accepted + BATCH_MAX < MESSAGES_MAX &&
           __atomic_load_n(&b->stop, __ATOMIC_ACQUIRE) < 2) {
        uint32_t const count =
            rng_below(r, 2) == 0 ? 1 : 1 + (uint32_t)rng_below(r, BATCH_MAX);
        __atomic_store_n(&mine->attempted, mine->accepted + count,
                         __ATOMIC_RELEASE);
        int64_t const before_ns = now_ns();
        girt_status status;
        if (count == 1) {
            content c;
            size_t const size = write_message(&c, me->life, mine->accepted);
            status = girt_channel_send(s->channel, &c, size, WAIT_NS);
            if (status == GIRT_OK)
                __atomic_store_n(&mine->accepted, mine->accepted + 1,
                                 __ATOMIC_RELEASE);
        } else {
            status = send_batch(s, mine, me->life, count);
        }
        note_time(s, me, before_ns);
        if (status != GIRT_OK)
            FAIL(b);
        take_some(s, r);
        if (rng_below(r, 16) == 0) /* not to fill the lists too soon */
            (void)usleep(50);
    }
}

static void note_received(board *b, const void *bytes, size_t size)
{
    content c;
    if (!read_message(bytes, size, &c)) {
        FAIL(b);
        return;
    }
    if (__atomic_fetch_add(&b->seen[c.life][c.number], 1, __ATOMIC_RELAXED) !=
        0)
        FAIL(b); /* twice */
}

static void note_batch(board *b, const void *frames, size_t size)
{
    size_t at = 0, message_size;
    const void *message;
    while (girt_channel_frame_next(frames, size, &at, &message,
                                   &message_size) == GIRT_OK)
        note_received(b, message, message_size);
    if (at != size)
        FAIL(b);
}

static bool receive_once(stage *s, member *me, bool is_batch,
                         int64_t timeout_ns)
{
    size_t size = 0;
    me->is_batch = is_batch;
    memset(me->buffer, 0xff, sizeof me->buffer); /* no message */
    __atomic_store_n(&me->receiving, 1, __ATOMIC_RELEASE);
    girt_status const status =
        is_batch
            ? girt_channel_receive_n(s->channel, me->buffer, sizeof me->buffer,
                                     timeout_ns, &size, NULL)
            : girt_channel_receive(s->channel, me->buffer, sizeof me->buffer,
                                   &size, timeout_ns);
    if (status == GIRT_OK && is_batch)
        note_batch(s->board, me->buffer, size);
    else if (status == GIRT_OK)
        note_received(s->board, me->buffer, size);
    else if (status != GIRT_EMPTY)
        FAIL(s->board);
    __atomic_store_n(&me->receiving, 0, __ATOMIC_RELEASE);
    return status == GIRT_OK;
}

static void receive_until_killed(stage *s, member *me, rng *r)
{
    while (__atomic_load_n(&s->board->stop, __ATOMIC_ACQUIRE) == 0) {
        int64_t const before_ns = now_ns();
        (void)receive_once(s, me, rng_below(r, 2) == 0, WAIT_NS);
        note_time(s, me, before_ns);
        take_some(s, r);
    }
}

/* Opens all of its own, as a process that was not forked would. */
static void open_all(stage *s)
{
    girt_limiter_options const options = {.rate = rate};
    girt_keyed_limiter_options const keyed = {.rate = key_rate, .keys = KEYS};
    check_status(
        girt_channel_open(&s->channel, s->shared, "jobs", 64, MESSAGE_MAX),
        GIRT_OK);
    check_status(girt_limiter_shared(&s->limiter, s->shared, "all", &options),
                 GIRT_OK);
    check_status(
        girt_keyed_limiter_shared(&s->keyed, s->shared, "each", &keyed),
        GIRT_OK);
    check_status(girt_metrics_shared(&s->metrics, s->shared, "metrics"),
                 GIRT_OK);
    check_status(
        girt_counter_create(&s->counter, s->metrics, "turns", "Turns.", NULL),
        GIRT_OK);
}

static void close_all(stage *s)
{
    girt_channel_close(s->channel);
    girt_limiter_destroy(s->limiter);
    girt_keyed_limiter_destroy(s->keyed);
    girt_metrics_destroy(s->metrics);
}

static void start_member(stage *s, int index)
{
    member *const me = &s->board->members[index];
    if (index < SENDERS) {
        assert_true(s->lives < LIVES_MAX);
        me->life = s->lives++;
    }
    uint64_t const seed = rng_next(&s->random);
    fflush(NULL);
    pid_t const pid = fork();
    assert_true(pid >= 0);
    if (pid != 0) {
        me->pid = pid; /* the board is the child's too */
        return;
    }
    rng r = {seed};
    stage own = *s;
    open_all(&own);
    if (index < SENDERS)
        send_until_killed(&own, me, &r);
    else
        receive_until_killed(&own, me, &r);
    close_all(&own);
    _exit(0);
}

static void excuse(board *b, const void *bytes, size_t size)
{
    content c;
    if (read_message(bytes, size, &c))
        b->excused[c.life][c.number] = 1;
}

/* What a receiver had in hand when it was killed it may have taken. */
static void excuse_in_hand(board *b, const member *dead)
{
    if (!dead->receiving)
        return;
    if (!dead->is_batch) {
        for (size_t size = 8; size <= MESSAGE_MAX; size++)
            excuse(b, dead->buffer, size);
        return;
    }
    size_t at = 0, size;
    const void *message;
    while (girt_channel_frame_next(dead->buffer, sizeof dead->buffer, &at,
                                   &message, &size) == GIRT_OK)
        excuse(b, message, size);
}

static void kill_one(stage *s)
{
    int const index = (int)rng_below(&s->random, MEMBERS);
    member *const m = &s->board->members[index];
    pid_t const pid = m->pid;
    assert_true(pid > 0);
    (void)kill(pid, SIGKILL);
    /* Dead, but a zombie for a while in one case of two. */
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    excuse_in_hand(s->board, m);
    m->receiving = 0;
    bool const reap_late = rng_below(&s->random, 2) == 0;
    if (!reap_late)
        (void)waitpid(pid, NULL, 0);
    start_member(s, index);
    if (reap_late)
        (void)waitpid(pid, NULL, 0);
}

static void check_messages(const stage *s)
{
    const board *const b = s->board;
    size_t accepted = 0, with_the_dead = 0, unsure = 0;
    for (uint32_t i = 0; i < s->lives; i++) {
        const life *const l = &b->lives[i];
        accepted += l->accepted;
        for (uint32_t n = 0; n < MESSAGES_MAX; n++) {
            unsigned const seen = b->seen[i][n];
            assert_true(seen <= 1);
            if (n < l->accepted) {
                assert_true(seen == 1 || b->excused[i][n] == 1);
                with_the_dead += seen == 0;
            } else if (n < l->attempted) {
                unsure += seen;
            } else {
                assert_int_equal(seen, 0);
            }
        }
    }
    printf("%u senders, %zu messages accepted, %zu went with a receiver, "
           "%zu came of sends that were cut short\n",
           s->lives, accepted, with_the_dead, unsure);
    assert_true(accepted > 0);
}

static void check_limits(const stage *s)
{
    const board *const b = s->board;
    double const ms = (double)(now_ns() - s->began_ns) / 1e6;
    printf("%llu admitted in %.0f ms\n", (unsigned long long)b->admitted, ms);
    assert_true((double)b->admitted <= 100 + 50 * ms);
    assert_true(b->admitted > 0);
    for (int i = 0; i < KEYS; i++)
        assert_true((double)b->admitted_by_key[i] <= 20 + 10 * ms);
    /* The counter adds before the board does. */
    assert_true(girt_counter_value(s->counter) >= b->counted);
}

/* Receivers first, while there are messages to wake them; then senders, whom
 * this process makes room. */
static void stop_all(stage *s)
{
    member *const members = s->board->members;
    __atomic_store_n(&s->board->stop, 1, __ATOMIC_RELEASE);
    for (int i = SENDERS; i < MEMBERS; i++)
        assert_int_equal(child_wait(members[i].pid), 0);
    __atomic_store_n(&s->board->stop, 2, __ATOMIC_RELEASE);
    for (int i = 0; i < SENDERS;) {
        siginfo_t info = {.si_pid = 0};
        (void)receive_once(s, &members[SENDERS], true, GIRT_NOW);
        assert_int_equal(waitid(P_PID, (id_t)members[i].pid, &info,
                                WEXITED | WNOHANG | WNOWAIT),
                         0);
        if (info.si_pid == 0)
            continue; /* this loop ends with the senders */
        assert_int_equal(child_wait(members[i].pid), 0);
        i++;
    }
    while (receive_once(s, &members[SENDERS], true, GIRT_NOW))
        ;
}

static size_t kills_wanted;

static void test_kills(void **state)
{
    (void)state;
    stage s = {.random = {test_seed()}};
    s.board = mmap(NULL, sizeof *s.board, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(s.board != MAP_FAILED);
    check_status(girt_shared_create(&s.shared, NULL, 1 << 20, 0), GIRT_OK);
    s.began_ns = now_ns();
    open_all(&s);
    for (int i = 0; i < MEMBERS; i++)
        start_member(&s, i);
    for (size_t i = 0; i < kills_wanted && s.board->failed == 0; i++) {
        (void)usleep((useconds_t)rng_below(&s.random, 4000));
        kill_one(&s);
    }
    stop_all(&s);
    int64_t worst_ns = 0;
    for (int i = 0; i < MEMBERS; i++)
        if (s.board->members[i].worst_ns > worst_ns)
            worst_ns = s.board->members[i].worst_ns;
    printf("%zu kills, longest call %.1f ms\n", kills_wanted,
           (double)worst_ns / 1e6);
    assert_int_equal(s.board->failed, 0);
    check_messages(&s);
    check_limits(&s);
    close_all(&s);
    girt_shared_close(s.shared);
    assert_int_equal(munmap(s.board, sizeof *s.board), 0);
}

int main(int count, char **words)
{
    kills_wanted =
        count > 1 ? (size_t)strtoul(words[1], NULL, 10) : scaled(1000);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

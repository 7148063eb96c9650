/* SPDX-License-Identifier: MIT */
/* Goal: a segment whose bytes are anything gives statuses and wrong answers,
 * never a crash and never a hang.
 * Method: real segments with a part of each kind, some bytes of the file
 * changed or the file cut short while nobody has it open; then it is opened and
 * each part used, in a child with a time limit. */
#include <girt/channel.h>
#include <girt/shared.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/channel_internal.h"
#include "shared/shared_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/segment.h"
#include "support/threads.h"

enum { BYTES = 300000, MESSAGE_MAX = 40 };

static char name[64], path[128];
static girt_limiter_options const limit = {.rate = {1, 100, 10}};
static girt_keyed_limiter_options const each = {.rate = {1, 100, 10},
                                                .keys = 20};

static bool swallow(void *context, const char *text, size_t size)
{
    (void)context, (void)text, (void)size;
    return true;
}

static void use_limiters(girt_shared *shared)
{
    girt_limiter *limiter;
    girt_keyed_limiter *keyed;
    girt_decision d;
    if (girt_limiter_shared(&limiter, shared, "limiter", &limit) == GIRT_OK) {
        (void)girt_limiter_take(limiter, 3, &d);
        (void)girt_limiter_take(limiter, 3, NULL);
        (void)girt_limiter_set_rate(limiter, (girt_rate){1, 10, 5});
        girt_limiter_destroy(limiter);
    }
    if (girt_keyed_limiter_shared(&keyed, shared, "keyed", &each) == GIRT_OK) {
        for (int key = 0; key < 30; key++)
            (void)girt_keyed_limiter_take(keyed, &key, sizeof key, 3,
                                          key % 2 == 0 ? &d : NULL);
        girt_keyed_limiter_destroy(keyed);
    }
}

static void use_channel(girt_shared *shared)
{
    girt_channel *channel;
    if (girt_channel_open(&channel, shared, "channel", 8, MESSAGE_MAX) !=
        GIRT_OK)
        return;
    char buffer[1000];
    size_t size, at;
    for (int i = 0; i < 12; i++) {
        (void)girt_channel_send(channel, "a message", 9, GIRT_NOW);
        (void)girt_channel_receive(channel, buffer, MESSAGE_MAX, &size,
                                   GIRT_NOW);
        if (girt_channel_receive_n(channel, buffer, sizeof buffer, GIRT_NOW,
                                   &size, NULL) == GIRT_OK) {
            const void *message;
            size_t message_size;
            at = 0;
            while (girt_channel_frame_next(buffer, size, &at, &message,
                                           &message_size) == GIRT_OK)
                ;
        }
        size_t used = 0;
        for (int k = 0; k < 5; k++)
            (void)girt_channel_frame_put(buffer, sizeof buffer, &used,
                                         "batched", (size_t)k);
        (void)girt_channel_send_n(channel, buffer, used, GIRT_NOW, &size);
    }
    girt_channel_close(channel);
}

static void use_metrics(girt_shared *shared)
{
    girt_metrics *metrics;
    girt_counter *counter;
    if (girt_metrics_shared(&metrics, shared, "metrics") != GIRT_OK)
        return;
    if (girt_counter_create(&counter, metrics, "c", "C.", NULL) == GIRT_OK)
        girt_counter_add(counter, 1);
    (void)girt_metrics_write(metrics, GIRT_PROMETHEUS_TEXT, swallow, NULL);
    girt_metrics_destroy(metrics);
}

/* In a child: 40 and the status if the segment was refused, else 0. */
static int open_and_use(void *context)
{
    (void)context;
    (void)alarm(20); /* a hang ends here */
    girt_shared *shared;
    girt_status const status = girt_shared_open(&shared, name);
    if (status != GIRT_OK)
        return 40 - (int)status;
    use_channel(shared);
    use_limiters(shared);
    use_metrics(shared);
    girt_shared_close(shared);
    return 0;
}

/* A segment that was in use, closed. */
static void make_segment(void)
{
    girt_shared *shared;
    segment_name(name, sizeof name);
    (void)snprintf(path, sizeof path, "/dev/shm/%s", name);
    check_status(girt_shared_create(&shared, name, BYTES, 0), GIRT_OK);
    girt_shared_close(shared);
    assert_int_equal(child_wait(child_start(open_and_use, NULL)), 0);
}

/* `making` with the pid of somebody living is a part that is being made; it is
 * waited for, which is no damage. */
static bool is_lock(uint64_t at)
{
    return at / 8 == offsetof(girt__shared_header, making) / 8;
}

static void damage(rng *r, uint64_t from, uint64_t to, unsigned changes)
{
    int const file = open(path, O_RDWR);
    assert_true(file >= 0);
    for (unsigned i = 0; i < changes; i++) {
        uint64_t const at = from + rng_below(r, to - from);
        unsigned char byte = (unsigned char)rng_next(r);
        if (rng_below(r, 3) == 0)
            byte = rng_below(r, 2) == 0 ? 0xff : 0;
        if (!is_lock(at))
            assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
    }
    assert_int_equal(close(file), 0);
}

static size_t refused, used;

static void expect_no_crash(void)
{
    int const result = child_wait(child_start(open_and_use, NULL));
    if (result == 0) {
        used++;
        return;
    }
    refused++;
    assert_true(result == 40 - (int)GIRT_E_CORRUPT ||
                result == 40 - (int)GIRT_E_INVALID);
}

static void test_changed_bytes(void **state)
{
    (void)state;
    rng r = {test_seed()};
    size_t const rounds = scaled(300);
    refused = used = 0;
    for (size_t i = 0; i < rounds; i++) {
        make_segment();
        struct stat found;
        assert_int_equal(stat(path, &found), 0);
        uint64_t const all = (uint64_t)found.st_size;
        uint64_t const parts_at =
            (sizeof(girt__shared_header) + 4095) & ~UINT64_C(4095);
        unsigned const changes = 1 + (unsigned)rng_below(&r, 30);
        switch (i % 4) {
        case 0: /* the facts and the first entries */
            damage(&r, 0, 128 + 4 * sizeof(girt__shared_entry), changes);
            break;
        case 1: /* the channel: first page, first part */
            damage(&r, parts_at, parts_at + 4096, changes * 4);
            break;
        case 2: /* the limiters */
            damage(&r, parts_at + 4096, parts_at + 3 * 4096, changes * 4);
            break;
        default:
            damage(&r, 128, all, changes * 100);
        }
        expect_no_crash();
        check_status(girt_shared_unlink(name), GIRT_OK);
    }
    printf("%zu refused, %zu used\n", refused, used);
    assert_true(used > 0);
    assert_true(refused > 0);
}

static void test_cut_short(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = 0; i < scaled(100); i++) {
        make_segment();
        struct stat found;
        assert_int_equal(stat(path, &found), 0);
        assert_int_equal(
            truncate(path, (off_t)rng_below(&r, (uint64_t)found.st_size)), 0);
        assert_int_equal(child_wait(child_start(open_and_use, NULL)),
                         40 - (int)GIRT_E_CORRUPT);
        check_status(girt_shared_unlink(name), GIRT_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

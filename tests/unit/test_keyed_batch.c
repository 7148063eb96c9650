/* SPDX-License-Identifier: MIT */
/* Goal: a batch answers what its requests would be answered one by one, in
 * their order, and counts the same.
 * Method: a twin that is asked one by one, a manual clock, a scrape. */
#include <girt/keyed_limiter.h>

#include "support/check.h"
#include "support/fake_registry.h"
#include "support/rng.h"
#include "support/threads.h"

#define SECOND_NS INT64_C(1000000000)

static int64_t now = 5;

static girt_keyed_limiter *make(size_t keys, fake_registry *registry)
{
    girt_keyed_limiter_options options = {
        .rate = {10, SECOND_NS, 2},
        .keys = keys,
        .name = registry == NULL ? NULL : "k",
        .metrics = registry == NULL ? NULL : fake_metrics(registry)};
    girt_clock_manual(&options.clock, &now);
    girt_keyed_limiter *limiter;
    check_status(girt_keyed_limiter_create(&limiter, &options), GIRT_OK);
    return limiter;
}

/* Batches of every size up to a few times the library's own answer as calls one
 * by one do, bad keys among them. */
static void test_batches(void **state)
{
    (void)state;
    static const char text[GIRT_KEYED_LIMITER_KEY_MAX + 1] = "abcdefghijklmnop";
    girt_keyed_request requests[100];
    for (size_t count = 0; count <= 100; count++) {
        girt_keyed_limiter *const batch = make(200, NULL);
        girt_keyed_limiter *const one = make(200, NULL);
        size_t admitted = 0;
        for (size_t i = 0; i < count; i++) {
            requests[i] = (girt_keyed_request){text + i % 7, i * 5 % 41, i % 4,
                                               GIRT_E_SYSTEM};
            if (i % 10 == 3)
                requests[i].key = NULL;
            if (i % 10 == 7)
                requests[i].key_size = sizeof text;
        }
        size_t const got =
            count % 2 == 0
                ? girt_keyed_limiter_take_n_at(batch, requests, count, now)
                : girt_keyed_limiter_take_n(batch, requests, count);
        for (size_t i = 0; i < count; i++) {
            girt_status const status = girt_keyed_limiter_take_at(
                one, requests[i].key, requests[i].key_size, requests[i].tokens,
                now, NULL);
            check_status(requests[i].status, status);
            admitted += status == GIRT_OK;
        }
        assert_int_equal(got, admitted);
        girt_keyed_limiter_destroy(batch);
        girt_keyed_limiter_destroy(one);
    }
    girt_keyed_limiter *const l = make(1, NULL);
    assert_int_equal(girt_keyed_limiter_take_n(NULL, requests, 1), 0);
    assert_int_equal(girt_keyed_limiter_take_n(l, NULL, 1), 0);
    assert_int_equal(girt_keyed_limiter_take_n_at(NULL, requests, 1, 0), 0);
    assert_int_equal(girt_keyed_limiter_take_n_at(l, NULL, SIZE_MAX, 0), 0);
    assert_int_equal(girt_keyed_limiter_take_n(l, requests, 0), 0);
    girt_keyed_limiter_destroy(l);
}

/* Few keys, so that each comes often in a batch, used up in one and half filled
 * in the next. */
static void compare(size_t room, int64_t back_most_ns)
{
    rng random = {test_seed()};
    girt_keyed_limiter *const batch = make(room, NULL);
    girt_keyed_limiter *const one = make(room, NULL);
    size_t refused = 0, admitted = 0;
    for (int round = 0; round < 2000; round++) {
        char keys[64];
        girt_keyed_request requests[64];
        size_t const count = 1 + rng_below(&random, 64);
        uint64_t const kinds = 1 + rng_below(&random, 20);
        for (size_t i = 0; i < count; i++) {
            keys[i] = (char)rng_below(&random, kinds);
            requests[i] = (girt_keyed_request){
                &keys[i], 1, rng_below(&random, 4), GIRT_E_SYSTEM};
        }
        now += (int64_t)rng_below(&random, SECOND_NS / 4) - back_most_ns;
        size_t const got =
            girt_keyed_limiter_take_n_at(batch, requests, count, now);
        size_t wanted = 0;
        for (size_t i = 0; i < count; i++) {
            girt_status const status = girt_keyed_limiter_take_at(
                one, &keys[i], 1, requests[i].tokens, now, NULL);
            check_status(requests[i].status, status);
            wanted += status == GIRT_OK;
        }
        assert_int_equal(got, wanted);
        admitted += got;
        refused += count - got;
    }
    assert_true(admitted > 1000 && refused > 1000);
    girt_keyed_limiter_destroy(batch);
    girt_keyed_limiter_destroy(one);
}

static void test_order(void **state)
{
    (void)state;
    compare(12, 0); /* now and then full */
    /* Times that go back; nobody loses his slot, for what is forgotten then
     * depends on the secret. */
    compare(200, SECOND_NS / 20);
}

/* 40 of one key, of which two find a token; then 40 of which none does. */
static void test_counts(void **state)
{
    (void)state;
    fake_registry registry;
    fake_registry_init(&registry);
    girt_keyed_limiter *const l = make(10, &registry);
    girt_keyed_request requests[40];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 40; i++)
            requests[i] = (girt_keyed_request){"a", 1, 1, GIRT_E_SYSTEM};
        assert_int_equal(girt_keyed_limiter_take_n_at(l, requests, 40, now),
                         round == 0 ? 2 : 0);
    }
    fake_registry_scrape(&registry);
    assert_true(fake_value(&registry, "girt_keyed_limiter_allowed_total", "k",
                           NULL) == 2);
    assert_true(fake_value(&registry, "girt_keyed_limiter_limited_total", "k",
                           NULL) == 78);
    girt_keyed_limiter_destroy(l);
    fake_registry_end(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

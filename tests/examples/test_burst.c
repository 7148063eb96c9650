/* SPDX-License-Identifier: MIT */
/* Goal: a run ends and tells the truth, whatever the way of the service does.
 * Method: all real ways over logs with every kind of line and extreme
 * settings; made-up ways that lose, double, misplace or fail. */
#include <pthread.h>
#include <stdlib.h>

#include "burst.h"
#include "support/check.h"
#include "support/scale.h"
#include "zipf_stream.h"

typedef struct scene {
    log_input input;
    log_tally tally;
    burst burst;
} scene;

static const spike_config usual = {
    .capacity = 64, .batch = 8, .shards = 4, .burst = 3};

static void scene_open(scene *s, char *text, size_t size, spike_config config)
{
    assert_true(log_input_take(&s->input, text, size, SIZE_MAX / 64));
    assert_true(log_tally_build(&s->tally, &s->input));
    config.clients = s->tally.clients.count;
    config.now_ns = s->tally.last_s * 1000000000;
    assert_true(burst_init(&s->burst, &s->input, &s->tally, &config));
}

static void scene_open_stream(scene *s, size_t lines, spike_config config)
{
    size_t size;
    char *const text = zipf_stream(lines, 3, &size);
    assert_non_null(text);
    /* Some that are no requests. */
    for (size_t i = 100; i < size; i += size / 10)
        text[i] = '\0';
    scene_open(s, text, size, config);
}

static void scene_close(scene *s)
{
    burst_free(&s->burst);
    log_tally_free(&s->tally);
    log_input_free(&s->input);
}

static const spike_way *const real_ways[] = {
    &spike_one_lock, &spike_lock_batched, &spike_with_girt};

enum { REAL_WAYS = sizeof real_ways / sizeof *real_ways };

static void check_run(const scene *s, const spike_way *way, size_t n)
{
    burst_result r;
    check_status(burst_run(&s->burst, way, n, NULL, NULL, &r), GIRT_OK);
    assert_true(r.agrees);
    assert_true(r.admitted + r.limited == s->tally.requests);
    assert_true(r.unparsed == s->tally.unparsed);
    assert_true(r.n == n && r.way == way);
    assert_true(r.seconds > 0 && r.cpu_ns > 0);
    assert_true(r.p50_ns <= r.p99_ns && r.p99_ns <= r.p999_ns &&
                r.p999_ns <= r.max_ns && r.max_ns > 0);
    uint64_t hits = 0;
    for (size_t i = 0; i < r.shard_count; i++)
        hits += r.shard_hits[i];
    assert_true(hits == s->tally.requests);
}

static void test_real_ways(void **state)
{
    (void)state;
    scene s;
    scene_open_stream(&s, scaled(40000), usual);
    for (size_t n = 1; n <= 8; n *= 2)
        for (size_t way = 0; way < REAL_WAYS; way++)
            check_run(&s, real_ways[way], n);
    scene_close(&s);
}

static void test_extreme_settings(void **state)
{
    (void)state;
    static const spike_config configs[] = {
        {.capacity = 1, .batch = 1, .shards = 1, .burst = 1},
        {.capacity = 1, .batch = 32, .shards = 64, .burst = 100},
        {.capacity = 100000, .batch = 1024, .shards = 3, .burst = UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        scene s;
        scene_open_stream(&s, scaled(3000), configs[i]);
        for (size_t way = 0; way < REAL_WAYS; way++)
            check_run(&s, real_ways[way], 2);
        scene_close(&s);
    }
}

static void test_long_and_odd_keys(void **state)
{
    (void)state;
    size_t const long_size = 60000;
    char *const text = malloc(2 * long_size + 400);
    assert_non_null(text);
    char *at = text;
    for (int i = 0; i < 2; i++) { /* differ in the last byte only */
        at += sprintf(at, "h\t-\t1\tGET\t");
        memset(at, 'u', long_size);
        at += long_size;
        at += sprintf(at, "%d\t200\t5\n", i);
    }
    at += sprintf(at, "\xff\xfe\t-\t9\tGET\t\x01\x80 \t200\t"
                      "274877906944\n"
                      "\xff\xfe\t-\t9\tGET\t\x01\x80 \t200\t7");
    scene s;
    scene_open(&s, text, (size_t)(at - text), usual);
    assert_int_equal(s.tally.urls.count, 3);
    for (size_t way = 0; way < REAL_WAYS; way++)
        check_run(&s, real_ways[way], 2);
    scene_close(&s);
}

/* A way that counts nothing but hands its lies to the comparison. */
typedef enum lie {
    NO_LIE,
    LOSES_A_HIT,
    DOUBLES_A_BYTE,
    LOSES_A_URL,
    INVENTS_A_URL,
    ADMITS_ONE_MORE,
    CANNOT_START,
    PUSH_FAILS,
    WORK_FAILS
} lie;

static lie told;
static const log_tally *truth;

typedef struct liar {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
    size_t left; /* requests not yet taken by a worker */
} liar;

static girt_status liar_create(void **out, const spike_config *config)
{
    (void)config;
    if (told == CANNOT_START)
        return GIRT_E_NOMEM;
    liar *const l = calloc(1, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    *out = l;
    return GIRT_OK;
}

static girt_status liar_push(void *context, spike_request *const requests[],
                             size_t count)
{
    liar *const l = context;
    (void)requests;
    pthread_mutex_lock(&l->lock);
    /* As with any bounded queue: when workers are gone, room never comes. */
    while (told == WORK_FAILS && !l->closed)
        pthread_cond_wait(&l->changed, &l->lock);
    l->left += count;
    bool const closed = l->closed;
    pthread_mutex_unlock(&l->lock);
    if (told == PUSH_FAILS)
        return GIRT_E_NOMEM;
    return closed ? GIRT_CLOSED : GIRT_OK;
}

static void liar_close(void *context)
{
    liar *const l = context;
    pthread_mutex_lock(&l->lock);
    l->closed = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static girt_status liar_work(void *context, spike_worker *worker)
{
    liar *const l = context;
    if (told == WORK_FAILS)
        return GIRT_E_NOMEM;
    pthread_mutex_lock(&l->lock);
    while (!l->closed)
        pthread_cond_wait(&l->changed, &l->lock);
    if (l->left > 0) {
        worker->admitted = log_tally_admitted(truth, usual.burst);
        worker->limited = truth->requests - worker->admitted;
        if (told == ADMITS_ONE_MORE) {
            worker->admitted++;
            worker->limited--;
        }
        l->left = 0;
    }
    pthread_mutex_unlock(&l->lock);
    return GIRT_OK;
}

static girt_status liar_each(void *context, spike_see_url *see,
                             void *see_context)
{
    (void)context;
    const tally_entry **const all = tally_by_hits(&truth->urls);
    for (size_t i = told == LOSES_A_URL; i < truth->urls.count; i++) {
        const tally_entry *const e = all[i];
        see(see_context, 0, e->key, e->key_size,
            e->hits - (told == LOSES_A_HIT && i == 3),
            e->bytes + (told == DOUBLES_A_BYTE && i == 4));
    }
    if (told == INVENTS_A_URL)
        see(see_context, 0, "!", 1, 1, 1);
    free(all);
    return GIRT_OK;
}

static void liar_destroy(void *context)
{
    free(context);
}

static const spike_way liar_way = {
    .name = "liar",
    .create = liar_create,
    .push = liar_push,
    .close = liar_close,
    .work = liar_work,
    .each_url = liar_each,
    .destroy = liar_destroy,
};

static void test_lies(void **state)
{
    (void)state;
    scene s;
    scene_open_stream(&s, 5000, usual);
    truth = &s.tally;
    for (told = NO_LIE; told <= WORK_FAILS; told++) {
        burst_result r;
        girt_status const status =
            burst_run(&s.burst, &liar_way, 3, NULL, NULL, &r);
        if (told < CANNOT_START) {
            check_status(status, GIRT_OK);
            if (r.agrees != (told == NO_LIE))
                fail_msg("lie %d: agrees is %d", (int)told, r.agrees);
        } else {
            check_status(status, GIRT_E_NOMEM);
        }
    }
    scene_close(&s);
}

static void see_progress(void *context, uint64_t done, uint64_t total)
{
    size_t *const calls = context;
    assert_true(done <= total);
    ++*calls;
}

static void test_watch(void **state)
{
    (void)state;
    scene s;
    scene_open_stream(&s, scaled(20000), usual);
    size_t calls = 0;
    burst_result r;
    check_status(
        burst_run(&s.burst, &spike_with_girt, 2, see_progress, &calls, &r),
        GIRT_OK);
    assert_true(r.agrees && calls > 0);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_ways),
        cmocka_unit_test(test_extreme_settings),
        cmocka_unit_test(test_long_and_odd_keys),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

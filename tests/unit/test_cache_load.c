/* SPDX-License-Identifier: MIT */
/* Goal: of all who miss a key exactly one loads, and nobody is left waiting
 * whatever becomes of the one.  Method: loaders that stand still until the
 * others are known to wait, on a clock set by hand. */
#include <errno.h>
#include <girt/cache.h>
#include <pthread.h>
#include <sched.h>

#include "cache/cache_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/threads.h"

/* What a loader does, and what became of it. */
typedef struct source {
    girt_cache *cache;
    girt_status answer;
    const char *value;
    size_t wait_joined; /* stand until so many have joined */
    bool stand;         /* stand until told, or cancelled */
    unsigned runs;      /* atomic */
    unsigned released;  /* atomic */
    int64_t ttl_ns;
    girt_status (*inside)(struct source *s, const void *key, size_t key_size);
    const size_t *live; /* of the allocator */
    size_t live_bytes;  /* inside */
} source;

static unsigned releases;

static void release_copy(void *data)
{
    __atomic_add_fetch(&releases, 1, __ATOMIC_RELAXED);
    free(data);
}

static uint64_t joined(girt_cache *cache)
{
    girt_cache_stats stats;
    girt_cache_read_stats(cache, &stats);
    return stats.joined;
}

static girt_status bring(void *context, const void *key, size_t key_size,
                         girt_loaded *loaded)
{
    source *const s = context;
    __atomic_add_fetch(&s->runs, 1, __ATOMIC_RELAXED);
    while (joined(s->cache) < s->wait_joined)
        sched_yield();
    while (__atomic_load_n(&s->stand, __ATOMIC_ACQUIRE)) {
        pthread_testcancel();
        sched_yield();
    }
    if (s->inside != NULL) {
        const girt_status status = s->inside(s, key, key_size);
        if (status != GIRT_OK)
            return status;
    }
    if (s->answer == GIRT_OK) {
        loaded->data = strdup(s->value);
        loaded->size = strlen(s->value);
        loaded->ttl_ns = s->ttl_ns;
        loaded->release = release_copy;
    }
    return s->answer;
}

static girt_cache *cache_of(girt_cache_options options, int64_t *now)
{
    girt_cache *cache = NULL;
    if (now != NULL)
        girt_clock_manual(&options.clock, now);
    check_status(girt_cache_create(&cache, &options), GIRT_OK);
    return cache;
}

static void check_load(source *s, girt_status expected, const char *value,
                       bool stale)
{
    girt_cached cached;
    check_status(
        girt_cache_load(s->cache, "key", 3, bring, s, GIRT_FOREVER, &cached),
        expected);
    if (expected != GIRT_OK)
        return;
    assert_int_equal(cached.size, strlen(value));
    assert_memory_equal(cached.data, value, cached.size);
    assert_int_equal(cached.stale, stale);
    girt_cache_release(s->cache, &cached);
}

static void arguments_out_of_range(void **state)
{
    (void)state;
    girt_cached c;
    source s = {.cache = cache_of((girt_cache_options){0}, NULL)};
    check_status(girt_cache_load(NULL, "k", 1, bring, &s, 0, &c),
                 GIRT_E_INVALID);
    check_status(girt_cache_load(s.cache, NULL, 1, bring, &s, 0, &c),
                 GIRT_E_INVALID);
    check_status(girt_cache_load(s.cache, "k", 1, NULL, &s, 0, &c),
                 GIRT_E_INVALID);
    check_status(girt_cache_load(s.cache, "k", 1, bring, &s, 0, NULL),
                 GIRT_E_INVALID);
    check_status(
        girt_cache_load(s.cache, "k", (size_t)1 << 40, bring, &s, 0, &c),
        GIRT_E_TOO_LARGE);
    assert_int_equal(s.runs, 0);
    s.ttl_ns = -1; /* a loader's mistake */
    s.value = "v";
    releases = 0;
    check_load(&s, GIRT_E_INVALID, NULL, false);
    assert_int_equal(releases, 1);
    girt_cache_destroy(s.cache);
}

static void loads_once_and_then_hits(void **state)
{
    (void)state;
    int64_t now = 0;
    source s = {.value = "v",
                .cache = cache_of((girt_cache_options){.ttl_ns = 10}, &now)};
    releases = 0;
    check_load(&s, GIRT_OK, "v", false);
    check_load(&s, GIRT_OK, "v", false);
    assert_int_equal(s.runs, 1);
    assert_int_equal(releases, 1);
    now = 10;
    s.value = "w";
    check_load(&s, GIRT_OK, "w", false);
    assert_int_equal(s.runs, 2);
    girt_cache_stats stats;
    girt_cache_read_stats(s.cache, &stats);
    assert_int_equal(stats.loads, 2);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.load_failures, 0);
    girt_cache_destroy(s.cache);
}

static void failures_are_not_remembered(void **state)
{
    (void)state;
    source s = {.answer = GIRT_E_IO,
                .value = "v",
                .cache = cache_of((girt_cache_options){0}, NULL)};
    check_load(&s, GIRT_E_IO, NULL, false);
    s.answer = GIRT_LIMITED;
    check_load(&s, GIRT_LIMITED, NULL, false);
    s.answer = GIRT_MISSING;
    check_load(&s, GIRT_MISSING, NULL, false);
    check_load(&s, GIRT_MISSING, NULL, false);
    assert_int_equal(s.runs, 4);
    s.answer = GIRT_OK;
    check_load(&s, GIRT_OK, "v", false);
    girt_cache_destroy(s.cache);
}

static void missing_is_remembered_on_request(void **state)
{
    (void)state;
    int64_t now = 0;
    source s = {.answer = GIRT_MISSING,
                .value = "v",
                .cache =
                    cache_of((girt_cache_options){.missing_ttl_ns = 10}, &now)};
    girt_cached cached;
    check_load(&s, GIRT_MISSING, NULL, false);
    check_load(&s, GIRT_MISSING, NULL, false);
    check_status(girt_cache_get(s.cache, "key", 3, &cached), GIRT_MISSING);
    assert_int_equal(s.runs, 1);
    now = 10;
    check_load(&s, GIRT_MISSING, NULL, false);
    assert_int_equal(s.runs, 2);
    check_status(girt_cache_remove(s.cache, "key", 3), GIRT_MISSING);
    s.answer = GIRT_OK;
    check_load(&s, GIRT_OK, "v", false);
    girt_cache_destroy(s.cache);
}

static void stale_values_serve_while_refreshed(void **state)
{
    (void)state;
    int64_t now = 0;
    source s = {.value = "old",
                .cache = cache_of(
                    (girt_cache_options){.ttl_ns = 10, .stale_ns = 10}, &now)};
    check_load(&s, GIRT_OK, "old", false);
    now = 10;
    s.answer = GIRT_E_IO; /* the old value serves on */
    check_load(&s, GIRT_OK, "old", true);
    check_load(&s, GIRT_OK, "old", true);
    assert_int_equal(s.runs, 3);
    s.answer = GIRT_OK;
    s.value = "new";
    check_load(&s, GIRT_OK, "new", false);
    now = 40;
    s.answer = GIRT_E_IO;
    check_load(&s, GIRT_E_IO, NULL, false);
    girt_cache_stats stats;
    girt_cache_read_stats(s.cache, &stats);
    assert_int_equal(stats.load_failures, 3);
    /* "No such key" is an answer: the old value goes. */
    s.answer = GIRT_OK;
    check_load(&s, GIRT_OK, "new", false);
    now = 50;
    s.answer = GIRT_MISSING;
    check_load(&s, GIRT_MISSING, NULL, false);
    girt_cached cached;
    check_status(girt_cache_get(s.cache, "key", 3, &cached), GIRT_MISSING);
    girt_cache_destroy(s.cache);
}

static int64_t slow_now;

static girt_status let_time_pass(source *s, const void *key, size_t key_size)
{
    (void)s;
    (void)key;
    (void)key_size;
    slow_now += 10;
    return GIRT_OK;
}

/* A refresh that fails when the stale time is over has nothing to answer. */
static void stale_time_ends_while_refreshed(void **state)
{
    (void)state;
    slow_now = 0;
    source s = {.value = "old",
                .cache =
                    cache_of((girt_cache_options){.ttl_ns = 10, .stale_ns = 20},
                             &slow_now)};
    check_load(&s, GIRT_OK, "old", false);
    slow_now = 15;
    s.answer = GIRT_E_IO;
    s.inside = let_time_pass;
    check_load(&s, GIRT_OK, "old", true);
    assert_int_equal(slow_now, 25);
    check_load(&s, GIRT_E_IO, NULL, false);
    assert_int_equal(s.runs, 3);
    girt_cache_destroy(s.cache);
}

/* ---- inside a loader ---------------------------------------------------- */

static girt_status load_itself(source *s, const void *key, size_t key_size)
{
    girt_cached cached;
    return girt_cache_load(s->cache, key, key_size, bring, s, GIRT_FOREVER,
                           &cached);
}

static girt_status load_another(source *s, const void *key, size_t key_size)
{
    girt_cached cached;
    (void)key;
    (void)key_size;
    source other = {.cache = s->cache, .value = "other", .inside = NULL};
    const girt_status status = girt_cache_load(s->cache, "another", 7, bring,
                                               &other, GIRT_NOW, &cached);
    if (status == GIRT_OK)
        girt_cache_release(s->cache, &cached);
    return status;
}

static girt_status load_back(source *s, const void *key, size_t key_size)
{
    girt_cached cached;
    source back = {.cache = s->cache, .value = "x", .inside = load_itself};
    (void)key_size;
    if (*(const char *)key != 'k')
        return GIRT_OK;
    /* key -> inner -> key */
    return girt_cache_load(s->cache, "inner", 5, bring, &back, GIRT_FOREVER,
                           &cached);
}

static girt_status put_meanwhile(source *s, const void *key, size_t key_size)
{
    return girt_cache_put(s->cache, key, key_size, "put", 3, 0);
}

static girt_status remove_meanwhile(source *s, const void *key, size_t key_size)
{
    (void)girt_cache_remove(s->cache, key, key_size);
    return GIRT_OK;
}

static girt_status clear_meanwhile(source *s, const void *key, size_t key_size)
{
    (void)key;
    (void)key_size;
    girt_cache_clear(s->cache);
    return GIRT_OK;
}

static girt_status remove_and_load_again(source *s, const void *key,
                                         size_t key_size)
{
    girt_cache_clear(s->cache);
    return load_itself(s, key, key_size);
}

static void what_a_loader_may_do(void **state)
{
    (void)state;
    source s = {.value = "v", .cache = cache_of((girt_cache_options){0}, NULL)};
    s.inside = load_itself;
    check_load(&s, GIRT_E_BUSY, NULL, false);
    s.inside = load_back;
    check_load(&s, GIRT_E_BUSY, NULL, false);
    s.inside = remove_and_load_again;
    check_load(&s, GIRT_E_BUSY, NULL, false);
    s.inside = load_another;
    check_load(&s, GIRT_OK, "v", false);
    girt_cached cached;
    check_status(girt_cache_get(s.cache, "another", 7, &cached), GIRT_OK);
    girt_cache_release(s.cache, &cached);
    girt_cache_destroy(s.cache);
}

static void others_win_over_a_load(void **state)
{
    (void)state;
    source s = {.value = "v", .cache = cache_of((girt_cache_options){0}, NULL)};
    girt_cached cached;
    s.inside = put_meanwhile;
    check_load(&s, GIRT_OK, "v", false); /* handed out, not stored */
    check_status(girt_cache_get(s.cache, "key", 3, &cached), GIRT_OK);
    assert_memory_equal(cached.data, "put", 3);
    girt_cache_release(s.cache, &cached);
    (void)girt_cache_remove(s.cache, "key", 3);
    s.inside = remove_meanwhile;
    check_load(&s, GIRT_OK, "v", false);
    check_status(girt_cache_get(s.cache, "key", 3, &cached), GIRT_MISSING);
    s.inside = clear_meanwhile;
    check_load(&s, GIRT_OK, "v", false);
    check_status(girt_cache_get(s.cache, "key", 3, &cached), GIRT_MISSING);
    s.answer = GIRT_MISSING;
    s.inside = put_meanwhile;
    check_load(&s, GIRT_MISSING, NULL, false);
    check_status(girt_cache_get(s.cache, "key", 3, &cached), GIRT_OK);
    girt_cache_release(s.cache, &cached);
    girt_cache_destroy(s.cache);
}

static void too_large_is_handed_out(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    static char value[5000];
    memset(value, 'v', sizeof value - 1);
    source s = {.value = value,
                .cache =
                    cache_of((girt_cache_options){.bytes_max = 4000,
                                                  .allocator = &f.allocator},
                             NULL)};
    const size_t before = f.live_bytes;
    check_load(&s, GIRT_OK, value, false);
    check_load(&s, GIRT_OK, value, false);
    assert_int_equal(s.runs, 2);
    assert_int_equal(f.live_bytes, before);
    girt_cache_destroy(s.cache);
    assert_int_equal(f.live_blocks, 0);
}

/* What a load takes beside the cache does not grow with its key. */
static girt_status see_live_bytes(source *s, const void *key, size_t key_size)
{
    (void)key;
    (void)key_size;
    s->live_bytes = *s->live;
    return GIRT_OK;
}

static void a_large_key_is_not_copied(void **state)
{
    (void)state;
    enum { KEY = 10 << 20 };
    failing f;
    failing_init(&f);
    char *const key = calloc(1, KEY);
    source s = {.value = "v",
                .inside = see_live_bytes,
                .live = &f.live_bytes,
                .cache =
                    cache_of((girt_cache_options){.bytes_max = 1 << 16,
                                                  .missing_ttl_ns = 1,
                                                  .allocator = &f.allocator},
                             NULL)};
    const size_t before = f.live_bytes;
    girt_cached cached;
    check_status(
        girt_cache_load(s.cache, key, KEY, bring, &s, GIRT_FOREVER, &cached),
        GIRT_OK);
    assert_true(s.live_bytes - before < 1024);
    assert_true(f.live_bytes - before < 1024);
    assert_memory_equal(cached.data, "v", 1);
    girt_cache_release(s.cache, &cached);
    assert_int_equal(f.live_bytes, before);
    s.answer = GIRT_MISSING;
    check_status(
        girt_cache_load(s.cache, key, KEY, bring, &s, GIRT_FOREVER, &cached),
        GIRT_MISSING);
    s.inside = load_itself;
    check_status(
        girt_cache_load(s.cache, key, KEY, bring, &s, GIRT_FOREVER, &cached),
        GIRT_E_BUSY);
    girt_cache_destroy(s.cache);
    assert_int_equal(f.live_blocks, 0);
    free(key);
}

/* ---- threads ------------------------------------------------------------ */

enum { CALLERS = 8 };
typedef struct crowd {
    source s;
    int64_t timeout_ns;
    unsigned answers[3]; /* OK, expected failure, other */
    girt_status failure;
    int error;
} crowd;

static void ask(void *context, size_t index)
{
    crowd *const c = context;
    girt_cached cached;
    (void)index;
    errno = 0;
    const girt_status status = girt_cache_load(c->s.cache, "key", 3, bring,
                                               &c->s, c->timeout_ns, &cached);
    const int which = status == GIRT_OK ? 0 : status == c->failure ? 1 : 2;
    if (which == 1 && c->failure == GIRT_E_SYSTEM && c->error != errno)
        abort();
    __atomic_add_fetch(&c->answers[which], 1, __ATOMIC_RELAXED);
    if (status == GIRT_OK) {
        if (cached.size != 1 || *(const char *)cached.data != 'v')
            abort();
        girt_cache_release(c->s.cache, &cached);
    }
}

static void one_loads_for_all(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        crowd c = {.s = {.cache = cache_of((girt_cache_options){0}, NULL),
                         .value = "v",
                         .wait_joined = CALLERS - 1},
                   .timeout_ns =
                       round % 2 == 0 ? GIRT_FOREVER : INT64_C(60000000000),
                   .failure = GIRT_E_IO};
        const bool fails = round % 4 >= 2;
        c.s.answer = fails ? GIRT_E_IO : GIRT_OK;
        threads_run(CALLERS, ask, &c);
        assert_int_equal(c.s.runs, 1);
        assert_int_equal(c.answers[fails], CALLERS);
        girt_cache_destroy(c.s.cache);
    }
}

static void *ask_alone(void *context)
{
    ask(context, 0);
    return NULL;
}

static girt_status leave_thread(source *s, const void *key, size_t key_size)
{
    (void)s;
    (void)key;
    (void)key_size;
    pthread_exit(NULL);
}

/* Cancelled, or gone by itself. */
static void a_loader_dies(bool exits)
{
    crowd loading = {.s = {.cache = cache_of((girt_cache_options){0}, NULL),
                           .value = "v",
                           .stand = true,
                           .inside = exits ? leave_thread : NULL},
                     .timeout_ns = GIRT_FOREVER};
    crowd waiting = {.s = {.cache = loading.s.cache, .value = "v"},
                     .timeout_ns = GIRT_FOREVER,
                     .failure = GIRT_E_SYSTEM,
                     .error = ECANCELED};
    pthread_t loader, waiters[3];
    assert_int_equal(pthread_create(&loader, NULL, ask_alone, &loading), 0);
    while (__atomic_load_n(&loading.s.runs, __ATOMIC_RELAXED) == 0)
        sched_yield();
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&waiters[i], NULL, ask_alone, &waiting),
                         0);
    while (joined(loading.s.cache) < 3)
        sched_yield();
    if (exits)
        __atomic_store_n(&loading.s.stand, false, __ATOMIC_RELEASE);
    else
        assert_int_equal(pthread_cancel(loader), 0);
    void *result = NULL;
    assert_int_equal(pthread_join(loader, &result), 0);
    assert_ptr_equal(result, exits ? NULL : PTHREAD_CANCELED);
    assert_int_equal(loading.answers[0] + loading.answers[2], 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(waiters[i], NULL), 0);
    assert_int_equal(waiting.answers[1], 3);
    check_load(&waiting.s, GIRT_OK, "v", false);
    girt_cache_destroy(loading.s.cache);
}

static void a_dead_loader_leaves_nobody(void **state)
{
    (void)state;
    a_loader_dies(false);
    a_loader_dies(true);
}

static void waiting_is_bounded_and_stale_does_not_wait(void **state)
{
    (void)state;
    int64_t now = 0;
    crowd c = {
        .s = {.value = "v",
              .stand = true,
              .cache = cache_of(
                  (girt_cache_options){.ttl_ns = 10, .stale_ns = 10}, &now)},
        .timeout_ns = GIRT_FOREVER};
    source other = {.cache = c.s.cache, .value = "w"};
    girt_cached cached;
    pthread_t loader;
    assert_int_equal(pthread_create(&loader, NULL, ask_alone, &c), 0);
    while (__atomic_load_n(&c.s.runs, __ATOMIC_RELAXED) == 0)
        sched_yield();
    static const int64_t timeouts[] = {GIRT_NOW, -5, 1000, 2000000};
    for (int i = 0; i < 4; i++)
        check_status(girt_cache_load(c.s.cache, "key", 3, bring, &other,
                                     timeouts[i], &cached),
                     GIRT_TIMEOUT);
    /* A put beats the load; its value goes stale; one refreshes. */
    check_status(girt_cache_put(c.s.cache, "key", 3, "p", 1, 0), GIRT_OK);
    check_load(&other, GIRT_OK, "p", false);
    __atomic_store_n(&c.s.stand, false, __ATOMIC_RELEASE);
    assert_int_equal(pthread_join(loader, NULL), 0);
    assert_int_equal(c.answers[0], 1);
    check_load(&other, GIRT_OK, "p", false);
    __atomic_store_n(&now, 10, __ATOMIC_RELAXED);
    c.s.stand = true;
    c.s.runs = 0;
    assert_int_equal(pthread_create(&loader, NULL, ask_alone, &c), 0);
    while (__atomic_load_n(&c.s.runs, __ATOMIC_RELAXED) == 0)
        sched_yield();
    for (int i = 0; i < 3; i++)
        check_load(&other, GIRT_OK, "p", true);
    assert_int_equal(other.runs, 0);
    __atomic_store_n(&c.s.stand, false, __ATOMIC_RELEASE);
    assert_int_equal(pthread_join(loader, NULL), 0);
    check_load(&other, GIRT_OK, "v", false);
    girt_cache_destroy(c.s.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_out_of_range),
        cmocka_unit_test(loads_once_and_then_hits),
        cmocka_unit_test(failures_are_not_remembered),
        cmocka_unit_test(missing_is_remembered_on_request),
        cmocka_unit_test(stale_values_serve_while_refreshed),
        cmocka_unit_test(stale_time_ends_while_refreshed),
        cmocka_unit_test(what_a_loader_may_do),
        cmocka_unit_test(others_win_over_a_load),
        cmocka_unit_test(a_large_key_is_not_copied),
        cmocka_unit_test(too_large_is_handed_out),
        cmocka_unit_test(one_loads_for_all),
        cmocka_unit_test(a_dead_loader_leaves_nobody),
        cmocka_unit_test(waiting_is_bounded_and_stale_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* bench_limiter.c - the suite: decisions beside the floors they stand on (a
 * compare-and-swap, a clock read, a hash and a load) and what people write. */
#include "bench_limiter.h"

#include <girt/fast/atomic.h>
#include <girt/hash.h>
#include <girt/keyed_limiter.h>
#include <girt/limiter.h>
#include <girt/shared.h>
#include <girt/version.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_map.h"
#include "bench_team.h"

enum { STRIDE = 64 };

typedef struct limiter_run {
    const limiter_case *c;
    void *subject;
    uint64_t word __attribute__((aligned(128))); /* the floors' */
} limiter_run;

typedef struct contest {
    void *(*make)(const limiter_case *c);
    void (*release)(void *subject);
    void (*body)(bench_member *member);
    /* Keyed: asked for every key that the run may draw, so that new keys are
     * no part of it, however short it is. */
    bool (*take)(void *subject, uint64_t key, int64_t now_ns);
} contest;

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const contest *const how = adapter;
    const limiter_case *const c = bench_case;
    limiter_run run = {.c = c,
                       .subject = how->make != NULL ? how->make(c) : NULL};
    if (how->make != NULL && run.subject == NULL)
        return BENCH_UNABLE;
    if (how->take != NULL) {
        int64_t const now = bench_now();
        for (size_t i = 0; i < c->zipf_count; i++)
            (void)how->take(run.subject, c->zipf[i], now);
    }
    double const cost = bench_team_run(&(bench_team){.size = c->threads,
                                                     .pinned = true,
                                                     .seconds = seconds,
                                                     .body = how->body,
                                                     .context = &run});
    if (how->release != NULL)
        how->release(run.subject);
    return cost;
}

/* A body that does `step` over and over; it sees run, now (which moves by 10 ns
 * a step), state (random) and sum (what must not be optimised away). */
#define BODY(name, step)                                                       \
    static void name(bench_member *member)                                     \
    {                                                                          \
        limiter_run *const run = member->context;                              \
        int64_t now = bench_now();                                             \
        uint64_t sum = 0, drawn = member->index * 77777u;                      \
        (void)run, (void)now, (void)drawn;                                     \
        uint64_t state = 0x2545f4914f6cdd1du * (member->index + 1);            \
        while (!bench_stopped(member)) {                                       \
            for (unsigned i = 0; i < STRIDE; i++) {                            \
                now += 10;                                                     \
                state ^= state << 13;                                          \
                state ^= state >> 7;                                           \
                state ^= state << 17;                                          \
                step;                                                          \
            }                                                                  \
            bench_count(member, STRIDE);                                       \
        }                                                                      \
        __asm__ __volatile__("" ::"r"(sum));                                   \
    }

static void *make_limiter(girt_rate rate, uint64_t lease)
{
    girt_limiter *limiter = NULL;
    girt_limiter_options const options = {.rate = rate, .lease = lease};
    return girt_limiter_create(&limiter, &options) == GIRT_OK ? limiter : NULL;
}

static void free_limiter(void *limiter)
{
    girt_limiter_destroy(limiter);
}

/* Never short of tokens. */
static girt_rate const generous = {1000000000, 1000000000, 1000000000};

static void *make_generous(const limiter_case *c)
{
    (void)c;
    return make_limiter(generous, 0);
}

static void *make_leased(const limiter_case *c)
{
    (void)c;
    return make_limiter(generous, 32);
}

/* In a segment, as processes share it. */
static void *make_shared(const limiter_case *c)
{
    (void)c;
    girt_shared *shared;
    girt_limiter *limiter = NULL;
    girt_limiter_options const options = {.rate = generous};
    if (girt_shared_create(&shared, NULL, 1, 0) != GIRT_OK)
        return NULL;
    (void)girt_limiter_shared(&limiter, shared, "limiter", &options);
    girt_shared_close(shared);
    return limiter;
}

static void *make_keyed_shared(const limiter_case *c)
{
    girt_shared *shared;
    girt_keyed_limiter *limiter = NULL;
    girt_keyed_limiter_options const options = {.rate = {1000, 1000000000, 100},
                                                .keys = c->keys};
    if (girt_shared_create(&shared, NULL, c->keys * 28 + 65536, 0) != GIRT_OK)
        return NULL;
    (void)girt_keyed_limiter_shared(&limiter, shared, "keyed", &options);
    girt_shared_close(shared);
    return limiter;
}

/* Empty from the first token on: one an hour. */
static void *make_empty(const limiter_case *c)
{
    (void)c;
    girt_limiter *const limiter =
        make_limiter((girt_rate){1, 3600000000000, 1}, 0);
    if (limiter != NULL)
        (void)girt_limiter_take_at(limiter, 1, bench_now(), NULL);
    return limiter;
}

BODY(take_given, (void)girt_limiter_take_at(run->subject, 1, now, NULL))
BODY(take_clocked, (void)girt_limiter_take(run->subject, 1, NULL))

/* The floors: what any limiter on one shared word pays. */
static void cas_loop(uint64_t *word, uint64_t by)
{
    uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(word, &old, old + by, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

BODY(floor_cas, cas_loop(&run->word, (uint64_t)now))
BODY(floor_clock, sum += (uint64_t)bench_now())
BODY(floor_clock_cas, cas_loop(&run->word, (uint64_t)bench_now()))

/* What people write: a token bucket behind a mutex. */
typedef struct bucket {
    pthread_mutex_t lock;
    double tokens;
    int64_t last_ns;
} bucket;

static void *make_bucket(const limiter_case *c)
{
    (void)c;
    bucket *const b = calloc(1, sizeof *b);
    if (b != NULL)
        pthread_mutex_init(&b->lock, NULL);
    return b;
}

static void take_from_bucket(bucket *b, int64_t now)
{
    pthread_mutex_lock(&b->lock);
    double const tokens = b->tokens + (double)(now - b->last_ns);
    b->tokens = tokens < 1e9 ? tokens : 1e9;
    b->last_ns = now;
    if (b->tokens >= 1)
        b->tokens -= 1;
    pthread_mutex_unlock(&b->lock);
}

BODY(bucket_given, take_from_bucket(run->subject, now))
BODY(bucket_clocked, take_from_bucket(run->subject, bench_now()))

/* Keyed: one token for a key drawn by Zipf, from a table read in turn. */
#define DRAWN_KEY                                                              \
    uint64_t const key = run->c->zipf[++drawn % run->c->zipf_count]

static void *make_keyed(const limiter_case *c)
{
    girt_keyed_limiter *limiter = NULL;
    girt_keyed_limiter_options const options = {.rate = {1000, 1000000000, 100},
                                                .keys = c->keys};
    return girt_keyed_limiter_create(&limiter, &options) == GIRT_OK ? limiter
                                                                    : NULL;
}

static void free_keyed(void *limiter)
{
    girt_keyed_limiter_destroy(limiter);
}

static bool take_keyed(void *limiter, uint64_t key, int64_t now_ns)
{
    return girt_keyed_limiter_take_at(limiter, &key, sizeof key, 1, now_ns,
                                      NULL) == GIRT_OK;
}

BODY(keyed_take, DRAWN_KEY; (void)take_keyed(run->subject, key, now))

/* The same by batches: what a server does that reads many requests at once. */
enum { BATCH = 32 };

static void keyed_take_n(bench_member *member)
{
    limiter_run *const run = member->context;
    int64_t now = bench_now();
    uint64_t drawn = member->index * 77777u;
    uint64_t keys[BATCH];
    girt_keyed_request requests[BATCH];
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < BATCH; i++) {
            keys[i] = run->c->zipf[++drawn % run->c->zipf_count];
            requests[i] =
                (girt_keyed_request){&keys[i], sizeof keys[i], 1, GIRT_OK};
        }
        now += 10 * BATCH;
        (void)girt_keyed_limiter_take_n_at(run->subject, requests, BATCH, now);
        bench_count(member, BATCH);
    }
}

BODY(keyed_take_clocked, DRAWN_KEY;
     (void)girt_keyed_limiter_take(run->subject, &key, sizeof key, 1, NULL))

/* Its floor: one hash and one load from a table of that size. */
typedef struct slot_table {
    size_t mask;
    girt_fast_pair slots[];
} slot_table;

static void *make_table(const limiter_case *c)
{
    size_t size = 1;
    while (size < c->keys)
        size *= 2;
    slot_table *const table =
        malloc(sizeof *table + size * sizeof *table->slots);
    if (table == NULL)
        return NULL;
    table->mask = size - 1;
    for (size_t i = 0; i < size; i++)
        table->slots[i] = (girt_fast_pair){{i, i}};
    return table;
}

static uint64_t load_slot(const slot_table *table, uint64_t key)
{
    uint64_t const at = girt_hash(&key, sizeof key, 1) & table->mask;
    return __atomic_load_n(&table->slots[at].word[0], __ATOMIC_RELAXED);
}

BODY(floor_slot, DRAWN_KEY; sum += load_slot(run->subject, key))
BODY(floor_slot_clocked, DRAWN_KEY;
     sum += load_slot(run->subject, key) + (uint64_t)bench_now())

/* What a decision cannot do without: the load, and a compare-and-swap of key
 * and mark. */
static uint64_t swap_slot(slot_table *table, uint64_t key, uint64_t mark)
{
    uint64_t const at = girt_hash(&key, sizeof key, 1) & table->mask;
    girt_fast_pair *const slot = &table->slots[at];
    uint64_t const held = __atomic_load_n(&slot->word[0], __ATOMIC_RELAXED);
    uint64_t const old = __atomic_load_n(&slot->word[1], __ATOMIC_RELAXED);
    return girt_fast_cas2_acq_rel(slot, held, old, held, mark);
}

BODY(floor_swap, DRAWN_KEY; sum += swap_slot(run->subject, key, (uint64_t)now))

static void *make_map(const limiter_case *c)
{
    return limiter_map_make(c->keys);
}

BODY(map_take, DRAWN_KEY; (void)limiter_map_take(run->subject, key, now))
static void *make_open(const limiter_case *c)
{
    return limiter_open_make(c->keys);
}

BODY(open_take, DRAWN_KEY; (void)limiter_open_take(run->subject, key, now))
BODY(open_take_clocked, DRAWN_KEY;
     (void)limiter_open_take(run->subject, key, bench_now()))
BODY(map_take_clocked, DRAWN_KEY;
     (void)limiter_map_take(run->subject, key, bench_now()))

#define KEYED(label, version, rival, make, release, body, take)                \
    {                                                                          \
        label, version, rival, measure, &(const contest)                       \
        {                                                                      \
            make, release, body, take                                          \
        }                                                                      \
    }
#define CONTESTANT(label, version, rival, make, release, body)                 \
    KEYED(label, version, rival, make, release, body, NULL)
#define ROW(name, ...)                                                         \
    do {                                                                       \
        const bench_contestant racers[] = {__VA_ARGS__};                       \
        bench_row(suite, options, name, threads, "ns", racers,                 \
                  sizeof racers / sizeof *racers, &c);                         \
    } while (0)

static void run(const bench_suite *suite, const bench_options *options)
{
    limiter_case c = {.keys = options->smoke ? 1000 : 1000000};
    if (!options->list)
        c.zipf = map_zipf_table(c.keys, &c.zipf_count);
    static const unsigned counts[] = {1, 2, 8};
    for (size_t t = 0; t < sizeof counts / sizeof *counts; t++) {
        unsigned const threads = counts[t];
        c.threads = threads;
        ROW("take, time given: decision",
            CONTESTANT("girt_limiter", GIRT_VERSION, false, make_generous,
                       free_limiter, take_given),
            CONTESTANT("floor: one CAS loop", "", true, NULL, NULL, floor_cas),
            CONTESTANT("token bucket + mutex", "", true, make_bucket, free,
                       bucket_given));
        ROW("take, own clock: decision",
            CONTESTANT("girt_limiter", GIRT_VERSION, false, make_generous,
                       free_limiter, take_clocked),
            CONTESTANT("floor: one clock read", "", true, NULL, NULL,
                       floor_clock),
            CONTESTANT("floor: clock and CAS", "", true, NULL, NULL,
                       floor_clock_cas),
            CONTESTANT("token bucket + mutex", "", true, make_bucket, free,
                       bucket_clocked));
        ROW("refusal, time given: decision",
            CONTESTANT("girt_limiter", GIRT_VERSION, false, make_empty,
                       free_limiter, take_given),
            CONTESTANT("token bucket + mutex", "", true, make_bucket, free,
                       bucket_given));
        ROW("lease of 32, time given: decision",
            CONTESTANT("girt_limiter, lease 32", GIRT_VERSION, false,
                       make_leased, free_limiter, take_given),
            CONTESTANT("girt_limiter, shared word", GIRT_VERSION, false,
                       make_generous, free_limiter, take_given));
        ROW("in a shared segment, time given: decision",
            CONTESTANT("girt_limiter_shared", GIRT_VERSION, false, make_shared,
                       free_limiter, take_given),
            CONTESTANT("girt_limiter", GIRT_VERSION, false, make_generous,
                       free_limiter, take_given));
        ROW("keyed in a shared segment: decision",
            KEYED("girt_keyed_limiter_shared", GIRT_VERSION, false,
                  make_keyed_shared, free_keyed, keyed_take, take_keyed),
            KEYED("girt_keyed_limiter", GIRT_VERSION, false, make_keyed,
                  free_keyed, keyed_take, take_keyed));
        ROW("keyed, a million keys, Zipf, time given: decision",
            KEYED("girt_keyed_limiter", GIRT_VERSION, false, make_keyed,
                  free_keyed, keyed_take, take_keyed),
            KEYED("girt_keyed_limiter, batches of 32", GIRT_VERSION, false,
                  make_keyed, free_keyed, keyed_take_n, take_keyed),
            CONTESTANT("floor: hash and one load", "", true, make_table, free,
                       floor_slot),
            CONTESTANT("floor: hash, load and CAS", "", true, make_table, free,
                       floor_swap),
            KEYED("64 mutexes, unordered_map", "", true, make_map,
                  limiter_map_free, map_take, limiter_map_take),
            KEYED("64 mutexes, open addressing", "", true, make_open,
                  limiter_open_free, open_take, limiter_open_take));
        ROW("keyed, a million keys, Zipf, own clock: decision",
            KEYED("girt_keyed_limiter", GIRT_VERSION, false, make_keyed,
                  free_keyed, keyed_take_clocked, take_keyed),
            CONTESTANT("floor: clock, hash and one load", "", true, make_table,
                       free, floor_slot_clocked),
            KEYED("64 mutexes, unordered_map", "", true, make_map,
                  limiter_map_free, map_take_clocked, limiter_map_take),
            KEYED("64 mutexes, open addressing", "", true, make_open,
                  limiter_open_free, open_take_clocked, limiter_open_take));
    }
}

const bench_suite bench_limiter_suite = {
    "limiter", "admit or refuse, for one limit or a million keys", 10, run};

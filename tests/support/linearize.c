/* SPDX-License-Identifier: MIT */
/* linearize.c - the search of linearize.h.
 *
 * Where the search is, is how many operations of each thread have had their
 * instant, and the object's state. A place that led nowhere is remembered by a
 * 128-bit hash and not entered again. */
#include "support/linearize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#define MEMORY_SIZE ((size_t)1 << 20) /* places, a power of two */
#define PLACES_MAX  (MEMORY_SIZE / 2)

typedef struct key128 {
    uint64_t a, b;
} key128;

typedef struct search {
    const specification *s;
    const history *h;
    size_t threads, count;
    size_t done[HISTORY_THREADS_MAX]; /* operations that had their instant */
    uint64_t *state;
} search;

/* Kept from call to call: `generation` tells old places from new ones. */
static key128 *memory;
static size_t places;
static uint64_t generation;

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = (a ^ b) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 32)) * 0xbf58476d1ce4e5b9u;
    return z ^ (z >> 29);
}

static key128 place_of(const search *at)
{
    key128 k = {mix(generation, 1), mix(generation, 2)};
    for (size_t i = 0; i < at->threads; i++) {
        k.a = mix(k.a, at->done[i]);
        k.b = mix(k.b + 0x632be59bd9b4e019u, at->done[i]);
    }
    for (size_t i = 0; i < at->s->state_size / 8; i++) {
        k.a = mix(k.a, at->state[i]);
        k.b = mix(k.b + 0x632be59bd9b4e019u, at->state[i]);
    }
    k.a |= 1; /* never 0, which is a free place */
    return k;
}

/* false: was there. */
static bool remember(key128 k)
{
    size_t i = (size_t)k.b & (MEMORY_SIZE - 1);
    while (memory[i].a != 0) {
        if (memory[i].a == k.a && memory[i].b == k.b)
            return false;
        i = (i + 1) & (MEMORY_SIZE - 1);
    }
    memory[i] = k;
    places++;
    return true;
}

static void start_memory(void)
{
    if (memory == NULL) {
        memory = calloc(MEMORY_SIZE, sizeof *memory);
        assert_non_null(memory);
    }
    generation++;
    if (places > PLACES_MAX / 2) {
        memset(memory, 0, MEMORY_SIZE * sizeof *memory);
        places = 0;
    }
}

static const operation *next_of(const search *at, size_t thread)
{
    return at->done[thread] < at->h->counts[thread]
               ? &at->h->operations[thread][at->done[thread]]
               : NULL;
}

/* The first end of those that have not had their instant. */
static uint64_t first_end(const search *at)
{
    uint64_t first = HISTORY_PENDING;
    for (size_t i = 0; i < at->threads; i++) {
        const operation *const o = next_of(at, i);
        if (o != NULL && o->end < first)
            first = o->end;
    }
    return first;
}

/* Operations of the kinds that had their instant and may still be under way
 * at that of o: which is after every begin so far, and may be just after. */
static size_t under_way(const search *at, const operation *o)
{
    uint64_t now = o->begin;
    for (size_t i = 0; i < at->threads; i++)
        if (at->done[i] != 0 &&
            at->h->operations[i][at->done[i] - 1].begin > now)
            now = at->h->operations[i][at->done[i] - 1].begin;
    size_t count = 0;
    for (size_t i = 0; i < at->threads; i++)
        for (size_t j = at->done[i]; j-- > 0;) {
            const operation *const p = &at->h->operations[i][j];
            if (p->end < now)
                break;
            count += at->s->under_way_kinds >> p->kind & 1;
        }
    return count;
}

static bool all_ended_are_done(const search *at)
{
    for (size_t i = 0; i < at->threads; i++) {
        const operation *const o = next_of(at, i);
        if (o != NULL && o->end != HISTORY_PENDING)
            return false;
    }
    return true;
}

/* Tries threads from `from` on; the one that could go, or at->threads. */
static size_t advance(search *at, size_t from)
{
    uint64_t const limit = first_end(at);
    uint64_t before[128];
    for (size_t i = from; i < at->threads; i++) {
        const operation *const o = next_of(at, i);
        if (o == NULL || o->begin > limit)
            continue;
        memcpy(before, at->state, at->s->state_size);
        bool const known = o->end != HISTORY_PENDING;
        size_t const others =
            at->s->under_way_kinds == 0 ? 0 : under_way(at, o);
        if (at->s->step(at->s, at->state, o, known, others)) {
            at->done[i]++;
            if (remember(place_of(at)))
                return i;
            at->done[i]--;
        }
        memcpy(at->state, before, at->s->state_size);
    }
    return at->threads;
}

static linearize_answer search_all(search *at)
{
    size_t const words = at->s->state_size / 8;
    uint64_t *const states = calloc((at->count + 1) * words, 8);
    unsigned char *const chosen = calloc(at->count + 1, 1);
    assert_non_null(states);
    assert_non_null(chosen);
    at->state = states;
    size_t depth = 0, from = 0;
    size_t const places_max = places + PLACES_MAX;
    linearize_answer answer = UNDECIDED;
    while (places < places_max && answer == UNDECIDED) {
        if (all_ended_are_done(at)) {
            answer = LINEARIZABLE;
            break;
        }
        memcpy(states + (depth + 1) * words, states + depth * words, words * 8);
        at->state = states + (depth + 1) * words;
        size_t const i = advance(at, from);
        if (i < at->threads) {
            chosen[depth++] = (unsigned char)i;
            from = 0;
        } else if (depth == 0) {
            answer = NOT_LINEARIZABLE;
        } else {
            from = chosen[--depth];
            at->done[from++]--;
        }
    }
    free(states);
    free(chosen);
    return answer;
}

linearize_answer linearize(const specification *s, const history *h)
{
    search at = {.s = s, .h = h};
    assert_true(s->state_size <= 128 * 8 && s->state_size % 8 == 0);
    for (size_t i = 0; i < HISTORY_THREADS_MAX; i++)
        if (h->counts[i] != 0)
            at.threads = i + 1;
    at.count = history_count(h);
    start_memory();
    return search_all(&at);
}

/* ---- maps -------------------------------------------------------------- */

static void take_key(history *to, const history *from, uint64_t key)
{
    memset(to->counts, 0, sizeof to->counts);
    for (size_t i = 0; i < HISTORY_THREADS_MAX; i++)
        for (size_t j = 0; j < from->counts[i]; j++)
            if (from->operations[i][j].key == key)
                to->operations[i][to->counts[i]++] = from->operations[i][j];
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t const x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

linearize_answer linearize_by_key(const specification *s, const history *h,
                                  uint64_t *key)
{
    size_t const count = history_count(h);
    size_t used = 0;
    linearize_answer worst = LINEARIZABLE;
    uint64_t *const keys = calloc(count + 1, sizeof *keys);
    assert_non_null(keys);
    for (size_t i = 0; i < HISTORY_THREADS_MAX; i++)
        for (size_t j = 0; j < h->counts[i]; j++)
            keys[used++] = h->operations[i][j].key;
    qsort(keys, used, sizeof *keys, compare_keys);
    history one;
    history_init(&one, HISTORY_THREADS_MAX, h->per_thread);
    for (size_t i = 0; i < used && worst != NOT_LINEARIZABLE; i++) {
        if (i != 0 && keys[i] == keys[i - 1])
            continue;
        take_key(&one, h, keys[i]);
        linearize_answer const answer = linearize(s, &one);
        if (answer == LINEARIZABLE)
            continue;
        *key = keys[i];
        if (worst == LINEARIZABLE || answer == NOT_LINEARIZABLE)
            worst = answer;
    }
    history_free(&one);
    free(keys);
    return worst;
}

/* ---- showing ----------------------------------------------------------- */

void history_print(const history *h)
{
    size_t at[HISTORY_THREADS_MAX] = {0};
    for (;;) {
        const operation *next = NULL;
        for (size_t i = 0; i < HISTORY_THREADS_MAX; i++)
            if (at[i] < h->counts[i] &&
                (next == NULL || h->operations[i][at[i]].begin < next->begin))
                next = &h->operations[i][at[i]];
        if (next == NULL)
            return;
        at[next->thread]++;
        fprintf(stderr,
                "  thread %u kind %u key %llu argument %llu,%llu -> result "
                "%lld value %llu  [%llu, %lld]\n",
                next->thread, next->kind, (unsigned long long)next->key,
                (unsigned long long)next->argument,
                (unsigned long long)next->second, (long long)next->result,
                (unsigned long long)next->value,
                (unsigned long long)next->begin, (long long)next->end);
    }
}

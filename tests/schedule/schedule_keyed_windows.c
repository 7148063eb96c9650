/* SPDX-License-Identifier: MIT */
/* Goal: in the table of keyed limiters no key ever has two buckets, no bucket
 * gives more than its rate, a key is refused only for a reason, and a thread
 * stopped at any instruction stops nobody. Method: keys of one home group, live
 * and idle, claimed and forgotten by a few threads at once, under many
 * schedules; the answers of each key are checked against a bucket. */
#include <stdlib.h>

#include "core/alloc_internal.h"
#include "limiter/keyed_table.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "support/linearize.h"

#define COST      2 /* marks a token; and a unit of time */
#define BURST     2
#define KEYS_MOST 5
#define CALLS_MAX 16

typedef struct game {
    girt__keyed_table table;
    girt_allocator allocator;
    uint64_t keys, keys_max;
    size_t calls;
    bool moves; /* time does */
    int64_t now;
    history h;
} game;

static void setup(void *context)
{
    game *const g = context;
    history_clear(&g->h);
    (void)girt__allocator_resolve(&g->allocator, NULL);
    g->keys = 1 + schedule_random(KEYS_MOST);
    /* With time standing still all keys must fit, so that all is exact. */
    g->keys_max = g->moves ? 1 + schedule_random(g->keys) : g->keys;
    g->now = 0;
    if (girt__keyed_table_create(&g->table, g->keys_max, &g->allocator) !=
        GIRT_OK)
        abort();
}

static void take(game *g, size_t thread)
{
    uint64_t const key = 1 + schedule_random(g->keys); /* all of home 0 */
    if (g->moves && schedule_random(2) == 0)
        (void)__atomic_add_fetch(&g->now, COST, __ATOMIC_RELAXED);
    int64_t const now = __atomic_load_n(&g->now, __ATOMIC_RELAXED);
    operation *const o =
        history_begin(&g->h, thread, 0, 1 + schedule_random(2));
    o->key = key;
    o->second = (uint64_t)now;
    girt__keyed_ask const ask = {.hash = key,
                                 .need = (int64_t)o->argument * COST,
                                 .room = BURST * COST,
                                 .time = now,
                                 .time_up = now};
    girt__keyed_answer answer;
    girt_status const status = girt__keyed_table_take(&g->table, &ask, &answer);
    history_end(&g->h, o, (uint64_t)status, (uint64_t)answer.mark);
}

static void body(void *context, size_t thread)
{
    game *const g = context;
    for (size_t i = 0; i < g->calls; i++)
        take(g, thread);
}

/* A bucket, when time stands still: so many tokens and no more. */
static bool bucket_step(const specification *s, void *state, const operation *o,
                        bool known, size_t under_way)
{
    uint64_t *const taken = state;
    (void)s;
    (void)under_way;
    bool const enough = *taken + o->argument <= BURST;
    if (known && o->result == GIRT_FULL)
        return true; /* see check_full */
    if (known && o->result == GIRT_LIMITED)
        return !enough;
    if (enough)
        *taken += o->argument;
    return enough || !known;
}

/* In every window of times the bound holds. */
static void check_windows(const game *g, uint64_t key)
{
    const operation *admitted[SCHEDULE_THREADS_MAX * CALLS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        for (size_t j = 0; j < g->h.counts[i]; j++) {
            const operation *const o = &g->h.operations[i][j];
            if (o->key == key && o->result == GIRT_OK)
                admitted[count++] = o;
        }
    for (size_t from = 0; from < count; from++)
        for (size_t to = 0; to < count; to++) {
            uint64_t const a = admitted[from]->second;
            uint64_t const b = admitted[to]->second;
            uint64_t tokens = 0;
            for (size_t i = 0; i < count; i++)
                if (admitted[i]->second >= a && admitted[i]->second <= b)
                    tokens += admitted[i]->argument;
            schedule_check(b < a || tokens <= BURST + (b - a) / COST,
                           "key %llu: %llu tokens in [%llu, %llu]",
                           (unsigned long long)key, (unsigned long long)tokens,
                           (unsigned long long)a, (unsigned long long)b);
        }
}

/* Whether `o` may have made its key live at the time of `full`, or be just
 * about to. */
static bool makes_live(const operation *o, const operation *full)
{
    if (o->begin >= full->end)
        return false;
    if (full->begin < o->end)
        return true;
    uint64_t const lasts = BURST * COST; /* after the take, at most */
    return o->result == GIRT_OK && o->second + lasts > full->second;
}

/* Full is said only for `keys_max` other keys, each of which counts once more
 * if it may have come back, after it was forgotten, while they were counted. */
static void check_full(const game *g, const operation *full)
{
    uint64_t takes[KEYS_MOST + 1] = {0}, late[KEYS_MOST + 1] = {0};
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        for (size_t j = 0; j < g->h.counts[i]; j++) {
            const operation *const o = &g->h.operations[i][j];
            if (o->key == full->key || !makes_live(o, full))
                continue;
            takes[o->key]++;
            late[o->key] += full->begin < o->end;
        }
    uint64_t count = 0;
    for (uint64_t key = 1; key <= g->keys; key++)
        count += (takes[key] > 0) + (takes[key] > 1 && late[key] > 0);
    schedule_check(count >= g->keys_max, "full with %llu of %llu",
                   (unsigned long long)count, (unsigned long long)g->keys_max);
}

static void check(void *context)
{
    game *const g = context;
    schedule_check(girt__keyed_table_is_valid(&g->table), "an invariant");
    for (uint64_t key = 1; key <= g->keys; key++)
        check_windows(g, key);
    girt__keyed_table_destroy(&g->table, &g->allocator);
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        for (size_t j = 0; j < g->h.counts[i]; j++)
            if (g->h.operations[i][j].result == GIRT_FULL)
                check_full(g, &g->h.operations[i][j]);
    uint64_t key = 0;
    specification const s = {.state_size = 8, .step = bucket_step};
    if (!g->moves)
        schedule_check(linearize_by_key(&s, &g->h, &key) == LINEARIZABLE,
                       "key %llu is not a bucket", (unsigned long long)key);
    if (schedule_failed())
        history_print(&g->h);
}

static void play(const char *name, size_t threads, size_t calls, bool moves)
{
    game g = {.calls = calls, .moves = moves};
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = 20000,
                        .stopped_threads = threads,
                        .context = &g,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 5000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

static void each_key_has_one_bucket(void **state)
{
    (void)state;
    play("still_two", 2, 4, false);
    play("still_three", 3, 3, false);
    play("still_four", 4, 2, false);
}

static void idle_keys_make_room(void **state)
{
    (void)state;
    play("moves_two", 2, 6, true);
    play("moves_three", 3, 5, true);
    play("moves_four", 4, 4, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_one_bucket),
        cmocka_unit_test(idle_keys_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

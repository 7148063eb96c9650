/* SPDX-License-Identifier: MIT */
/* Goal: nothing is released while a section that found it is open, nothing is
 * released twice, and nothing is forgotten.  Method: threads replace objects
 * in shared slots and retire the old ones while others hold what they found
 * and look whether it is still alive; threads end and begin all the while,
 * barriers run and processes fork.  Objects are never freed before the end,
 * so a release too early shows as a dead object in a section. */
#include <girt/epoch.h>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/epoch_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { SLOTS = 8, THREADS = 4, ALIVE = 0x11, DEAD = 0xdd };

typedef struct object {
    girt__epoch_node node;
    struct object *next_made;
    uint32_t state;
    uint32_t plain; /* what ThreadSanitizer watches: read, then wiped */
} object;

static object *slots[SLOTS];
static object *made[THREADS]; /* each thread's own list */
static uint64_t retired, released, twice, dead_seen;
static uint64_t seed;

static object *make_object(size_t me)
{
    object *const o = malloc(sizeof *o);
    assert_non_null(o);
    o->state = ALIVE;
    o->plain = ALIVE;
    o->next_made = made[me];
    made[me] = o;
    return o;
}

static void end_object(object *o)
{
    if (girt_swap_relaxed(&o->state, (uint32_t)DEAD) != ALIVE)
        (void)girt_add_relaxed(&twice, 1);
    o->plain = DEAD;
    (void)girt_add_relaxed(&released, 1);
}

static void release_node(girt__epoch_node *node)
{
    end_object((object *)(void *)node);
}

static void release_block(void *block)
{
    end_object(block);
}

/* Replaces through a release function, too: it opens a section and retires. */
static void release_and_replace(void *block);

static void replace(rng *r, size_t me)
{
    object *const fresh = make_object(me);
    girt_epoch_enter();
    object *const old = girt_swap_acq_rel(&slots[rng_below(r, SLOTS)], fresh);
    uint64_t const how = rng_below(r, 16);
    if (old == NULL) { /* release_and_replace emptied it */
        girt_epoch_exit();
        return;
    }
    (void)girt_add_relaxed(&retired, 1);
    if (how == 0) {
        girt_epoch_exit(); /* retired outside: allowed, once unlinked */
        girt_epoch_retire(old, release_block);
        return;
    }
    if (how == 1)
        girt_epoch_retire(old, release_and_replace);
    else if (how < 8)
        girt_epoch_retire(old, release_block);
    else
        girt__epoch_retire_node(&old->node, release_node);
    girt_epoch_exit();
}

static void release_and_replace(void *block)
{
    object *const o = block;
    end_object(o);
    girt_epoch_enter();
    object *const other = girt_swap_acq_rel(&slots[0], NULL);
    if (other != NULL) {
        (void)girt_add_relaxed(&retired, 1);
        girt_epoch_retire(other, release_block);
    }
    girt_epoch_exit();
}

static void look(rng *r)
{
    object *held[4] = {NULL};
    girt_epoch_enter();
    for (size_t i = 0; i < 4; i++)
        held[i] = girt_load_acquire(&slots[rng_below(r, SLOTS)]);
    if (rng_below(r, 64) == 0)
        (void)sched_yield();
    for (size_t i = 0; i < 4; i++)
        if (held[i] != NULL && (girt_load_relaxed(&held[i]->state) != ALIVE ||
                                held[i]->plain != ALIVE))
            (void)girt_add_relaxed(&dead_seen, 1);
    girt_epoch_exit();
}

static void fork_once(void)
{
    pid_t const child = fork();
    if (child == 0) {
        for (size_t i = 0; i < SLOTS; i++) {
            object *const o = girt_swap_acq_rel(&slots[i], NULL);
            if (o != NULL)
                girt__epoch_retire_node(&o->node, release_node);
        }
        girt_epoch_barrier();
        _exit(girt_load_relaxed(&twice) == 0 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void work(void *context, size_t me)
{
    uint64_t const *const wave = context;
    rng r = {seed ^ (*wave * THREADS + me)};
    for (size_t i = 0, n = scaled(60000); i < n; i++) {
        uint64_t const what = rng_below(&r, 1024);
        if (what < 300)
            replace(&r, me);
        else if (what == 300)
            girt_epoch_barrier();
        else
            look(&r);
        if (me == 0 && i == n / 2 && *wave % 4 == 0)
            fork_once();
    }
    /* And ends, with blocks pending. */
}

static void released_once_and_never_early(void **state)
{
    (void)state;
    seed = test_seed();
    for (uint64_t wave = 0; wave < 20; wave++)
        threads_run(THREADS, work, &wave);
    girt_epoch_barrier();
    assert_int_equal(dead_seen, 0);
    assert_int_equal(twice, 0);
    /* What release functions retired during the barrier may be pending. */
    girt_epoch_barrier();
    for (size_t i = 0; i < SLOTS; i++)
        if (slots[i] != NULL)
            assert_int_equal(slots[i]->state, ALIVE);
    uint64_t fresh = 0;
    for (size_t t = 0; t < THREADS; t++)
        for (object *o = made[t], *next; o != NULL; o = next) {
            next = o->next_made;
            fresh += o->state == ALIVE;
            free(o);
        }
    uint64_t in_slots = 0;
    for (size_t i = 0; i < SLOTS; i++)
        in_slots += slots[i] != NULL;
    assert_int_equal(fresh, in_slots);
    assert_int_equal(released, retired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_once_and_never_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

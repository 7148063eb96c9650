/* SPDX-License-Identifier: MIT */
/* keyed_take.h - what a single take and a batch of them begin with. */
#ifndef GIRT_LIMITER_KEYED_TAKE_H
#define GIRT_LIMITER_KEYED_TAKE_H

#include <stdbool.h>

#include "core/atomic.h"
#include "core/keyed_hash_short.h"
#include "core/probe.h"
#include "limiter/keyed_internal.h"
#include "limiter/keyed_slots.h"

/* Any request; keyed_limiter.c. */
girt_status girt__keyed_take(girt_keyed_limiter *limiter, uint64_t hash,
                             uint64_t tokens, int64_t now_ns,
                             girt_decision *decision);

static inline girt_status girt__keyed_key_check(const void *key,
                                                size_t key_size)
{
    if (girt_unlikely(key == NULL && key_size != 0))
        return GIRT_E_INVALID;
    return girt_unlikely(key_size > GIRT_KEYED_LIMITER_KEY_MAX)
               ? GIRT_E_TOO_LARGE
               : GIRT_OK;
}

static inline uint64_t girt__keyed_hash_of(const girt_keyed_limiter *limiter,
                                           const void *key, size_t key_size)
{
    uint64_t const hash =
        girt_likely(key_size <= GIRT__KEYED_HASH_SHORT)
            ? girt__keyed_hash_short(&limiter->hash_key, key, key_size)
            : girt__keyed_hash(&limiter->hash_key, key, key_size);
    return hash + (hash == 0); /* 0 is an empty slot */
}

/* The request, if it is of the usual kind: an easy rate, 1 to burst tokens, a
 * time near the base. */
static inline bool girt__keyed_ask_easily(const girt_keyed_limiter *limiter,
                                          uint64_t hash, uint64_t tokens,
                                          int64_t now_ns, girt__keyed_ask *ask)
{
    const girt__gcra *const g = &limiter->gcra;
    /* Y2 <- Y1 (base_of, keyed_limiter.c) */
    uint64_t const easy_burst = girt_load_acquire(&limiter->easy_burst);
    int64_t const base_ns = girt_load_relaxed(&limiter->base_ns);
    if (girt_unlikely(tokens - 1 >= easy_burst ||
                      !girt__gcra_near(base_ns, g->reach_ns, now_ns)))
        return false;
    ask->hash = hash;
    ask->need = (int64_t)(tokens * g->cost);
    ask->room = g->room;
    ask->time = (now_ns - base_ns) * (int64_t)g->tick;
    ask->time_up = ask->time;
    return true;
}

static inline girt_status girt__keyed_counted(girt_keyed_limiter *limiter,
                                              girt_status status)
{
    girt__report_count(
        limiter->table.report,
        status == GIRT_OK ? GIRT__KEYED_ALLOWED : GIRT__KEYED_LIMITED, 1);
    return status;
}

/* A usual request without a decision, of a key that is at home; all others
 * begin again in girt__keyed_take.  girt__keyed_admits in as few instructions
 * that hang on the slot as can be: they wait in the CPU while the line comes,
 * and the next calls' loads behind them. */
static inline girt_status girt__keyed_take_shortly(girt_keyed_limiter *limiter,
                                                   uint64_t hash,
                                                   uint64_t tokens,
                                                   int64_t now_ns)
{
    girt__keyed_ask ask;
    if (girt_likely(
            girt__keyed_ask_easily(limiter, hash, tokens, now_ns, &ask))) {
        /* Neither overflows: |time| <= 2^61, need <= room <= 2^60. */
        int64_t const start_last = ask.time + (ask.room - ask.need);
        uint64_t state;
        girt_fast_pair *slot;
        if (girt_likely(
                girt__keyed_at_home(&limiter->table, hash, &slot, &state))) {
            int64_t const mark = (int64_t)state;
            int64_t const start = mark > ask.time ? mark : ask.time;
            if (start > start_last) {
                girt_probe2(keyed_limiter_reject, limiter, tokens);
                return GIRT_LIMITED;
            }
            if (girt_likely(girt_fast_cas2_acq_rel(
                    slot, hash, state, hash, (uint64_t)(start + ask.need))))
                return GIRT_OK;
        }
    }
    return girt__keyed_take(limiter, hash, tokens, now_ns, NULL);
}

#endif /* GIRT_LIMITER_KEYED_TAKE_H */

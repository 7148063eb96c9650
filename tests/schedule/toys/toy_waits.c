/* SPDX-License-Identifier: MIT */
/* toy_waits.c - sleeping, releasing and copying, with one mistake each. */
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/atomic.h"
#include "schedule/toys/toys.h"

static bool is_set(toy_event *e)
{
    return girt_load_acquire(&e->flag) != 0;
}

void toy_event_wait(toy_event *e)
{
    while (!is_set(e)) {
        /* Only one thread waits: a store that may stay in the buffer. */
        girt_store_relaxed(&e->waiters, 1);
        if (!e->no_fence)
            girt_fence_seq_cst();
        uint32_t key = girt_load_acquire(&e->epoch);
        if (is_set(e))
            return;
        if (e->key_late)
            key = girt_load_acquire(&e->epoch);
        if (girt_load_acquire(&e->epoch) == key)
            (void)syscall(SYS_futex, &e->epoch, FUTEX_WAIT, key, NULL, NULL, 0);
    }
}

void toy_event_set(toy_event *e)
{
    girt_store_release(&e->flag, 1);
    girt_fence_seq_cst();
    if (girt_load_relaxed(&e->waiters) == 0)
        return;
    (void)girt_add_release(&e->epoch, 1);
    (void)syscall(SYS_futex, &e->epoch, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* ---- releasing ---------------------------------------------------------- */

uint64_t toy_box_read(toy_box *b)
{
    if (b->counted)
        (void)girt_add_acq_rel(&b->readers, 1);
    girt_fence_seq_cst();
    uint64_t *const content = girt_load_acquire(&b->content);
    uint64_t const value = *content;
    if (b->counted)
        (void)girt_sub_acq_rel(&b->readers, 1);
    return value;
}

void toy_box_replace(toy_box *b, uint64_t value)
{
    uint64_t *const fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        abort();
    *fresh = value;
    uint64_t *const old = girt_swap_acq_rel(&b->content, fresh);
    girt_fence_seq_cst();
    while (b->counted && girt_load_acquire(&b->readers) != 0)
        girt_pause();
    free(old);
}

/* ---- copying ------------------------------------------------------------ */

void toy_pair_write(toy_pair *p, uint64_t value)
{
    uint32_t const sequence = girt_load_relaxed(&p->sequence);
    girt_store_relaxed(&p->sequence, sequence + 1);
    if (!p->no_release)
        girt_fence_release();
    girt_store_relaxed(&p->a, value);
    girt_store_relaxed(&p->b, value);
    girt_store_release(&p->sequence, sequence + 2);
}

void toy_pair_read(toy_pair *p, uint64_t *a, uint64_t *b)
{
    for (;;) {
        uint32_t const before = girt_load_acquire(&p->sequence);
        *a = girt_load_relaxed(&p->a);
        *b = girt_load_relaxed(&p->b);
        girt_fence_acquire();
        if ((before & 1) == 0 &&
            (p->no_second_look || girt_load_relaxed(&p->sequence) == before))
            return;
    }
}

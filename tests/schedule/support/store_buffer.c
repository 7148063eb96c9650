/* SPDX-License-Identifier: MIT */
/* store_buffer.c - stores that others see later, as on x86.
 *
 * Each thread's atomic stores, but for sequentially consistent ones, wait in
 * order in its own buffer; it reads them from there, the others do not.
 * Read-modify-writes, sequentially consistent stores and fences, system calls
 * and locks empty the buffer first; so does an access of the thread to a word
 * in it by other means. C11 allows each outcome of this, and more. */
#include "schedule/support/scheduler_internal.h"

#include <string.h>

#define BUFFER_MAX 8

static struct {
    buffered stores[BUFFER_MAX];
    size_t count;
} buffers[SCHEDULE_THREADS_MAX];

static size_t index_of(const thread *t)
{
    return (size_t)(t - sched.threads);
}

static void commit(size_t index, size_t count)
{
    buffered *const stores = buffers[index].stores;
    for (size_t i = 0; i < count; i++)
        memcpy((void *)stores[i].address, &stores[i].value, stores[i].size);
    buffers[index].count -= count;
    memmove(stores, stores + count, buffers[index].count * sizeof *stores);
}

void buffer_reset(void)
{
    memset(buffers, 0, sizeof buffers);
}

void buffer_put(volatile void *address, uint64_t value, size_t size)
{
    size_t const index = index_of(sched.current);
    if (buffers[index].count == BUFFER_MAX)
        commit(index, 1);
    buffers[index].stores[buffers[index].count++] =
        (buffered){(uintptr_t)address, value, size};
}

bool buffer_find(const volatile void *address, size_t size, uint64_t *value)
{
    size_t const index = index_of(sched.current);
    for (size_t i = buffers[index].count; i-- > 0;) {
        const buffered *const b = &buffers[index].stores[i];
        if (b->address == (uintptr_t)address && b->size == size) {
            *value = b->value;
            return true;
        }
    }
    return false;
}

void buffer_drain(const thread *t)
{
    size_t const index = index_of(t);
    commit(index, buffers[index].count);
}

void buffer_drain_current(void)
{
    if (sched.current != NULL)
        buffer_drain(sched.current);
}

void buffer_drain_all(void)
{
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        commit(i, buffers[i].count);
}

void buffer_leak(void)
{
    uint64_t bits = rng_next(&sched.rng);
    for (size_t i = 0; i < sched.count; i++, bits >>= 4)
        if (buffers[i].count != 0 && (bits & 15) < 3)
            commit(i, 1);
}

void buffer_touch(const volatile void *address, size_t size)
{
    size_t const index = index_of(sched.current);
    for (size_t i = 0; i < buffers[index].count; i++) {
        const buffered *const b = &buffers[index].stores[i];
        if (b->address < (uintptr_t)address + size &&
            (uintptr_t)address < b->address + b->size) {
            commit(index, buffers[index].count);
            return;
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* virtual_heap.c - memory that is released in a run stays where it is.
 *
 * What threads of a run release is kept until the run is over; an access to it
 * by instrumented code meanwhile fails the run, as a second release does. So
 * an epoch section left too early is found in the run in which it matters. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <malloc.h>

#include "schedule/support/scheduler_internal.h"

void __real_free(void *block);
void __wrap_free(void *block);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);

#define GRANULE    16 /* malloc's alignment: no two blocks share one */
#define TABLE_SIZE 65536
#define BLOCKS_MAX 4096

/* Open addressing; 0 is free. */
static uintptr_t released[TABLE_SIZE];
static size_t granules;
static void *blocks[BLOCKS_MAX];
static size_t block_count;

static size_t place_of(uintptr_t granule)
{
    size_t place = (size_t)(granule * 0x9e3779b97f4a7c15u >> 48);
    while (released[place] != 0 && released[place] != granule)
        place = (place + 1) % TABLE_SIZE;
    return place;
}

static bool is_released(const volatile void *address)
{
    uintptr_t const granule = (uintptr_t)address / GRANULE;
    return released[place_of(granule)] == granule;
}

void heap_check(const volatile void *address, size_t size)
{
    if (granules == 0)
        return;
    for (size_t i = 0; i < size; i += GRANULE)
        if (is_released((const volatile char *)address + i))
            schedule_fail("access to released memory");
    if (size > 1 && is_released((const volatile char *)address + size - 1))
        schedule_fail("access to released memory");
}

void heap_reset(bool abandon)
{
    for (size_t i = 0; i < block_count && !abandon; i++)
        __real_free(blocks[i]);
    block_count = 0;
    if (granules == 0)
        return;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        released[i] = 0;
    granules = 0;
}

void __wrap_free(void *block)
{
    if (block == NULL)
        return;
    if (sched.current == NULL) {
        if (sched.active && granules != 0 && is_released(block))
            schedule_fail("released twice");
        else
            __real_free(block);
        return;
    }
    buffer_drain_all();
    size_t const count = malloc_usable_size(block) / GRANULE;
    if (is_released(block))
        schedule_fail("released twice");
    if (block_count == BLOCKS_MAX || granules + count > TABLE_SIZE / 2)
        return; /* over the table: kept for good, not watched */
    blocks[block_count++] = block;
    for (size_t i = 0; i < count; i++) {
        uintptr_t const granule = (uintptr_t)block / GRANULE + i;
        released[place_of(granule)] = granule;
    }
    granules += count;
}

void *__wrap_realloc(void *block, size_t size)
{
    buffer_drain_current();
    return __real_realloc(block, size);
}

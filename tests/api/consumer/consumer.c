/* SPDX-License-Identifier: MIT */
/* A tiny program: it runs a ring, and tells whether jemalloc is its malloc. */
#include <girt/ring.h>
#include <girt/version.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int mallctl(const char *name, void *old, size_t *old_size, void *new,
                   size_t new_size) __attribute__((weak));

/* Its counter of allocated bytes moves with malloc. */
static int jemalloc_is_malloc(void)
{
    volatile uint64_t *allocated = NULL; /* malloc changes it */
    size_t size = sizeof allocated;
    if (mallctl == NULL ||
        mallctl("thread.allocatedp", (void *)&allocated, &size, NULL, 0) != 0)
        return 0;
    uint64_t const before = *allocated;
    void *volatile block = malloc(12345);
    int const moved = *allocated - before >= 12345;
    free(block);
    return moved;
}

int main(void)
{
    girt_ring *ring;
    uint32_t id;
    if (girt_ring_create(&ring, NULL) != GIRT_OK ||
        girt_ring_add(ring, "node", 1) != GIRT_OK ||
        girt_ring_find(ring, "key", 3, &id) != GIRT_OK || id != 0)
        return 1;
    girt_ring_destroy(ring);
#ifdef EXPECT_JEMALLOC
    int const expected = 1;
#else
    int const expected = 0;
#endif
    if (jemalloc_is_malloc() != expected)
        return 2;
    printf("girt %s\n", girt_version());
    return strcmp(girt_version(), GIRT_VERSION) == 0 ? 0 : 3;
}

/* SPDX-License-Identifier: MIT */
/* failing.h - an allocator that counts, fails at step k, and shows leaks. */
#ifndef GIRT_TESTS_FAILING_H
#define GIRT_TESTS_FAILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>

typedef struct failing {
    girt_allocator allocator; /* give this to the object under test */
    size_t calls;             /* allocations asked for so far */
    size_t fail_at;           /* the call that fails, 1 and up; 0: none */
    bool fail_all_after;      /* those after it fail too */
    size_t live_blocks;       /* must be 0 at the end */
    size_t live_bytes;        /* by the sizes that were given back */
} failing;

/* Safe for use from several threads. */
void failing_init(failing *f);

#endif /* GIRT_TESTS_FAILING_H */

/* SPDX-License-Identifier: MIT */
/* scale.h - how much of a long test to run.
 *
 * Counts of operations in model and stress tests go through scaled(): whole in
 * a plain build, an eighth under a sanitizer, whose runs are that much slower.
 * GIRT_TEST_SCALE in the environment multiplies (e.g. 50 for a soak). */
#ifndef GIRT_TESTS_SCALE_H
#define GIRT_TESTS_SCALE_H

#include <stdbool.h>
#include <stddef.h>

/* At least 1. */
size_t scaled(size_t count);

/* Any of them. */
bool under_sanitizer(void);

/* ThreadSanitizer does not survive new threads in a fork's child, nor calls
 * from a thread's last destructors. */
bool under_tsan(void);

#endif /* GIRT_TESTS_SCALE_H */

/* SPDX-License-Identifier: MIT */
/* threads.h - running the threads of a test, and its seed. */
#ifndef GIRT_TESTS_THREADS_H
#define GIRT_TESTS_THREADS_H

#include <stddef.h>
#include <stdint.h>

/* Runs body(context, index) on `count` threads that start together, index 0
 * and up, and joins them all. A thread that cannot be made fails the test. */
void threads_run(size_t count, void (*body)(void *context, size_t index),
                 void *context);

/* GIRT_TEST_SEED from the environment, else a fresh one; printed, so that a
 * failure can be run again. */
uint64_t test_seed(void);

#endif /* GIRT_TESTS_THREADS_H */

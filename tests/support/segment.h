/* SPDX-License-Identifier: MIT */
/* segment.h - names for shared segments that no other test has, and children
 * that die. */
#ifndef GIRT_TESTS_SEGMENT_H
#define GIRT_TESTS_SEGMENT_H

#include <stddef.h>
#include <sys/types.h>

/* "girt-test-PID-N", a new one each time. */
const char *segment_name(char *buffer, size_t size);

/* Forks; the child runs body(context) and exits with its result. */
pid_t child_start(int (*body)(void *context), void *context);
/* Its exit status; 1000 and the signal if it was killed. */
int child_wait(pid_t child);

#endif /* GIRT_TESTS_SEGMENT_H */

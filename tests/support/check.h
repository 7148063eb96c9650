/* SPDX-License-Identifier: MIT */
/* check.h - what every test file includes: cmocka and a few checks of ours. */
#ifndef GIRT_TESTS_CHECK_H
#define GIRT_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <girt/status.h>

/* Fails naming both statuses, at the caller's line. */
#define check_status(actual, expected)                                         \
    check_status_at((actual), (expected), #actual, __FILE__, __LINE__)
void check_status_at(girt_status actual, girt_status expected,
                     const char *what, const char *file, int line);

/* A cmocka skip with its reason on stderr. */
#define skip_because(...)                                                      \
    do {                                                                       \
        fprintf(stderr, "skipped: " __VA_ARGS__);                              \
        fputc('\n', stderr);                                                   \
        skip();                                                                \
    } while (0)

#endif /* GIRT_TESTS_CHECK_H */

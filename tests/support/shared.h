/* SPDX-License-Identifier: MIT */
/* shared.h - the tables and traces that may stand beside a checkout. */
#ifndef GIRT_TESTS_SHARED_H
#define GIRT_TESTS_SHARED_H

#include <stdio.h>

/* Opens e.g. "vectors/jump_hash.tsv"; NULL when it is not there: the test says
 * so with skip_because and passes. GIRT_SHARED in the environment overrides
 * the place. */
FILE *shared_open(const char *name);

#endif /* GIRT_TESTS_SHARED_H */

/* SPDX-License-Identifier: MIT */
/* random.h - seeds that an attacker cannot guess. */
#ifndef GIRT_CORE_RANDOM_H
#define GIRT_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* From getrandom(2); before the kernel's pool is ready, which a caller must
 * not be made to wait for, from the clocks and addresses. */
void girt__random_fill(void *out, size_t size);

/* 64 such bits, never 0. */
uint64_t girt__random_seed(void);

#endif /* GIRT_CORE_RANDOM_H */

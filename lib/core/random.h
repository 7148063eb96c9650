/* SPDX-License-Identifier: MIT */
/* random.h - seeds that an attacker cannot guess. */
#ifndef GIRT_CORE_RANDOM_H
#define GIRT_CORE_RANDOM_H

#include <stdint.h>

/* 64 bits from getrandom(2), never 0; before the kernel's pool is ready, from
 * the clock and addresses. */
uint64_t girt__random_seed(void);

#endif /* GIRT_CORE_RANDOM_H */

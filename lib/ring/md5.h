/* SPDX-License-Identifier: MIT */
/* md5.h - RFC 1321, for ketama's points only: MD5 protects nothing. */
#ifndef GIRT_RING_MD5_H
#define GIRT_RING_MD5_H

#include <stddef.h>
#include <stdint.h>

/* The digest as four little-endian words, which is how ketama reads it;
 * data may be NULL when size is 0. */
void girt__md5(const void *data, size_t size, uint32_t digest[4]);

#endif /* GIRT_RING_MD5_H */

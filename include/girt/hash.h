/* SPDX-License-Identifier: MIT */
/* hash.h - the keyed hash that maps, limiters and rings share. */
#ifndef GIRT_HASH_H
#define GIRT_HASH_H

#include <stddef.h>
#include <stdint.h>

#include <girt/export.h>

GIRT_BEGIN

GIRT_API uint64_t girt_hash(const void *data, size_t size, uint64_t seed);

GIRT_END

#endif /* GIRT_HASH_H */

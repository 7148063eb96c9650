/* SPDX-License-Identifier: MIT */
/* map_boost_flat_xxh3.cpp - the same with the hash that girt_map's is made of:
 * XXH3, here without a secret. */
#define MAP_NAME boost_flat_xxh3
#define XXH_INLINE_ALL
#include <xxhash.h>
#define BOOST_FLAT_HASH(text) XXH3_64bits((text).data(), (text).size())
#include "rivals/map_boost_flat_bytes.cpp"

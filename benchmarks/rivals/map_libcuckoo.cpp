/* SPDX-License-Identifier: MIT */
/* map_libcuckoo.cpp - libcuckoo::cuckoohash_map. */
#define MAP_NAME libcuckoo
#include <libcuckoo/cuckoohash_map.hh>

#include "bench_map.h"

namespace
{
using map_key = uint64_t;
using map_value = uint64_t;
using map_type = libcuckoo::cuckoohash_map<uint64_t, uint64_t>;
} // namespace

#include "rivals/map_own.hpp"

namespace
{
inline bool map_get(void *map, map_key key, map_value *value)
{
    return static_cast<map_type *>(map)->find(key, *value);
}

inline void map_put(void *map, map_key key, const map_value *value)
{
    static_cast<map_type *>(map)->insert_or_assign(key, *value);
}

inline void map_remove(void *map, map_key key)
{
    static_cast<map_type *>(map)->erase(key);
}
} // namespace

#include "map_driver.h"

/* SPDX-License-Identifier: MIT */
/* map_tbb.cpp - tbb::concurrent_hash_map. */
#define MAP_NAME tbb
#include <oneapi/tbb/concurrent_hash_map.h>

#include "bench_map.h"

namespace
{
using map_key = uint64_t;
using map_value = uint64_t;
using map_type = oneapi::tbb::concurrent_hash_map<uint64_t, uint64_t>;
} // namespace

#include "rivals/map_own.hpp"

namespace
{
inline bool map_get(void *map, map_key key, map_value *value)
{
    map_type::const_accessor found;
    if (!static_cast<map_type *>(map)->find(found, key))
        return false;
    *value = found->second;
    return true;
}

inline void map_put(void *map, map_key key, const map_value *value)
{
    map_type::accessor place;
    static_cast<map_type *>(map)->insert(place, key);
    place->second = *value;
}

inline void map_remove(void *map, map_key key)
{
    static_cast<map_type *>(map)->erase(key);
}
} // namespace

#include "map_driver.h"

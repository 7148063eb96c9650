/* SPDX-License-Identifier: MIT */
/* map_boost_flat.cpp - boost::concurrent_flat_map, of Boost 1.83 and later. */
#define MAP_NAME boost_flat
#include <boost/unordered/concurrent_flat_map.hpp>
#include <boost/version.hpp>

#include "bench_map.h"

namespace
{
using map_key = uint64_t;
using map_value = uint64_t;
using map_type = boost::concurrent_flat_map<uint64_t, uint64_t>;
} // namespace

#include "rivals/map_own.hpp"

namespace
{
inline bool map_get(void *map, map_key key, map_value *value)
{
    return static_cast<map_type *>(map)->cvisit(
               key, [value](const auto &entry) { *value = entry.second; }) > 0;
}

inline void map_put(void *map, map_key key, const map_value *value)
{
    static_cast<map_type *>(map)->insert_or_assign(key, *value);
}

inline void map_remove(void *map, map_key key)
{
    static_cast<map_type *>(map)->erase(key);
}

#define MAP_BATCHES
inline size_t map_get_n(void *map, const map_key keys[], map_value values[],
                        size_t count)
{
#if BOOST_VERSION >= 108400
    /* Bulk visits come in any order: the sum stands for the values. */
    uint64_t sum = 0;
    size_t const found = static_cast<map_type *>(map)->cvisit(
        keys, keys + count, [&sum](const auto &entry) { sum += entry.second; });
    values[0] = sum;
    return found;
#else
    /* Before 1.84 there are single visits only. */
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += map_get(map, keys[i], &values[i]);
    return found;
#endif
}
} // namespace

#include "map_driver.h"

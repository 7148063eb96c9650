/* SPDX-License-Identifier: MIT */
/* map_boost_flat_bytes.cpp - boost::concurrent_flat_map of strings, looked up
 * without making one, with its own hash or with BOOST_FLAT_HASH. */
#ifndef MAP_NAME
#define MAP_NAME boost_flat_bytes
#endif
#define MAP_BYTE_KEYS
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/concurrent_flat_map.hpp>
#include <functional>

#include "rivals/map_bytes.hpp"

namespace
{
#ifndef BOOST_FLAT_HASH
#define BOOST_FLAT_HASH(text) boost::hash<std::string_view>{}(text)
#endif

struct hasher {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(std::string_view text) const
    {
        return BOOST_FLAT_HASH(text);
    }
};

using map_type =
    boost::concurrent_flat_map<std::string, map_value, hasher, std::equal_to<>>;
} // namespace

#include "rivals/map_own.hpp"

namespace
{
inline bool map_get(void *map, map_key key, map_value *value)
{
    return static_cast<map_type *>(map)->cvisit(
               view_of(key),
               [value](const auto &entry) { *value = entry.second; }) > 0;
}

inline void map_put(void *map, map_key key, const map_value *value)
{
    static_cast<map_type *>(map)->insert_or_assign(std::string(view_of(key)),
                                                   *value);
}

inline void map_remove(void *map, map_key key)
{
    static_cast<map_type *>(map)->erase(view_of(key));
}
} // namespace

#include "map_driver.h"

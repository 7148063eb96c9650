/* SPDX-License-Identifier: MIT */
/* map_libcuckoo_bytes.cpp - libcuckoo::cuckoohash_map of strings. */
#define MAP_NAME libcuckoo_bytes
#define MAP_BYTE_KEYS
#include <libcuckoo/cuckoohash_map.hh>

#include "rivals/map_bytes.hpp"

namespace
{
using map_type = libcuckoo::cuckoohash_map<std::string, map_value>;
} // namespace

#include "rivals/map_own.hpp"

namespace
{
inline bool map_get(void *map, map_key key, map_value *value)
{
    return static_cast<map_type *>(map)->find(std::string(view_of(key)),
                                              *value);
}

inline void map_put(void *map, map_key key, const map_value *value)
{
    static_cast<map_type *>(map)->insert_or_assign(std::string(view_of(key)),
                                                   *value);
}

inline void map_remove(void *map, map_key key)
{
    static_cast<map_type *>(map)->erase(std::string(view_of(key)));
}
} // namespace

#include "map_driver.h"

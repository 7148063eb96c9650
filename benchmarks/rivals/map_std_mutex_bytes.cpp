/* SPDX-License-Identifier: MIT */
/* map_std_mutex_bytes.cpp - what people write: std::unordered_map of strings
 * behind a mutex. */
#define MAP_NAME std_mutex_bytes
#define MAP_BYTE_KEYS
#include <mutex>
#include <unordered_map>

#include "rivals/map_bytes.hpp"

namespace
{
struct locked {
    std::mutex lock;
    std::unordered_map<std::string, map_value> map;
};

void *map_make(size_t expected)
{
    locked *const m = new locked;
    m->map.reserve(expected);
    return m;
}

void map_free(void *map)
{
    delete static_cast<locked *>(map);
}

inline bool map_get(void *map, map_key key, map_value *value)
{
    locked *const m = static_cast<locked *>(map);
    std::string const name(view_of(key));
    std::lock_guard<std::mutex> const guard(m->lock);
    auto const found = m->map.find(name);
    if (found == m->map.end())
        return false;
    *value = found->second;
    return true;
}

inline void map_put(void *map, map_key key, const map_value *value)
{
    locked *const m = static_cast<locked *>(map);
    std::string name(view_of(key));
    std::lock_guard<std::mutex> const guard(m->lock);
    m->map.insert_or_assign(std::move(name), *value);
}

inline void map_remove(void *map, map_key key)
{
    locked *const m = static_cast<locked *>(map);
    std::string const name(view_of(key));
    std::lock_guard<std::mutex> const guard(m->lock);
    m->map.erase(name);
}
} // namespace

#include "map_driver.h"

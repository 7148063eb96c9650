/* SPDX-License-Identifier: MIT */
/* map_std_mutex.cpp - what people write: std::unordered_map behind a mutex. */
#define MAP_NAME std_mutex
#include <mutex>
#include <unordered_map>

#include "bench_map.h"

namespace
{
using map_key = uint64_t;
using map_value = uint64_t;

struct locked {
    std::mutex lock;
    std::unordered_map<uint64_t, uint64_t> map;
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
    std::lock_guard<std::mutex> const guard(m->lock);
    auto const found = m->map.find(key);
    if (found == m->map.end())
        return false;
    *value = found->second;
    return true;
}

inline void map_put(void *map, map_key key, const map_value *value)
{
    locked *const m = static_cast<locked *>(map);
    std::lock_guard<std::mutex> const guard(m->lock);
    m->map.insert_or_assign(key, *value);
}

inline void map_remove(void *map, map_key key)
{
    locked *const m = static_cast<locked *>(map);
    std::lock_guard<std::mutex> const guard(m->lock);
    m->map.erase(key);
}
} // namespace

#include "map_driver.h"

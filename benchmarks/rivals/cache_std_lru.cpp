/* SPDX-License-Identifier: MIT */
/* cache_std_lru.cpp - what people write: std::list and std::unordered_map
 * behind a mutex, the entry that was used last in front. */
#include <cstring>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "bench_cache.h"

namespace
{
struct lru {
    typedef std::list<std::pair<std::string, map_bytes_value>> entries;
    std::mutex lock;
    entries list;
    std::unordered_map<std::string, entries::iterator> index;
    size_t max;
};

void *make(size_t keys)
{
    lru *const c = new lru;
    c->max = keys;
    c->index.reserve(keys);
    return c;
}

void release(void *cache)
{
    delete static_cast<lru *>(cache);
}

void put(void *cache, map_bytes_key key, const map_bytes_value *value)
{
    lru *const c = static_cast<lru *>(cache);
    std::string name(key.data, key.size);
    std::lock_guard<std::mutex> const guard(c->lock);
    auto const found = c->index.find(name);
    if (found != c->index.end()) {
        found->second->second = *value;
        c->list.splice(c->list.begin(), c->list, found->second);
        return;
    }
    if (c->index.size() == c->max) {
        c->index.erase(c->list.back().first);
        c->list.pop_back();
    }
    c->list.emplace_front(name, *value);
    c->index.emplace(std::move(name), c->list.begin());
}

bool get(void *cache, map_bytes_key key, uint64_t *first)
{
    lru *const c = static_cast<lru *>(cache);
    std::string const name(key.data, key.size);
    std::lock_guard<std::mutex> const guard(c->lock);
    auto const found = c->index.find(name);
    if (found == c->index.end())
        return false;
    c->list.splice(c->list.begin(), c->list, found->second);
    std::memcpy(first, found->second->second.data, sizeof *first);
    return true;
}
} // namespace

extern "C" const cache_contestant cache_std_lru = {make, release, put, get};

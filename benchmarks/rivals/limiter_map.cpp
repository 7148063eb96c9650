/* SPDX-License-Identifier: MIT */
/* limiter_map.cpp - what people write: token buckets in a std::unordered_map,
 * split over 64 mutexes. */
#include "bench_limiter.h"

#include <array>
#include <mutex>
#include <unordered_map>

namespace
{
struct bucket {
    double tokens;
    int64_t last_ns;
};

struct alignas(64) shard {
    std::mutex lock;
    std::unordered_map<uint64_t, bucket> buckets;
};

using shards = std::array<shard, 64>;
constexpr double burst = 100, per_ns = 1e-6;
} // namespace

void *limiter_map_make(size_t keys)
{
    shards *const all = new shards;
    for (shard &one : *all)
        one.buckets.reserve(keys / all->size() + 1);
    return all;
}

void limiter_map_free(void *map)
{
    delete static_cast<shards *>(map);
}

bool limiter_map_take(void *map, uint64_t key, int64_t now_ns)
{
    shard &one =
        (*static_cast<shards *>(map))[(key * 0x9e3779b97f4a7c15u) >> 58];
    std::lock_guard<std::mutex> const guard(one.lock);
    bucket &b =
        one.buckets.try_emplace(key, bucket{burst, now_ns}).first->second;
    double const earned = static_cast<double>(now_ns - b.last_ns) * per_ns;
    b.tokens = b.tokens + earned < burst ? b.tokens + earned : burst;
    b.last_ns = now_ns;
    if (b.tokens < 1)
        return false;
    b.tokens -= 1;
    return true;
}

// SPDX-License-Identifier: MIT
// one_lock.cpp - the service as it is written today: one mutex, std containers.
//
// No straw man: keys are views into the text (nothing is allocated to look one
// up), a worker takes a request out and serves it in one critical section, and
// nobody is woken while the mutex is held. "lock batched" shows what the same
// code gains from batches alone: one lock for each batch and not each request.
#include "spike_service.h"

#include <pthread.h>

#include <algorithm>
#include <deque>
#include <new>
#include <string_view>
#include <unordered_map>

namespace
{

struct token_bucket {
    std::uint64_t tokens;
    std::int64_t last_ns;
};

struct url_total {
    std::uint64_t hits;
    std::uint64_t bytes;
};

struct service {
    explicit service(const spike_config &c) : config(c)
    {
    }

    const spike_config config;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
    pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
    // All below: under the lock.
    bool closed = false;
    std::deque<spike_request *> queue;
    std::unordered_map<std::string_view, token_bucket> clients;
    std::unordered_map<std::string_view, url_total> urls;
};

class guard
{
  public:
    explicit guard(service &s) : lock_(&s.lock)
    {
        pthread_mutex_lock(lock_);
    }
    ~guard()
    {
        pthread_mutex_unlock(lock_);
    }
    guard(const guard &) = delete;
    guard &operator=(const guard &) = delete;

  private:
    pthread_mutex_t *lock_;
};

// A token bucket that refills `burst` tokens a minute.
bool take_token(service &s, std::string_view client)
{
    const spike_config &c = s.config;
    const auto [at, fresh] =
        s.clients.try_emplace(client, token_bucket{c.burst, c.now_ns});
    token_bucket &bucket = at->second;
    if (!fresh && c.now_ns > bucket.last_ns) {
        const double refill = static_cast<double>(c.now_ns - bucket.last_ns) /
                              60e9 * static_cast<double>(c.burst);
        const double room = static_cast<double>(c.burst - bucket.tokens);
        bucket.tokens += static_cast<std::uint64_t>(std::min(refill, room));
        bucket.last_ns = c.now_ns;
    }
    if (bucket.tokens == 0)
        return false;
    bucket.tokens--;
    return true;
}

void serve(service &s, spike_worker &worker, const spike_request &request)
{
    const access_entry &e = request.entry;
    if (take_token(s, {e.client, e.client_size}))
        worker.admitted++;
    else
        worker.limited++;
    url_total &total = s.urls[{e.url, e.url_size}];
    total.hits++;
    total.bytes += e.bytes;
}

girt_status create(void **out, const spike_config *config)
{
    service *const s = new (std::nothrow) service(*config);
    if (s == nullptr)
        return GIRT_E_NOMEM;
    *out = s;
    return GIRT_OK;
}

girt_status push(void *context, spike_request *const requests[],
                 std::size_t count)
try {
    service &s = *static_cast<service *>(context);
    for (std::size_t pushed = 0; pushed < count;) {
        {
            const guard hold(s);
            while (s.queue.size() >= s.config.capacity && !s.closed)
                pthread_cond_wait(&s.not_full, &s.lock);
            if (s.closed)
                return GIRT_CLOSED;
            while (pushed < count && s.queue.size() < s.config.capacity)
                s.queue.push_back(requests[pushed++]);
        }
        pthread_cond_signal(&s.not_empty);
    }
    return GIRT_OK;
} catch (const std::bad_alloc &) {
    return GIRT_E_NOMEM;
}

void close(void *context)
{
    service &s = *static_cast<service *>(context);
    {
        const guard hold(s);
        s.closed = true;
    }
    pthread_cond_broadcast(&s.not_empty);
    pthread_cond_broadcast(&s.not_full);
}

girt_status work(void *context, spike_worker *worker)
try {
    service &s = *static_cast<service *>(context);
    spike_request *batch[SPIKE_BATCH_MAX];
    for (;;) {
        std::size_t count = 0;
        {
            const guard hold(s);
            while (s.queue.empty() && !s.closed)
                pthread_cond_wait(&s.not_empty, &s.lock);
            if (s.queue.empty())
                return GIRT_OK;
            while (count < s.config.batch && !s.queue.empty()) {
                batch[count] = s.queue.front();
                s.queue.pop_front();
                serve(s, *worker, *batch[count++]);
            }
        }
        pthread_cond_signal(&s.not_full);
        spike_served(worker, batch, count);
    }
} catch (const std::bad_alloc &) {
    return GIRT_E_NOMEM;
}

girt_status each_url(void *context, spike_see_url *see, void *see_context)
{
    service &s = *static_cast<service *>(context);
    for (const auto &[url, total] : s.urls) {
        if (!see(see_context, 0, url.data(), url.size(), total.hits,
                 total.bytes))
            break;
    }
    return GIRT_OK;
}

void destroy(void *context)
{
    service *const s = static_cast<service *>(context);
    if (s == nullptr)
        return;
    pthread_cond_destroy(&s->not_full);
    pthread_cond_destroy(&s->not_empty);
    pthread_mutex_destroy(&s->lock);
    delete s;
}

} // namespace

extern "C" const spike_way spike_one_lock = {
    "one lock", 1, false, create, push, close, work, each_url, destroy,
};

extern "C" const spike_way spike_lock_batched = {
    "lock batched", 0, false, create, push, close, work, each_url, destroy,
};

// SPDX-License-Identifier: MIT
// Goal: girt::cache holds values by scope, and loaders may throw.
// Method: each call; loaders that bring, find nothing and throw, alone and
// with others waiting; a save and restore through a file.
#include "support/check.hpp"

extern "C" {
#include "support/failing.h"
}

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;

static void values_are_held_by_scope(void **)
{
    std::vector<std::string> evicted;
    girt::cache_options options;
    options.bytes_max = 1 << 20;
    options.on_evict = [&](girt::bytes key, girt::bytes value) {
        evicted.push_back(std::string(key.text()) + "=" +
                          std::string(value.text()));
    };
    girt::cache cache(options);
    assert_false(cache.find("a").has_value());
    cache.put("a", "old");
    std::optional<girt::cached> held = cache.find("a");
    assert_true(held->text() == "old");
    assert_false(held->stale());
    cache.put("a", std::vector<int>{1, 2, 3});
    assert_true(held->text() == "old"); // as long as it is held
    assert_int_equal(cache.find("a")->value().size(), 3 * sizeof(int));
    girt::cached moved = std::move(*held);
    held.reset();
    assert_true(moved.text() == "old");
    assert_true(cache.remove("a"));
    assert_false(cache.remove("a"));
    assert_int_equal(evicted.size(), 2);
    assert_true(evicted[0] == "a=old");
    cache.put("b", "x");
    cache.clear();
    assert_int_equal(cache.stats().entries, 0);
    assert_int_equal(evicted.size(), 3);
}

static void loaders_bring_values(void **)
{
    girt::cache cache(1 << 20);
    int runs = 0;
    for (int i = 0; i < 3; i++) {
        auto const value = cache.load("key", [&](girt::bytes key) {
            runs++;
            return girt::loaded{std::string(key.text()) + "!", 0s};
        });
        assert_true(value->text() == "key!");
    }
    assert_int_equal(runs, 1);
    assert_false(cache
                     .load("none",
                           [](girt::bytes) -> std::optional<girt::loaded> {
                               return std::nullopt;
                           })
                     .has_value());
    auto const empty =
        cache.load("empty", [](girt::bytes) { return girt::loaded{}; });
    assert_int_equal(empty->value().size(), 0);
    check_throws(cache.load("ttl",
                            [](girt::bytes) {
                                return girt::loaded{"x", -1s};
                            }),
                 GIRT_E_INVALID);
    check_throws(cache.load("own",
                            [&](girt::bytes) {
                                cache.load("own", [](girt::bytes) {
                                    return girt::loaded{"x", 0s};
                                });
                                return girt::loaded{"y", 0s};
                            }),
                 GIRT_E_BUSY);
}

// The loader throws while others wait for it: it gets its exception, they the
// failure.
static void a_thrown_loader_leaves_nobody_waiting(void **)
{
    girt::cache cache(1 << 20);
    std::atomic<int> own{0}, told{0};
    std::mutex mutex;
    std::condition_variable started;
    bool loading = false;
    std::thread loader([&] {
        try {
            cache.load("key", [&](girt::bytes) -> girt::loaded {
                {
                    std::lock_guard lock(mutex);
                    loading = true;
                }
                started.notify_all();
                while (cache.stats().joined < 3)
                    std::this_thread::yield();
                throw std::runtime_error("no backend");
            });
        } catch (const std::runtime_error &) {
            own++;
        }
    });
    {
        std::unique_lock lock(mutex);
        started.wait(lock, [&] { return loading; });
    }
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; i++)
        waiters.emplace_back([&] {
            try {
                cache.load("key", [](girt::bytes) { return girt::loaded{}; });
            } catch (const girt::error &failure) {
                told += failure.status() == GIRT_E_IO;
            }
        });
    loader.join();
    for (std::thread &waiter : waiters)
        waiter.join();
    assert_int_equal(own, 1);
    assert_int_equal(told, 3);
    // A girt::error keeps its own status.
    check_throws(cache.load("key",
                            [](girt::bytes) -> girt::loaded {
                                throw girt::error(GIRT_E_PROTOCOL);
                            }),
                 GIRT_E_PROTOCOL);
}

// What a loader throws is no reason to lose the old value, nor to keep it for
// ever.
static void a_stale_value_serves_while_loaders_throw(void **)
{
    failing memory;
    failing_init(&memory);
    std::int64_t time = 0;
    girt::cache_options options;
    options.ttl = std::chrono::duration<double>(1.0);
    options.stale = 10s;
    options.allocator = &memory.allocator;
    girt_clock_manual(&options.clock, &time);
    {
        girt::cache cache(options);
        cache.put("key", "old");
        time = 2000000000;
        std::optional<girt::cached> const value =
            cache.load("key", [](girt::bytes) -> girt::loaded { throw 5; });
        assert_true(value->text() == "old");
        assert_true(value->stale());
    }
    assert_int_equal(memory.live_blocks, 0);
}

// Nothing was loaded, whatever a loader's exception says.
static void a_thrown_outcome_is_a_failure(void **)
{
    girt::cache cache(1 << 20);
    for (girt::status outcome : {GIRT_OK, GIRT_MISSING, GIRT_TIMEOUT}) {
        int caught = 0;
        try {
            cache.load("key", [&](girt::bytes) -> girt::loaded {
                throw girt::error(outcome);
            });
        } catch (const girt::error &failure) {
            caught++;
            check_status(failure.status(), outcome);
        }
        assert_int_equal(caught, 1);
        assert_false(cache.find("key").has_value());
    }
    assert_int_equal(cache.stats().load_failures, 3);
}

static void snapshots_pass_through_files(void **)
{
    std::FILE *const file = std::tmpfile();
    assert_non_null(file);
    girt::cache first(1 << 20), second(1 << 20);
    first.put("a", "1");
    first.save(fileno(file));
    assert_true(lseek(fileno(file), 0, SEEK_SET) == 0);
    second.restore(fileno(file));
    assert_true(second.find("a")->text() == "1");
    check_throws(second.restore(fileno(file)), GIRT_E_CORRUPT); // at its end
    std::fclose(file);
    check_throws(first.save(-1), GIRT_E_INVALID);
}

static void failures_are_reported(void **)
{
    girt::cache_options options;
    options.ttl = -1s;
    check_throws(girt::cache(options), GIRT_E_INVALID);
    options.ttl = std::chrono::duration<double>(-0.5);
    check_throws(girt::cache(options), GIRT_E_INVALID);
    std::error_code code;
    girt::cache none(options, code);
    assert_true(code == GIRT_E_INVALID);
    check_throws(none.find("a"), GIRT_E_INVALID);
    options = {};
    options.name = std::string("a\0b", 3);
    check_throws(girt::cache(options), GIRT_E_INVALID);
    girt::cache cache(1 << 16);
    std::string const large(1 << 16, 'x');
    check_throws(cache.put("a", large), GIRT_E_TOO_LARGE);
    cache.put("a", large, 0s, code);
    assert_true(code == GIRT_E_TOO_LARGE);
    cache.put("a", "small", 1s, code);
    assert_false(bool(code));
    cache.set_jitter(0.5);
    check_throws(cache.set_jitter(2), GIRT_E_INVALID);
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(values_are_held_by_scope),
        cmocka_unit_test(loaders_bring_values),
        cmocka_unit_test(a_thrown_loader_leaves_nobody_waiting),
        cmocka_unit_test(a_stale_value_serves_while_loaders_throw),
        cmocka_unit_test(a_thrown_outcome_is_a_failure),
        cmocka_unit_test(snapshots_pass_through_files),
        cmocka_unit_test(failures_are_reported),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}

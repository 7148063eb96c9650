// SPDX-License-Identifier: MIT
// Goal: girt::ring, girt::workers, girt::epoch and girt::retire do what their C
// does, with C++ strings and functions.
// Method: each call, its way to say no, and objects that count themselves.
#include "support/check.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;

static void rings_find_nodes_by_name(void **)
{
    girt::ring ring;
    assert_false(ring.find("key").has_value());
    ring.set({{"a", 1}, {"b", 2}, {"c", 1}});
    assert_int_equal(ring.size(), 3);
    uint32_t const owner = *ring.find("key");
    std::vector<uint32_t> const order = ring.find_n("key", 10);
    assert_int_equal(order.size(), 3);
    assert_int_equal(order[0], owner);
    assert_int_equal(std::set<uint32_t>(order.begin(), order.end()).size(), 3);
    std::string const name = *ring.name(owner);
    assert_true(ring.share("a") + ring.share("b") + ring.share("c") > 0.999);
    assert_true(ring.remove(name));
    assert_false(ring.remove(name));
    assert_int_equal(*ring.find("key"), order[1]); // the next in order
    assert_true(ring.add(name, 1));
    assert_false(ring.add(name, 3)); // a new weight
    assert_false(ring.name(99).has_value());
    check_throws(ring.add(""), GIRT_E_INVALID);
    check_throws(ring.add(std::string("a\0b", 3)), GIRT_E_INVALID);
    check_throws(ring.set({{"x", 1}, {"x", 1}}), GIRT_E_INVALID);
    assert_int_equal(ring.size(), 3);
    girt::ring_options options;
    options.bound = 0.5;
    check_throws(girt::ring(options), GIRT_E_INVALID);
    std::error_code code;
    girt::ring none(options, code);
    assert_true(code == GIRT_E_INVALID);
}

static void loads_come_back(void **)
{
    girt::ring_options options;
    options.bound = 1.0;
    girt::ring ring(options);
    assert_false(ring.acquire("key").has_value());
    ring.set({{"a", 1}, {"b", 1}});
    for (int i = 0; i < 5; i++) {
        std::optional<girt::ring::load> const first = ring.acquire("key");
        girt::ring::load second = *ring.acquire("key");
        // With both nodes bound to their share the second goes elsewhere.
        assert_int_not_equal(first->id(), second.id());
        girt::ring::load const moved = std::move(second);
        assert_int_equal(moved.id(), second.id());
    }
    assert_int_equal(ring.acquire("key")->id(), *ring.find("key"));
}

static void workers_run_functions(void **)
{
    std::atomic<int> sum{0};
    {
        girt::workers_options options;
        options.threads = 2;
        girt::workers pool(options);
        for (int i = 1; i <= 100; i++)
            check_status(pool.submit([&sum, number = std::make_unique<int>(i)] {
                sum += *number;
            }),
                         GIRT_OK);
        check_status(pool.drain(), GIRT_OK);
        assert_int_equal(sum, 5050);
        auto const kept = [&sum] { sum++; };
        check_status(pool.submit(kept, 1s), GIRT_OK);
        std::atomic<girt_status> inside{GIRT_OK};
        check_status(pool.submit([&] {
            try {
                static_cast<void>(pool.drain());
            } catch (const girt::error &failure) {
                inside = failure.status();
            }
        }),
                     GIRT_OK);
        check_status(pool.drain(), GIRT_OK);
        check_status(inside, GIRT_E_BUSY);
    }
    assert_int_equal(sum, 5051);
    girt::workers_options bad;
    bad.threads = SIZE_MAX;
    std::error_code code;
    girt::workers none(bad, code);
    assert_true(bool(code));
    struct counting {
        std::unique_ptr<counted> item;
        void operator()() const
        {
        }
    } task{std::make_unique<counted>(1)};
    // What was refused is still the caller's.
    check_status(none.submit(std::move(task)), GIRT_E_INVALID);
    std::function<void()> const constant = [] {};
    check_status(none.submit(std::move(constant)), GIRT_E_INVALID);
    assert_true(bool(constant));
    assert_int_equal(task.item->number(), 1);
}

static void retired_objects_are_deleted(void **)
{
    {
        girt::epoch const section;
        girt::retire(new counted(1));
        girt::retire(static_cast<counted *>(nullptr));
        assert_int_equal(counted::alive, 1);
    }
    girt_epoch_barrier();
    assert_int_equal(counted::alive, 0);
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(rings_find_nodes_by_name),
        cmocka_unit_test(loads_come_back),
        cmocka_unit_test(workers_run_functions),
        cmocka_unit_test(retired_objects_are_deleted),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}

// SPDX-License-Identifier: MIT
// Goal: girt::map and girt::map64 answer as the C maps do, for string and
// number keys, and exceptions of the caller's functions come out unharmed.
// Method: each call, its way to say no, and throwing functions.
#include "support/check.hpp"

#include <cerrno>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct point {
    double x, y;
    short tag;
};

static void strings_are_keys(void **)
{
    girt::map<std::string, point> map;
    assert_false(map.find("a").has_value());
    map.put("a", {1, 2, 3});
    std::string const with_nul("a\0b", 3);
    map.put(with_nul, {4, 5, 6});
    assert_true(map.find("a")->x == 1);
    assert_true(map.find(with_nul)->tag == 6);
    assert_true(map.contains(std::string_view("abc", 1)));
    assert_false(map.add("a", {7, 8, 9}));
    assert_true(map.add("b", {7, 8, 9}));
    assert_int_equal(map.size(), 3);
    assert_true(map.memory() > 0);
    assert_true(map.remove("a")->y == 2);
    assert_false(map.remove("a").has_value());
    double seen = 0;
    assert_true(map.view("b", [&](const point &p) { seen = p.y; }));
    assert_true(seen == 8);
    assert_false(map.view("nothing", [](const point &) {}));
}

static void numbers_and_structs_are_keys(void **)
{
    struct edge {
        int from, to;
    };
    girt::map<edge, int> map;
    map.put({1, 2}, 12);
    map.put({2, 1}, 21);
    assert_int_equal(*map.find({1, 2}), 12);
    std::map<int, int> shown;
    map.each([&](const edge &key, int value) {
        shown[value] = key.from * 10 + key.to;
    });
    assert_int_equal(shown.size(), 2);
    assert_int_equal(shown[12], 12);
    assert_int_equal(shown[21], 21);
    int visits = 0;
    map.each([&](const edge &, int) {
        visits++;
        return false;
    });
    assert_int_equal(visits, 1);
}

static void updates_are_atomic(void **)
{
    girt::map<std::string, long> counts;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([&] {
            for (int i = 0; i < 2000; i++)
                counts.update("hits", [](long &value, bool) { value++; });
        });
    for (std::thread &thread : threads)
        thread.join();
    assert_int_equal(*counts.find("hits"), 8000);
    check_status(counts.update("hits",
                               [](long &, bool present) {
                                   assert_true(present);
                                   return GIRT_MAP_REMOVE;
                               }),
                 GIRT_OK);
    check_status(counts.update("hits",
                               [](long &value, bool present) {
                                   assert_false(present);
                                   assert_int_equal(value, 0);
                                   return GIRT_MAP_KEEP;
                               }),
                 GIRT_MISSING);
    assert_int_equal(counts.size(), 0);
}

static void exceptions_come_out_and_change_nothing(void **)
{
    girt::map<std::string, int> map;
    map.put("a", 1);
    map.put("b", 2);
    int caught = 0;
    try {
        map.update("a", [](int &value, bool) {
            value = 99;
            throw std::runtime_error("update");
        });
    } catch (const std::runtime_error &) {
        caught++;
    }
    assert_int_equal(*map.find("a"), 1);
    int visits = 0;
    try {
        map.each([&](std::string_view, int) {
            visits++;
            throw std::runtime_error("each");
        });
    } catch (const std::runtime_error &) {
        caught++;
    }
    assert_int_equal(visits, 1);
    try {
        map.view("a", [](int) { throw 5; });
    } catch (int) {
        caught++;
    }
    girt::map64 numbers;
    numbers.put(1, 1);
    try {
        numbers.each([](uint64_t, uint64_t) { throw 5; });
    } catch (int) {
        caught++;
    }
    assert_int_equal(caught, 4);
}

static void map64_does_what_its_c_does(void **)
{
    girt::map64 map(1000);
    assert_false(map.find(0).has_value());
    map.put(0, 7);
    assert_int_equal(*map.find(0), 7);
    assert_false(map.add(0, 8));
    assert_true(map.add(1, 8));
    assert_int_equal(map.increase(1, 2), 10);
    assert_int_equal(map.increase(2), 1);
    check_status(map.exchange(2, 1, 5), GIRT_OK);
    check_status(map.exchange(3, 1, 5), GIRT_MISSING);
    uint64_t const keys[] = {0, 1, 2, 3};
    uint64_t values[4];
    bool found[4];
    assert_int_equal(map.find_n(keys, values, found, 4), 3);
    assert_true(found[2] && values[2] == 5 && !found[3]);
    assert_int_equal(*map.remove(2), 5);
    assert_false(map.remove(2).has_value());
    uint64_t sum = 0;
    map.each([&](uint64_t, uint64_t value) { sum += value; });
    assert_int_equal(sum, 17);
    assert_int_equal(map.size(), 2);
    assert_true(map.memory() > 0);
    girt::map64 moved = std::move(map);
    assert_false(bool(map));
    assert_true(bool(moved));
    check_throws(map.find(1), GIRT_E_INVALID);
}

static void failures_are_reported(void **)
{
    girt::map_options options;
    options.expected = SIZE_MAX;
    check_throws((girt::map<int, int>(options)), GIRT_E_TOO_LARGE);
    std::error_code code;
    girt::map<int, int> none(options, code);
    assert_true(code == GIRT_E_TOO_LARGE);
    assert_true(code == std::errc::value_too_large);
    assert_string_equal(code.category().name(), "girt");
    assert_string_equal(code.message().c_str(),
                        girt_status_text(GIRT_E_TOO_LARGE));
    none.put(1, 1, code);
    assert_true(code == GIRT_E_INVALID);
    girt::map<int, int> map;
    map.put(1, 1, code);
    assert_false(bool(code));
    girt::map<std::string, int> strings;
    strings.put(std::string(70000, 'k'), 1, code);
    assert_true(code == GIRT_E_TOO_LARGE);
    check_throws(strings.add(std::string(70000, 'k'), 1), GIRT_E_TOO_LARGE);
    assert_false(strings.add(std::string(70000, 'k'), 1, code));
    girt::map64 too_large(SIZE_MAX, code);
    assert_true(bool(code));
    assert_false(bool(too_large));
    std::error_code const busy = GIRT_E_BUSY;
    assert_true(busy == std::errc::device_or_resource_busy);
    assert_true(std::error_code(GIRT_E_NOMEM) == std::errc::not_enough_memory);
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_keys),
        cmocka_unit_test(numbers_and_structs_are_keys),
        cmocka_unit_test(updates_are_atomic),
        cmocka_unit_test(exceptions_come_out_and_change_nothing),
        cmocka_unit_test(map64_does_what_its_c_does),
        cmocka_unit_test(failures_are_reported),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}

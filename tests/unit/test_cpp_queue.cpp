// SPDX-License-Identifier: MIT
// Goal: girt::queue, girt::spsc and girt::mpmc move every kind of item without
// losing, copying or leaking one.
// Method: items that count themselves, in each way in and out, through refusals
// and the queue's end.
#include "support/check.hpp"

#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static void unique_pointers_pass_through(void **)
{
    girt::queue<std::unique_ptr<counted>> queue(2);
    auto item = std::make_unique<counted>(1);
    counted *const address = item.get();
    check_status(queue.push(std::move(item)), GIRT_OK);
    assert_null(item.get());
    assert_true(queue.try_push(std::make_unique<counted>(2)));
    assert_int_equal(queue.size(), 2);
    assert_int_equal(queue.capacity(), 2);

    auto refused = std::make_unique<counted>(3);
    check_status(queue.push(std::move(refused), girt::now), GIRT_FULL);
    assert_int_equal(refused->number(), 3); // still the caller's
    check_status(queue.push(std::move(refused), 1us), GIRT_TIMEOUT);
    assert_int_equal(refused->number(), 3);

    std::optional<std::unique_ptr<counted>> first = queue.pop();
    assert_ptr_equal(first->get(), address);
    assert_int_equal((*queue.try_pop())->number(), 2);
    girt::status why = GIRT_OK;
    assert_false(queue.pop(girt::now, &why).has_value());
    check_status(why, GIRT_EMPTY);
    assert_false(queue.pop(1us, &why).has_value());
    check_status(why, GIRT_TIMEOUT);
    queue.close();
    assert_false(queue.pop(girt::forever, &why).has_value());
    check_status(why, GIRT_CLOSED);
    check_status(queue.push(std::move(refused)), GIRT_CLOSED);
    assert_int_equal(refused->number(), 3);
}

static void larger_values_are_boxed(void **)
{
    girt::queue<counted> queue(2);
    counted value(7);
    check_status(queue.push(std::move(value)), GIRT_OK);
    assert_int_equal(value.number(), -1);
    check_status(queue.push(counted(8)), GIRT_OK);
    counted refused(9);
    check_status(queue.push(std::move(refused), girt::now), GIRT_FULL);
    assert_int_equal(refused.number(), 9);
    assert_int_equal(queue.pop()->number(), 7);

    girt::queue<std::string> strings(4);
    std::string const text(100, 'x');
    check_status(strings.push(text), GIRT_OK); // a copy
    assert_true(strings.pop() == text);
}

static void small_values_are_the_word_itself(void **)
{
    struct pair {
        short a;
        int b;
    };
    girt::queue<pair> queue(4);
    check_status(queue.push(pair{-3, 1000000}), GIRT_OK);
    std::optional<pair> const out = queue.pop();
    assert_int_equal(out->a, -3);
    assert_int_equal(out->b, 1000000);

    int number = 5;
    girt::queue<int *> pointers(4);
    check_status(pointers.push(&number), GIRT_OK);
    check_status(pointers.push(nullptr), GIRT_OK);
    assert_ptr_equal(*pointers.pop(), &number);
    assert_null(*pointers.pop());
    girt::queue<double> doubles(4);
    check_status(doubles.push(-0.25), GIRT_OK);
    assert_true(doubles.pop() == -0.25);
}

static void what_is_left_is_destroyed(void **)
{
    assert_int_equal(counted::alive, 0);
    {
        girt::queue<counted> boxed(8);
        girt::queue<std::unique_ptr<counted>> unique(8);
        girt::spsc<std::unique_ptr<counted>> spsc(8);
        girt::mpmc<counted> mpmc(8);
        for (int i = 0; i < 5; i++) {
            check_status(boxed.push(counted(i)), GIRT_OK);
            check_status(unique.push(std::make_unique<counted>(i)), GIRT_OK);
            assert_true(spsc.try_push(std::make_unique<counted>(i)));
            assert_true(mpmc.try_push(counted(i)));
        }
        assert_int_equal(counted::alive, 20);
        boxed = girt::queue<counted>(1);
        assert_int_equal(counted::alive, 15);
        spsc = girt::spsc<std::unique_ptr<counted>>(1);
        assert_int_equal(counted::alive, 10);
    }
    assert_int_equal(counted::alive, 0);
}

static void dropped_items_are_given_or_destroyed(void **)
{
    std::vector<int> dropped;
    {
        girt::queue_options<std::unique_ptr<counted>> options;
        options.capacity = 2;
        options.drop_oldest = true;
        girt::queue<std::unique_ptr<counted>> silent(options);
        options.dropped = [&](std::unique_ptr<counted> item) {
            dropped.push_back(item->number());
        };
        girt::queue<std::unique_ptr<counted>> telling(options);
        // A queue that moves still tells.
        girt::queue<std::unique_ptr<counted>> moved(std::move(telling));
        assert_false(bool(telling));
        for (int i = 0; i < 5; i++) {
            check_status(silent.push(std::make_unique<counted>(i)), GIRT_OK);
            check_status(moved.push(std::make_unique<counted>(i)), GIRT_OK);
        }
        assert_int_equal(counted::alive, 4);
        assert_true((dropped == std::vector<int>{0, 1, 2}));
    }
    assert_true((dropped == std::vector<int>{0, 1, 2, 3, 4}));
    assert_int_equal(counted::alive, 0);
}

static void batches_move_what_fits(void **)
{
    girt::queue<counted> queue(100);
    std::vector<counted> in;
    for (int i = 0; i < 150; i++)
        in.emplace_back(i);
    assert_int_equal(queue.push_n(in.data(), in.size(), girt::now), 100);
    assert_int_equal(in[99].number(), -1);
    assert_int_equal(in[100].number(), 100); // the rest is the caller's
    assert_int_equal(in[149].number(), 149);
    std::vector<counted> out;
    assert_int_equal(queue.pop_n(out, 70), 70);
    assert_int_equal(queue.pop_n(out, SIZE_MAX), 30);
    assert_int_equal(queue.pop_n(out, 10, girt::now), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(out[size_t(i)].number(), i);

    girt::mpmc<counted> ring(100);
    in.clear();
    for (int i = 0; i < 150; i++)
        in.emplace_back(i);
    assert_int_equal(ring.try_push_n(in.data(), in.size()), 100);
    assert_int_equal(in[100].number(), 100);
    assert_int_equal(ring.try_pop_n(out.data(), 100), 100);
    assert_int_equal(out[99].number(), 99);
    assert_int_equal(ring.try_pop_n(out.data(), 1), 0);
}

static void iterating_pops_until_the_close(void **)
{
    girt::queue<int> queue(16);
    std::thread producer([&] {
        for (int i = 1; i <= 10000; i++)
            if (queue.push(i) != GIRT_OK)
                break;
        queue.close();
    });
    long sum = 0;
    for (int item : queue)
        sum += item;
    producer.join();
    assert_int_equal(sum, 10000L * 10001 / 2);
}

static void fast_queues_keep_what_they_refuse(void **)
{
    girt::spsc<counted> queue(1);
    assert_true(queue.try_push(counted(1)));
    counted refused(2);
    assert_false(queue.try_push(std::move(refused)));
    assert_int_equal(refused.number(), 2);
    counted out(0);
    assert_true(queue.try_pop(out));
    assert_int_equal(out.number(), 1);
    assert_false(queue.try_pop(out));
    assert_int_equal(out.number(), 1);
    assert_false(queue.try_pop().has_value());
    girt::mpmc<int> numbers(3);
    assert_true(numbers.try_push(5));
    assert_int_equal(numbers.size(), 1);
    assert_int_equal(numbers.capacity(), 3);
    assert_int_equal(*numbers.try_pop(), 5);
}

static void bad_options_are_reported(void **)
{
    girt::queue_options<int> options;
    options.bands = 99;
    check_throws(girt::queue<int>(options), GIRT_E_INVALID);
    std::error_code code;
    girt::queue<int> none(options, code);
    assert_true(code == GIRT_E_INVALID);
    assert_true(code == std::errc::invalid_argument);
    assert_false(bool(none));
    check_status(none.push(1, girt::now), GIRT_E_INVALID);
    options.bands = 4;
    girt::queue<int> made(options, code);
    assert_false(bool(code));
    check_status(made.push_band(3, 33, girt::now), GIRT_OK);
    check_status(made.push_band(0, 11, girt::now), GIRT_OK);
    check_status(made.push_band(4, 44, girt::now), GIRT_E_INVALID);
    assert_int_equal(*made.pop(), 11);
    assert_true(made.fd() >= 0);
    check_throws(girt::spsc<int>(0), GIRT_E_INVALID);
    options.name = std::string("a\0b", 3);
    check_throws(girt::queue<int>(options), GIRT_E_INVALID);
    girt::mpmc<int> nothing(0, code);
    assert_true(code == GIRT_E_INVALID);
    assert_false(bool(nothing));
}

// A function that memory runs out for when it is copied.
struct heavy {
    bool *fails;

    explicit heavy(bool *does) : fails(does)
    {
    }
    heavy(const heavy &other) : fails(other.fails)
    {
        if (*fails)
            throw std::bad_alloc();
    }
    void operator()(int) const
    {
    }
};

static void hooks_without_memory_are_reported(void **)
{
    bool fails = false;
    girt::queue_options<int> options;
    options.dropped = heavy(&fails);
    fails = true;
    std::error_code code;
    girt::queue<int> none(options, code);
    assert_true(code == GIRT_E_NOMEM);
    assert_false(bool(none));
    check_throws(girt::queue<int>(options), GIRT_E_NOMEM);
}

// Appending to one vector copies each item a bounded number of times.
static void appended_batches_do_not_copy_all(void **)
{
    girt::queue<int> queue(8);
    std::vector<int> all;
    std::size_t moves = 0;
    for (int i = 0; i < 1000; i++) {
        check_status(queue.push(i), GIRT_OK);
        std::size_t const before = all.capacity();
        assert_int_equal(queue.pop_n(all, 8), 1);
        moves += all.capacity() != before;
    }
    assert_true(moves < 20);
    assert_int_equal(all.back(), 999);
}

static void any_duration_is_a_time_limit(void **)
{
    assert_int_equal(girt::timeout(1s).ns(), 1000000000);
    assert_int_equal(girt::timeout(-5s).ns(), 0);
    assert_true(girt::timeout(std::chrono::hours::max()).ns() == GIRT_FOREVER);
    assert_true(girt::timeout(girt::forever).ns() == GIRT_FOREVER);
    assert_int_equal(girt::timeout(std::chrono::duration<double>(0.5)).ns(),
                     500000000);
    assert_int_equal(
        girt::timeout(std::chrono::duration<double>(
                          std::numeric_limits<double>::quiet_NaN()))
            .ns(),
        0);
    assert_int_equal(girt::timeout(std::chrono::duration<double>(0.3)).ns(),
                     300000000);
    assert_int_equal(girt::timeout(std::chrono::duration<float>(0.25f)).ns(),
                     250000000);
    // A float below 2^63 ns whose nanoseconds, as a float, are 2^63.
    float const edge = 9223371776.0f;
    assert_true(girt::timeout(std::chrono::duration<float>(edge)).ns() ==
                9223371776000000000);
    for (double most : {9223372036.854774, 9223372036.854775, 9223372036.8548,
                        1e300, std::numeric_limits<double>::infinity()}) {
        assert_true(girt::timeout(std::chrono::duration<double>(most)).ns() >
                    9223372036000000000);
        assert_true(
            girt::timeout(std::chrono::duration<long double>(most)).ns() >
            9223372036000000000);
    }
    assert_int_equal(
        girt::timeout(std::chrono::duration<std::int64_t, std::pico>(1999))
            .ns(),
        1);
}

static void any_duration_is_a_length(void **)
{
    assert_int_equal(girt::duration().ns(), 0);
    assert_int_equal(girt::duration(2h).ns(), 7200000000000);
    assert_int_equal(girt::duration(-5ns).ns(), -5);
    assert_int_equal(girt::duration(std::chrono::duration<double>(0.5)).ns(),
                     500000000);
    assert_true(girt::duration(std::chrono::hours::max()).ns() == INT64_MAX);
    assert_true(girt::duration(std::chrono::hours::min()).ns() == INT64_MIN);
    assert_true(girt::duration(std::chrono::duration<double>(-1e300)).ns() ==
                INT64_MIN);
    // Whoever is given it refuses it.
    assert_true(girt::duration(std::chrono::duration<double>(
                                   std::numeric_limits<double>::quiet_NaN()))
                    .ns() < 0);
    std::chrono::nanoseconds const back = girt::duration(3ms);
    assert_true(back == 3ms);
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(unique_pointers_pass_through),
        cmocka_unit_test(larger_values_are_boxed),
        cmocka_unit_test(small_values_are_the_word_itself),
        cmocka_unit_test(what_is_left_is_destroyed),
        cmocka_unit_test(dropped_items_are_given_or_destroyed),
        cmocka_unit_test(batches_move_what_fits),
        cmocka_unit_test(iterating_pops_until_the_close),
        cmocka_unit_test(fast_queues_keep_what_they_refuse),
        cmocka_unit_test(bad_options_are_reported),
        cmocka_unit_test(hooks_without_memory_are_reported),
        cmocka_unit_test(appended_batches_do_not_copy_all),
        cmocka_unit_test(any_duration_is_a_time_limit),
        cmocka_unit_test(any_duration_is_a_length),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}

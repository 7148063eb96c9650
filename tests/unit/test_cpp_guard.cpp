// SPDX-License-Identifier: MIT
// Goal: girt::limiter, keyed_limiter, breaker and bulkhead decide as their C
// does, and what they lent comes back with the scope, thrown through or not.
// Method: manual clocks, scopes that end in each way.
#include "support/check.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

static void limiters_say_when(void **)
{
    int64_t time = 0;
    girt::limiter_options options;
    options.rate = girt::rate(10, 1s, 2);
    girt_clock_manual(&options.clock, &time);
    girt::limiter limiter(options);
    girt::decision decision = limiter.take();
    assert_true(bool(decision));
    assert_int_equal(decision.remaining(), 1);
    assert_true(limiter.try_take());
    assert_false(limiter.try_take());
    decision = limiter.take();
    assert_false(bool(decision));
    check_status(decision.status(), GIRT_LIMITED);
    assert_true(decision.retry_after() == 100ms);
    assert_true(decision.reset_after() == 200ms);
    std::string const headers = decision.headers(options.rate);
    assert_true(headers.find("Retry-After: 1\r\n") != std::string::npos);
    assert_int_equal(
        headers.size(),
        girt_decision_headers(&decision.get(), &options.rate, nullptr, 0));
    assert_true(bool(limiter.take_at(100ms)));
    assert_false(bool(limiter.peek(1)));
    check_status(limiter.take(3).status(), GIRT_NEVER);
    check_status(limiter.wait(1ms), GIRT_TIMEOUT);
    limiter.set_rate(girt::rate(5, 1s));
    check_throws(limiter.set_rate(girt_rate{}), GIRT_E_INVALID);
    check_throws(girt::limiter(girt_rate{}), GIRT_E_INVALID);
    std::error_code code;
    girt::limiter none(girt::limiter_options{}, code);
    assert_true(code == GIRT_E_INVALID);
}

static void keyed_limiters_tell_keys_apart(void **)
{
    girt::keyed_limiter_options options;
    options.rate = girt::rate(1, 1h, 1);
    options.keys = 100;
    girt::keyed_limiter limiter(options);
    assert_true(bool(limiter.take("a")));
    assert_false(bool(limiter.take("a")));
    assert_true(bool(limiter.take(std::string("b"))));
    uint32_t const address = 0x7f000001;
    assert_true(bool(limiter.take(girt::bytes(&address, sizeof address))));
    check_throws(limiter.take(girt::bytes(nullptr, 5)), GIRT_E_INVALID);
    std::error_code code;
    girt::keyed_limiter none(girt::keyed_limiter_options{}, code);
    assert_true(code == GIRT_E_INVALID);
}

static girt::breaker_options three_calls(int64_t *time,
                                         std::vector<int> *changes)
{
    girt::breaker_options options;
    options.calls_min = 3;
    girt_clock_manual(&options.clock, time);
    options.on_change = [changes](girt_breaker_state, girt_breaker_state to) {
        changes->push_back(to);
    };
    return options;
}

static void breakers_count_by_scope(void **)
{
    int64_t time = 1;
    std::vector<int> changes;
    girt::breaker breaker(three_calls(&time, &changes));
    for (int i = 0; i < 3; i++) {
        try {
            breaker.call([] { throw std::runtime_error("down"); });
        } catch (const std::runtime_error &) {
        }
    }
    assert_int_equal(breaker.state(), GIRT_BREAKER_OPEN);
    bool ran = false;
    check_throws(breaker.call([&] { ran = true; }), GIRT_REJECTED);
    assert_false(ran);
    assert_false(bool(breaker.enter()));
    time += 6000000000; // over 5 s
    {
        girt::breaker::guard probe = breaker.enter();
        assert_true(bool(probe));
        assert_false(bool(breaker.enter())); // one probe
        girt::breaker::guard moved = std::move(probe);
        assert_false(bool(probe));
        moved.ignore();
        assert_false(bool(moved));
    }
    assert_int_equal(breaker.state(), GIRT_BREAKER_HALF_OPEN);
    assert_int_equal(breaker.call([] { return 5; }), 5);
    assert_int_equal(breaker.state(), GIRT_BREAKER_CLOSED);
    assert_true(
        (changes == std::vector<int>{GIRT_BREAKER_OPEN, GIRT_BREAKER_HALF_OPEN,
                                     GIRT_BREAKER_CLOSED}));
    // A guard that is made while an exception unwinds counts its own scope.
    struct calls_when_destroyed {
        girt::breaker &breaker;
        ~calls_when_destroyed()
        {
            for (int i = 0; i < 10; i++)
                breaker.call([] {});
        }
    };
    try {
        calls_when_destroyed const last{breaker};
        throw 1;
    } catch (int) {
    }
    assert_int_equal(breaker.state(), GIRT_BREAKER_CLOSED);
    for (int i = 0; i < 30; i++) {
        girt::breaker::guard guard = breaker.enter();
        guard.failure();
    }
    assert_int_equal(breaker.state(), GIRT_BREAKER_OPEN);
    breaker.force(GIRT_BREAKER_FORCED_CLOSED);
    assert_true(bool(breaker.enter()));
    std::error_code code;
    girt::breaker_options bad;
    bad.failure_ratio = 2;
    girt::breaker none(bad, code);
    assert_true(code == GIRT_E_INVALID);
    check_throws(girt::breaker(bad), GIRT_E_INVALID);
}

static void bulkhead_places_come_back(void **)
{
    girt::bulkhead_options options;
    options.inside_max = 1;
    girt::bulkhead bulkhead(options);
    for (int i = 0; i < 3; i++) {
        girt::bulkhead::place const inside = bulkhead.enter();
        assert_true(bool(inside));
        girt::bulkhead::place const second = bulkhead.enter();
        assert_false(bool(second));
        check_status(second.status(), GIRT_REJECTED);
    }
    try {
        girt::bulkhead::place const inside = bulkhead.enter();
        throw 1;
    } catch (int) {
    }
    girt::bulkhead::place inside = bulkhead.enter();
    inside.leave();
    inside.leave(); // once only
    girt::bulkhead::place again = bulkhead.enter();
    girt::bulkhead::place const moved = std::move(again);
    assert_true(bool(moved));
    assert_false(bool(bulkhead.enter()));
    check_throws(
        girt::bulkhead(girt::bulkhead_options{UINT64_MAX, 0, {}, {}, {}}),
        GIRT_E_TOO_LARGE);
    std::error_code code;
    girt::bulkhead none(girt::bulkhead_options{UINT64_MAX, 0, {}, {}, {}},
                        code);
    assert_true(code == GIRT_E_TOO_LARGE);
    assert_false(bool(none));
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(limiters_say_when),
        cmocka_unit_test(keyed_limiters_tell_keys_apart),
        cmocka_unit_test(breakers_count_by_scope),
        cmocka_unit_test(bulkhead_places_come_back),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}

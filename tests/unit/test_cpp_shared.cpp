// SPDX-License-Identifier: MIT
// Goal: girt::metrics, girt::shared and girt::channel do what their C does, and
// objects report to a registry of C++.
// Method: each call, a fork for what is shared, names and labels that C++ can
// have and C cannot.
#include "support/check.hpp"

#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

static void registries_write_what_was_counted(void **)
{
    girt::metrics metrics;
    girt::counter requests =
        metrics.counter("requests_total", "Served.", {{"method", "GET"}});
    ++requests;
    requests.add(2);
    assert_int_equal(requests.value(), 3);
    // The same name and labels are the same series.
    assert_ptr_equal(
        metrics.counter("requests_total", "Served.", {{"method", "GET"}}).get(),
        requests.get());
    girt::gauge load = metrics.gauge("load", "Now.");
    load.set(1.5);
    load.add(-0.5);
    assert_true(load.value() == 1.0);
    girt::histogram time = metrics.histogram("time_ns", "Of a request.");
    time.record(1000);
    time.record(2us);
    time.record(-1s);
    assert_int_equal(time.count(), 3);
    assert_true(time.quantile(1) >= 1968 && time.quantile(1) <= 2032);

    girt::queue_options<int> options;
    options.name = "jobs";
    options.metrics = metrics.get();
    girt::queue<int> queue(options);
    check_status(queue.push(1), GIRT_OK);
    std::string const text = metrics.write();
    for (const char *line :
         {"requests_total{method=\"GET\"} 3\n", "load 1\n", "time_ns_count 3\n",
          "girt_queue_depth{name=\"jobs\"} 1\n"})
        if (text.find(line) == std::string::npos)
            fail_msg("no %s in %s", line, text.c_str());
    assert_true(metrics.write(GIRT_OPENMETRICS_TEXT).find("# EOF\n") !=
                std::string::npos);
    check_throws(metrics.counter("bad name", ""), GIRT_E_INVALID);
    check_throws(metrics.counter(std::string("a\0b", 3), ""), GIRT_E_INVALID);
    check_throws(metrics.gauge("requests_total", ""), GIRT_E_INVALID);
    check_throws(metrics.gauge("g", "", {{"a", std::string("x\0y", 3)}}),
                 GIRT_E_INVALID);
    check_throws(metrics.set_series_max(0), GIRT_E_INVALID);
    check_throws(metrics.write(GIRT_PROMETHEUS_TEXT,
                               [](std::string_view) { return false; }),
                 GIRT_E_IO);
    int caught = 0;
    try {
        metrics.write(GIRT_PROMETHEUS_TEXT, [](std::string_view) { throw 5; });
    } catch (int) {
        caught++;
    }
    assert_int_equal(caught, 1);
}

static void processes_share_parts(void **)
{
    girt::shared segment(4 << 20);
    girt::limiter limiter = segment.limiter("logins", girt::rate(1, 1h, 3));
    girt::keyed_limiter clients =
        segment.keyed_limiter("clients", girt::rate(1, 1h, 1), 100);
    girt::metrics metrics = segment.metrics("metrics");
    girt::counter served = metrics.counter("served_total", "Served.");
    girt::channel channel(segment, "jobs", 16, 64);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool fine = bool(limiter.take()) && bool(clients.take("ann"));
        ++served;
        std::optional<std::string> const job = channel.receive(10s);
        fine = fine && job == "a job";
        girt::channel back(segment, "answers", 16, 64);
        fine = fine && back.send("done", 10s) == GIRT_OK;
        _exit(fine ? 0 : 1);
    }
    check_status(channel.send("a job", 10s), GIRT_OK);
    girt::channel answers(segment, "answers", 16, 64);
    std::optional<std::string> const answer = answers.receive(10s);
    assert_true(answer == "done");
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    assert_int_equal(limiter.peek(0).remaining(), 2);
    assert_false(bool(clients.take("ann")));
    assert_int_equal(served.value(), 1);
    assert_false(answers.receive(girt::now).has_value());
    check_throws(static_cast<void>(channel.send(std::string(65, 'x'))),
                 GIRT_E_TOO_LARGE);
    check_throws(girt::channel(segment, std::string("a\0b", 3), 16, 64),
                 GIRT_E_INVALID);
}

static void named_segments_are_found(void **)
{
    std::string const name = "girt-cpp-" + std::to_string(getpid());
    {
        girt::shared made(name, 1 << 20);
        girt::limiter limiter = made.limiter("l", girt::rate(1, 1h, 2));
        assert_true(limiter.try_take());
        girt::shared opened(name);
        girt::limiter same = opened.limiter("l", girt::rate(1, 1h, 2));
        assert_true(same.try_take());
        assert_false(limiter.try_take());
    }
    assert_true(girt::shared::unlink(name));
    std::error_code code;
    girt::shared none(name, code);
    assert_true(code == GIRT_MISSING);
    assert_false(bool(none));
    check_throws(girt::shared(name), GIRT_MISSING);
    girt::shared bad(std::string("a\0b", 3), code);
    assert_true(code == GIRT_E_INVALID);
    check_throws(girt::shared("a/b", 1 << 20), GIRT_E_INVALID);
    check_throws(girt::shared(std::size_t(0)), GIRT_E_INVALID);
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(registries_write_what_was_counted),
        cmocka_unit_test(processes_share_parts),
        cmocka_unit_test(named_segments_are_found),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}

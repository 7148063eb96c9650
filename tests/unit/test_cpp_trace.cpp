// SPDX-License-Identifier: MIT
// Goal: girt::span ends with its scope, failed if that is thrown through, and
// girt::tracer writes what spans said.
// Method: nested scopes, one left by an exception; the document as text.
#include "support/check.hpp"

#include <stdexcept>
#include <string>

static void spans_end_with_their_scopes(void **)
{
    girt::tracer_options options;
    options.service = "shop";
    girt::tracer tracer(options);
    girt::trace_context outer_context;
    try {
        girt::span outer(tracer, "outer");
        outer.set_kind(GIRT_SPAN_SERVER);
        outer_context = outer.context();
        girt::span inner(tracer, "inner");
        inner.set("int", 5u);
        inner.set("double", 0.5);
        inner.set("text", "t");
        inner.set("view", std::string_view("view", 2));
        throw std::runtime_error("out");
    } catch (const std::runtime_error &) {
    }
    assert_false(girt_trace_current(nullptr));
    {
        girt::span child(tracer, "child", outer_context);
        assert_memory_equal(child.context().trace_id, outer_context.trace_id,
                            16);
        std::optional<girt::trace_context> const read =
            girt::parse_traceparent(child.traceparent());
        assert_memory_equal(&*read, &child.context(), sizeof *read);
    }
    std::string const text = tracer.write(GIRT_TRACE_OTLP_JSON);
    for (const char *part :
         {"\"stringValue\":\"shop\"", "\"name\":\"outer\",\"kind\":2",
          "\"intValue\":\"5\"", "\"doubleValue\":0.5", "\"stringValue\":\"t\"",
          "\"stringValue\":\"vi\"",
          "\"status\":{\"code\":2}},{\"traceId\"", // outer and inner
          "\"name\":\"child\""})
        if (text.find(part) == std::string::npos)
            fail_msg("no %s in %s", part, text.c_str());
    assert_int_equal(tracer.stats().written, 3);
    assert_false(girt::parse_traceparent("00-bad").has_value());
}

static void failures_are_reported(void **)
{
    girt::tracer_options options;
    options.sample_ratio = 2;
    check_throws(girt::tracer(options), GIRT_E_INVALID);
    std::error_code code;
    girt::tracer none(options, code);
    assert_true(code == GIRT_E_INVALID);
    girt::tracer tracer;
    check_throws(
        tracer.write(GIRT_TRACE_CHROME, [](std::string_view) { return false; }),
        GIRT_E_IO);
    int caught = 0;
    try {
        tracer.write(GIRT_TRACE_CHROME, [](std::string_view) { throw 5; });
    } catch (int) {
        caught++;
    }
    assert_int_equal(caught, 1);
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(spans_end_with_their_scopes),
        cmocka_unit_test(failures_are_reported),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}

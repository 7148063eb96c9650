// SPDX-License-Identifier: MIT
// trace.hpp - girt::tracer and girt::span; see girt/trace.h for what they
// promise.
#ifndef GIRT_CPP_TRACE_HPP
#define GIRT_CPP_TRACE_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <girt/cpp/base.hpp>
#include <girt/trace.h>

namespace girt
{

/** Whose child a span is; see girt_trace_context. */
using trace_context = ::girt_trace_context;

/** How a tracer is made; see girt_tracer_options for each field. */
struct tracer_options {
    /** The share of traces that are sampled; 0: all. */
    double sample_ratio = 0;
    /** Samples none that begins here. */
    bool sample_none = false;
    /** Writes unsampled traces that failed. */
    bool keep_errors = false;
    /** Spans that wait for the next write, for each thread; 0: 1024. */
    std::size_t spans_per_thread = 0;
    /** Threads that record at the same time; 0: 256. */
    std::size_t threads_max = 0;
    /** At most 255 bytes; empty: "girt". */
    std::string service;
    /** Zero: the monotonic clock. */
    ::girt_clock clock{};
    /** The wall clock's time when `clock` says 0; for other clocks. */
    duration epoch;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** Where spans are recorded. */
class tracer
{
  public:
    /** A tracer with the default options; throws girt::error. */
    tracer() : tracer(tracer_options{})
    {
    }

    /**
     * A tracer; throws girt::error on a failure.
     *
     * @param options  how it is made.
     */
    explicit tracer(const tracer_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the tracer is none on a failure.
     *
     * @param options  how it is made.
     * @param code  the failure, or cleared.
     */
    tracer(const tracer_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a tracer?
     *
     * @return  not after a failure, nor after it was moved from.
     */
    explicit operator bool() const noexcept
    {
        return handle_ != nullptr;
    }

    /**
     * The C object, for calls that have no wrapper.
     *
     * @return  it stays this object's.
     */
    ::girt_tracer *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Takes out all spans that have ended, as one document; throws
     * girt::error.
     *
     * @param format  which.
     * @param sink  called with (std::string_view piece); answers whether to go
     *     on, or nothing. What it throws comes out of this call.
     */
    template <class Sink> void write(::girt_trace_format format, Sink &&sink)
    {
        detail::write_text(::girt_tracer_write, get(), format, sink);
    }

    /**
     * The same as one string.
     *
     * @param format  which.
     * @return  the document.
     */
    std::string write(::girt_trace_format format)
    {
        std::string document;
        write(format, [&](std::string_view piece) { document += piece; });
        return document;
    }

    /**
     * What it did so far.
     *
     * @return  the counts.
     */
    ::girt_tracer_stats stats() const noexcept
    {
        ::girt_tracer_stats counts{};
        ::girt_tracer_read_stats(get(), &counts);
        return counts;
    }

  private:
    status create(const tracer_options &options)
    {
        ::girt_tracer_options plain{};
        plain.sample_ratio = options.sample_ratio;
        plain.sample_none = options.sample_none;
        plain.keep_errors = options.keep_errors;
        plain.spans_per_thread = options.spans_per_thread;
        plain.threads_max = options.threads_max;
        plain.service = detail::name_or_null(options.service);
        plain.clock = options.clock;
        plain.epoch_ns = options.epoch.ns();
        plain.allocator = options.allocator;
        ::girt_tracer *made = nullptr;
        status const answer = ::girt_tracer_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::handle<::girt_tracer, ::girt_tracer_destroy> handle_;
};

/** A piece of work, as long as this lives; one that is left by an exception
 * has failed.  It stays in its thread and its scope: it does not move. */
class span
{
  public:
    /**
     * Begins.
     *
     * @param to  where it is recorded.
     * @param name  a constant, which outlives the tracer.
     */
    span(tracer &to, const char *name) noexcept
        : exceptions_(std::uncaught_exceptions())
    {
        ::girt_span_start(&span_, to.get(), name, nullptr);
    }

    /**
     * Begins as the child of work elsewhere.
     *
     * @param to  where it is recorded.
     * @param name  a constant, which outlives the tracer.
     * @param parent  whose child it is; all zero: nobody's.
     */
    span(tracer &to, const char *name, const trace_context &parent) noexcept
        : exceptions_(std::uncaught_exceptions())
    {
        ::girt_span_start(&span_, to.get(), name, &parent);
    }

    span(const span &) = delete;
    span &operator=(const span &) = delete;

    /** Ends. */
    ~span()
    {
        if (std::uncaught_exceptions() > exceptions_)
            fail();
        ::girt_span_end(&span_);
    }

    /**
     * Adds a number.
     *
     * @param key  a constant.
     * @param value  any integer.
     */
    template <class Integer,
              class = std::enable_if_t<std::is_integral_v<Integer>>>
    void set(const char *key, Integer value) noexcept
    {
        ::girt_span_set_int(&span_, key, static_cast<std::int64_t>(value));
    }

    /**
     * Adds a number with a fraction.
     *
     * @param key  a constant.
     * @param value  any.
     */
    void set(const char *key, double value) noexcept
    {
        ::girt_span_set_double(&span_, key, value);
    }

    /**
     * Adds a text.
     *
     * @param key  a constant.
     * @param text  copied, and cut where the span's room ends.
     */
    void set(const char *key, std::string_view text) noexcept
    {
        ::girt_span_set_text(&span_, key, text.data(), text.size());
    }

    /**
     * Adds a text.
     *
     * @param key  a constant.
     * @param text  up to its NUL.
     */
    void set(const char *key, const char *text) noexcept
    {
        set(key, std::string_view(text));
    }

    /**
     * Says what it is to those at its other end.
     *
     * @param kind  which.
     */
    void set_kind(::girt_span_kind kind) noexcept
    {
        ::girt_span_set_kind(&span_, kind);
    }

    /** Marks it as failed. */
    void fail() noexcept
    {
        ::girt_span_fail(&span_);
    }

    /**
     * Its own context, to be sent along.
     *
     * @return  valid as long as this lives.
     */
    const trace_context &context() const noexcept
    {
        return span_.context;
    }

    /**
     * Its traceparent header.
     *
     * @return  the value; empty where there is no trace.
     */
    std::string traceparent() const
    {
        char text[GIRT_TRACEPARENT_SIZE + 1];
        return ::girt_traceparent_write(&span_.context, text) == GIRT_OK
                   ? std::string(text)
                   : std::string();
    }

  private:
    ::girt_span span_;
    int exceptions_;
};

/**
 * Reads a traceparent header.
 *
 * @param header  its value.
 * @return  the caller's context, or nothing if the standard says to ignore it.
 */
inline std::optional<trace_context> parse_traceparent(std::string_view header)
{
    trace_context context{};
    return ::girt_traceparent_parse(header.data(), header.size(), &context) ==
                   GIRT_OK
               ? std::optional<trace_context>(context)
               : std::nullopt;
}

} // namespace girt

#endif // GIRT_CPP_TRACE_HPP

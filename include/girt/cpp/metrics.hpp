// SPDX-License-Identifier: MIT
// metrics.hpp - girt::metrics, and its counters, gauges and histograms; see
// girt/metrics.h for what they promise.
#ifndef GIRT_CPP_METRICS_HPP
#define GIRT_CPP_METRICS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <girt/cpp/base.hpp>
#include <girt/metrics.h>

namespace girt
{

/** The labels of a series: {{"method", "GET"}, {"code", "200"}}. */
using labels = std::vector<std::pair<std::string, std::string>>;

/** A number that only rises; a handle, valid as long as its registry. */
class counter
{
  public:
    /**
     * Of a C handle.
     *
     * @param handle  from a registry.
     */
    explicit counter(::girt_counter *handle) noexcept : handle_(handle)
    {
    }

    /**
     * Adds.
     *
     * @param amount  how much.
     */
    void add(std::uint64_t amount = 1) noexcept
    {
        ::girt_counter_add(handle_, amount);
    }

    /**
     * Adds 1.
     *
     * @return  this.
     */
    counter &operator++() noexcept
    {
        add(1);
        return *this;
    }

    /**
     * The sum.
     *
     * @return  all that was added before.
     */
    std::uint64_t value() const noexcept
    {
        return ::girt_counter_value(handle_);
    }

    /**
     * The C handle.
     *
     * @return  it stays the registry's.
     */
    ::girt_counter *get() const noexcept
    {
        return handle_;
    }

  private:
    ::girt_counter *handle_;
};

/** A number that rises and falls; a handle, valid as long as its registry. */
class gauge
{
  public:
    /**
     * Of a C handle.
     *
     * @param handle  from a registry.
     */
    explicit gauge(::girt_gauge *handle) noexcept : handle_(handle)
    {
    }

    /**
     * Sets.
     *
     * @param value  from now on.
     */
    void set(double value) noexcept
    {
        ::girt_gauge_set(handle_, value);
    }

    /**
     * Adds.
     *
     * @param amount  how much; below 0 takes away.
     */
    void add(double amount) noexcept
    {
        ::girt_gauge_add(handle_, amount);
    }

    /**
     * The value.
     *
     * @return  now.
     */
    double value() const noexcept
    {
        return ::girt_gauge_value(handle_);
    }

    /**
     * The C handle.
     *
     * @return  it stays the registry's.
     */
    ::girt_gauge *get() const noexcept
    {
        return handle_;
    }

  private:
    ::girt_gauge *handle_;
};

/** How values are spread; a handle, valid as long as its registry. */
class histogram
{
  public:
    /**
     * Of a C handle.
     *
     * @param handle  from a registry.
     */
    explicit histogram(::girt_histogram *handle) noexcept : handle_(handle)
    {
    }

    /**
     * Records a value.
     *
     * @param value  in the unit that the name says.
     */
    void record(std::uint64_t value) noexcept
    {
        ::girt_histogram_record(handle_, value);
    }

    /**
     * Records a duration in nanoseconds; below 0 is 0.
     *
     * @param length  the duration.
     */
    template <class Rep, class Period>
    void record(std::chrono::duration<Rep, Period> length) noexcept
    {
        ::girt_histogram_record(
            handle_, static_cast<std::uint64_t>(timeout(length).ns()));
    }

    /**
     * A quantile.
     *
     * @param q  0 to 1.
     * @return  as girt_histogram_quantile.
     */
    std::uint64_t quantile(double q) const noexcept
    {
        return ::girt_histogram_quantile(handle_, q);
    }

    /**
     * Values recorded.
     *
     * @return  how many.
     */
    std::uint64_t count() const noexcept
    {
        return ::girt_histogram_count(handle_);
    }

    /**
     * The C handle.
     *
     * @return  it stays the registry's.
     */
    ::girt_histogram *get() const noexcept
    {
        return handle_;
    }

  private:
    ::girt_histogram *handle_;
};

/** A registry of metrics.  Objects that report to it must end before it. */
class metrics
{
  public:
    /** An empty registry; throws girt::error. */
    metrics()
    {
        ::girt_metrics *made = nullptr;
        detail::check(::girt_metrics_create(&made, nullptr));
        handle_.reset(made);
    }

    /**
     * Takes over a C object, as one of girt::shared.
     *
     * @param own  it ends with this.
     */
    explicit metrics(::girt_metrics *own) noexcept : handle_(own)
    {
    }

    /**
     * Is there a registry?
     *
     * @return  not after it was moved from.
     */
    explicit operator bool() const noexcept
    {
        return handle_ != nullptr;
    }

    /**
     * The C object, for the options `metrics` of other objects.
     *
     * @return  it stays this object's.
     */
    ::girt_metrics *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Finds or makes a counter; throws girt::error.
     *
     * @param name  of the metric.
     * @param help  what it counts.
     * @param of  which series.
     * @return  its handle.
     */
    girt::counter counter(const std::string &name, const std::string &help,
                          const labels &of = {})
    {
        return girt::counter(make(::girt_counter_create, name, help, of));
    }

    /**
     * Finds or makes a gauge; throws girt::error.
     *
     * @param name  of the metric.
     * @param help  what it says.
     * @param of  which series.
     * @return  its handle.
     */
    girt::gauge gauge(const std::string &name, const std::string &help,
                      const labels &of = {})
    {
        return girt::gauge(make(::girt_gauge_create, name, help, of));
    }

    /**
     * Finds or makes a histogram; throws girt::error.
     *
     * @param name  of the metric, with its unit.
     * @param help  what it says.
     * @param of  which series.
     * @return  its handle.
     */
    girt::histogram histogram(const std::string &name, const std::string &help,
                              const labels &of = {})
    {
        return girt::histogram(make(::girt_histogram_create, name, help, of));
    }

    /**
     * Bounds the series of each metric made from now on; throws girt::error.
     *
     * @param count  series.
     */
    void set_series_max(std::size_t count)
    {
        detail::check(::girt_metrics_set_series_max(get(), count));
    }

    /**
     * Writes all series; throws girt::error.
     *
     * @param format  which text.
     * @param sink  called with (std::string_view piece); answers whether to go
     *     on, or nothing.  What it throws comes out of this call.
     */
    template <class Sink> void write(::girt_metrics_format format, Sink &&sink)
    {
        detail::write_text(::girt_metrics_write, get(), format, sink);
    }

    /**
     * The same as one string.
     *
     * @param format  which text.
     * @return  the text.
     */
    std::string write(::girt_metrics_format format = GIRT_PROMETHEUS_TEXT)
    {
        std::string text;
        write(format, [&](std::string_view piece) { text += piece; });
        return text;
    }

  private:
    // C reads up to a NUL: what goes on behind one is no name and no label.
    static void check_text(const std::string &text)
    {
        if (text.find('\0') != std::string::npos)
            detail::raise(GIRT_E_INVALID);
    }

    template <class Handle>
    Handle *make(status (*create)(Handle **, ::girt_metrics *, const char *,
                                  const char *, const char *const[]),
                 const std::string &name, const std::string &help,
                 const labels &of)
    {
        std::vector<const char *> plain;
        plain.reserve(2 * of.size() + 1);
        for (const auto &label : of) {
            check_text(label.first);
            check_text(label.second);
            plain.push_back(label.first.c_str());
            plain.push_back(label.second.c_str());
        }
        plain.push_back(nullptr);
        check_text(name);
        check_text(help);
        Handle *handle = nullptr;
        detail::check(
            create(&handle, get(), name.c_str(), help.c_str(), plain.data()));
        return handle;
    }

    detail::handle<::girt_metrics, ::girt_metrics_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_METRICS_HPP

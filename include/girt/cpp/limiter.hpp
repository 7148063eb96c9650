// SPDX-License-Identifier: MIT
// limiter.hpp - girt::limiter and girt::keyed_limiter; see girt/limiter.h and
// girt/keyed_limiter.h for what they promise.
#ifndef GIRT_CPP_LIMITER_HPP
#define GIRT_CPP_LIMITER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include <girt/cpp/base.hpp>
#include <girt/keyed_limiter.h>
#include <girt/limiter.h>

namespace girt
{

/**
 * A rate: so many tokens in such a time.
 *
 *     girt::rate(100, 1s, 20)
 *
 * @param limit  tokens a period.
 * @param period  the period.
 * @param burst  tokens that can be taken at once after a rest; 0: as many as
 *     limit.
 * @return  the rate.
 */
inline ::girt_rate rate(std::uint64_t limit, duration period,
                        std::uint64_t burst = 0) noexcept
{
    return {limit, period.ns(), burst != 0 ? burst : limit};
}

/** What a limiter answers. */
class decision
{
  public:
    /**
     * Of the C answer.
     *
     * @param answer  what a limiter filled in.
     */
    explicit decision(const ::girt_decision &answer) noexcept : answer_(answer)
    {
    }

    /**
     * Was it let through?
     *
     * @return  the tokens are taken.
     */
    explicit operator bool() const noexcept
    {
        return answer_.status == GIRT_OK;
    }

    /**
     * GIRT_OK, GIRT_LIMITED or GIRT_NEVER.
     *
     * @return  the answer.
     */
    girt::status status() const noexcept
    {
        return answer_.status;
    }

    /**
     * Tokens that could be taken right now.
     *
     * @return  after this call.
     */
    std::uint64_t remaining() const noexcept
    {
        return answer_.remaining;
    }

    /**
     * When the same call will pass.
     *
     * @return  0: it did; girt::forever: never.
     */
    std::chrono::nanoseconds retry_after() const noexcept
    {
        return std::chrono::nanoseconds(answer_.retry_after_ns);
    }

    /**
     * When the burst is whole again.
     *
     * @return  girt::forever: never.
     */
    std::chrono::nanoseconds reset_after() const noexcept
    {
        return std::chrono::nanoseconds(answer_.reset_after_ns);
    }

    /**
     * HTTP header lines; see girt_decision_headers.
     *
     * @param in_force  the rate of the limiter that answered.
     * @return  lines, each ended by CR LF.
     */
    std::string headers(const ::girt_rate &in_force) const
    {
        std::string text(
            ::girt_decision_headers(&answer_, &in_force, nullptr, 0), '\0');
        // The place of the string's own NUL takes the call's.
        ::girt_decision_headers(&answer_, &in_force, text.data(),
                                text.size() + 1);
        return text;
    }

    /**
     * The C answer.
     *
     * @return  as it was.
     */
    const ::girt_decision &get() const noexcept
    {
        return answer_;
    }

  private:
    ::girt_decision answer_;
};

/** How a limiter is made; see girt_limiter_options for each field. */
struct limiter_options {
    /** The rate to begin with. */
    ::girt_rate rate{};
    /** Zero: monotonic. */
    ::girt_clock clock{};
    /** Tokens that a thread takes at a time and hands out to itself. */
    std::uint64_t lease = 0;
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the limiter reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** One limit for whoever shares it. */
class limiter
{
  public:
    /**
     * Takes over a C object, as one of girt::shared.
     *
     * @param own  it ends with this.
     */
    explicit limiter(::girt_limiter *own) noexcept : handle_(own)
    {
    }

    /**
     * A limiter whose burst is there; throws girt::error.
     *
     * @param rate  its rate.
     */
    explicit limiter(const ::girt_rate &rate) : limiter(with_rate(rate))
    {
    }

    /**
     * A limiter whose burst is there; throws girt::error on a failure.
     *
     * @param options  how it is made.
     */
    explicit limiter(const limiter_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the limiter is none on a failure.
     *
     * @param options  how it is made.
     * @param code  the failure, or cleared.
     */
    limiter(const limiter_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a limiter?
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
    ::girt_limiter *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Takes tokens now, all of them or none.
     *
     * @param tokens  how many.
     * @return  the decision.
     */
    decision take(std::uint64_t tokens = 1)
    {
        ::girt_decision answer{};
        detail::check(::girt_limiter_take(get(), tokens, &answer));
        return decision(answer);
    }

    /**
     * Takes tokens now, without the details: the cheaper question.
     *
     * @param tokens  how many.
     * @return  they are taken.
     */
    bool try_take(std::uint64_t tokens = 1)
    {
        return detail::check(::girt_limiter_take(get(), tokens, nullptr)) ==
               GIRT_OK;
    }

    /**
     * Takes tokens at a time that the caller has read already.
     *
     * @param at  the time of the limiter's clock.
     * @param tokens  how many.
     * @return  the decision.
     */
    decision take_at(duration at, std::uint64_t tokens = 1)
    {
        ::girt_decision answer{};
        detail::check(::girt_limiter_take_at(get(), tokens, at.ns(), &answer));
        return decision(answer);
    }

    /**
     * What take would answer; takes nothing.
     *
     * @param tokens  how many.
     * @return  the decision.
     */
    decision peek(std::uint64_t tokens = 1) const
    {
        ::girt_decision answer{};
        detail::check(::girt_limiter_peek(get(), tokens, &answer));
        return decision(answer);
    }

    /**
     * Takes tokens, waiting for its turn.
     *
     * @param limit  how long to wait.
     * @param tokens  how many.
     * @return  GIRT_OK, GIRT_TIMEOUT or GIRT_NEVER.
     */
    [[nodiscard]] status wait(timeout limit = forever, std::uint64_t tokens = 1)
    {
        return detail::check(::girt_limiter_wait(get(), tokens, limit.ns()));
    }

    /**
     * Changes the rate while the limiter is in use; throws girt::error.
     *
     * @param rate  the new one.
     */
    void set_rate(const ::girt_rate &rate)
    {
        detail::check(::girt_limiter_set_rate(get(), rate));
    }

  private:
    static limiter_options with_rate(const ::girt_rate &rate)
    {
        limiter_options options;
        options.rate = rate;
        return options;
    }

    status create(const limiter_options &options)
    {
        ::girt_limiter_options plain{};
        plain.rate = options.rate;
        plain.clock = options.clock;
        plain.lease = options.lease;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        ::girt_limiter *made = nullptr;
        status const answer = ::girt_limiter_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::handle<::girt_limiter, ::girt_limiter_destroy> handle_;
};

/** How a keyed limiter is made; see girt_keyed_limiter_options. */
struct keyed_limiter_options {
    /** The rate of each key. */
    ::girt_rate rate{};
    /** Zero: monotonic. */
    ::girt_clock clock{};
    /** Keys that are limited at once, at least. */
    std::size_t keys = 0;
    /** Lets keys pass that find no room, in place of refusing them. */
    bool admit_when_full = false;
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the limiter reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** One rate for each key, in bounded memory. */
class keyed_limiter
{
  public:
    /**
     * Takes over a C object, as one of girt::shared.
     *
     * @param own  it ends with this.
     */
    explicit keyed_limiter(::girt_keyed_limiter *own) noexcept : handle_(own)
    {
    }

    /**
     * A keyed limiter; throws girt::error on a failure.
     *
     * @param options  how it is made.
     */
    explicit keyed_limiter(const keyed_limiter_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the limiter is none on a failure.
     *
     * @param options  how it is made.
     * @param code  the failure, or cleared.
     */
    keyed_limiter(const keyed_limiter_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a limiter?
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
    ::girt_keyed_limiter *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Takes tokens of a key now.
     *
     * @param key  the key.
     * @param tokens  how many.
     * @return  the decision.
     */
    decision take(bytes key, std::uint64_t tokens = 1)
    {
        ::girt_decision answer{};
        detail::check(::girt_keyed_limiter_take(get(), key.data(), key.size(),
                                                tokens, &answer));
        return decision(answer);
    }

    /**
     * Takes tokens of a key at a time that the caller has read already.
     *
     * @param key  the key.
     * @param at  the time of the limiter's clock.
     * @param tokens  how many.
     * @return  the decision.
     */
    decision take_at(bytes key, duration at, std::uint64_t tokens = 1)
    {
        ::girt_decision answer{};
        detail::check(::girt_keyed_limiter_take_at(
            get(), key.data(), key.size(), tokens, at.ns(), &answer));
        return decision(answer);
    }

  private:
    status create(const keyed_limiter_options &options)
    {
        ::girt_keyed_limiter_options plain{};
        plain.rate = options.rate;
        plain.clock = options.clock;
        plain.keys = options.keys;
        plain.admit_when_full = options.admit_when_full;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        ::girt_keyed_limiter *made = nullptr;
        status const answer = ::girt_keyed_limiter_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::handle<::girt_keyed_limiter, ::girt_keyed_limiter_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_LIMITER_HPP

// SPDX-License-Identifier: MIT
// guard.hpp - girt::breaker and girt::bulkhead, whose places are given back by
// scope; see girt/breaker.h and girt/bulkhead.h for what they promise.
#ifndef GIRT_CPP_GUARD_HPP
#define GIRT_CPP_GUARD_HPP

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/cpp/base.hpp>

namespace girt
{

/** How a breaker is made; see girt_breaker_options for each field. */
struct breaker_options {
    /** Opens at this share of failures; 0: 0.5. */
    double failure_ratio = 0;
    /** Opens at this share of slow calls; 0: 1. */
    double slow_ratio = 0;
    /** A call that took this long is slow; 0: none is. */
    duration slow;
    /** Opens by no fewer calls than these; 0: 100. */
    std::uint64_t calls_min = 0;
    /** How long a call counts; 0: 10 s. */
    duration window;
    /** How long it is open the first time; 0: 5 s. */
    duration open;
    /** The longest; 0: 60 s. */
    duration open_max;
    /** Calls that must succeed to close it; 0: 1. */
    std::uint64_t probes = 0;
    /** A probe not heard of for so long is lost; 0: 60 s. */
    duration permit_timeout;
    /** Told of every change of state; it must not throw. */
    std::function<void(::girt_breaker_state from, ::girt_breaker_state to)>
        on_change;
    /** Zero: monotonic. */
    ::girt_clock clock{};
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the breaker reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** A circuit breaker. */
class breaker
{
  public:
    /** A call that the breaker let through.  It ends as it was told, else with
     * the scope: as a failure if that is left by an exception, as a success
     * otherwise. */
    class guard
    {
      public:
        /**
         * Takes another's call.
         *
         * @param other  has none afterwards.
         */
        guard(guard &&other) noexcept
            : breaker_(std::exchange(other.breaker_, nullptr)),
              permit_(other.permit_), exceptions_(other.exceptions_)
        {
        }

        guard &operator=(guard &&) = delete;

        /** Ends the call. */
        ~guard()
        {
            end(std::uncaught_exceptions() > exceptions_ ? GIRT_FAILURE
                                                         : GIRT_SUCCESS);
        }

        /**
         * Was it let through?
         *
         * @return  it was, and has not ended.
         */
        explicit operator bool() const noexcept
        {
            return breaker_ != nullptr;
        }

        /** It ended well. */
        void success() noexcept
        {
            end(GIRT_SUCCESS);
        }

        /** It ended badly, by the fault of what was called. */
        void failure() noexcept
        {
            end(GIRT_FAILURE);
        }

        /** It ended in a way that says nothing about what was called. */
        void ignore() noexcept
        {
            end(GIRT_IGNORED);
        }

      private:
        friend class breaker;
        guard(::girt_breaker *from, ::girt_permit permit) noexcept
            : breaker_(from), permit_(permit),
              exceptions_(std::uncaught_exceptions())
        {
        }

        void end(::girt_outcome outcome) noexcept
        {
            if (breaker_)
                ::girt_breaker_leave(std::exchange(breaker_, nullptr), &permit_,
                                     outcome);
        }

        ::girt_breaker *breaker_;
        ::girt_permit permit_;
        int exceptions_;
    };

    /** A closed breaker with the default options; throws girt::error. */
    breaker() : breaker(breaker_options{})
    {
    }

    /**
     * A closed breaker; throws girt::error on a failure.
     *
     * @param options  how it is made.
     */
    explicit breaker(const breaker_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the breaker is none on a failure.
     *
     * @param options  how it is made.
     * @param code  the failure, or cleared.
     */
    breaker(const breaker_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a breaker?
     *
     * @return  not after a failure, nor after it was moved from.
     */
    explicit operator bool() const noexcept
    {
        return handle_.get() != nullptr;
    }

    /**
     * The C object, for calls that have no wrapper.
     *
     * @return  it stays this object's.
     */
    ::girt_breaker *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Asks for a call.
     *
     * @return  true as a bool if it may be made.
     */
    [[nodiscard]] guard enter()
    {
        ::girt_permit permit{};
        bool const passes =
            detail::check(::girt_breaker_enter(get(), &permit)) == GIRT_OK;
        return guard(passes ? get() : nullptr, permit);
    }

    /**
     * Makes a call: what it throws is a failure.
     *
     * @param function  the call.
     * @return  what it returns.  Throws what it throws, or girt::error of
     *     GIRT_REJECTED without making it.
     */
    template <class Function> decltype(auto) call(Function &&function)
    {
        guard const passed = enter();
        if (!passed)
            detail::raise(GIRT_REJECTED);
        return std::forward<Function>(function)();
    }

    /**
     * What it lets through now.
     *
     * @return  its state.
     */
    ::girt_breaker_state state() const noexcept
    {
        return ::girt_breaker_state_now(get());
    }

    /**
     * Forces a state; see girt_breaker_force.
     *
     * @param state  the state from now on.
     */
    void force(::girt_breaker_state state) noexcept
    {
        ::girt_breaker_force(get(), state);
    }

  private:
    struct hooks {
        std::function<void(::girt_breaker_state, ::girt_breaker_state)>
            on_change;
    };

    static void tell(void *context, ::girt_breaker_state from,
                     ::girt_breaker_state to) noexcept
    {
        static_cast<hooks *>(context)->on_change(from, to);
    }

    status create(const breaker_options &options)
    {
        ::girt_breaker_options plain{};
        plain.failure_ratio = options.failure_ratio;
        plain.slow_ratio = options.slow_ratio;
        plain.slow_ns = options.slow.ns();
        plain.calls_min = options.calls_min;
        plain.window_ns = options.window.ns();
        plain.open_ns = options.open.ns();
        plain.open_max_ns = options.open_max.ns();
        plain.probes = options.probes;
        plain.permit_timeout_ns = options.permit_timeout.ns();
        plain.clock = options.clock;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        if (options.on_change) {
            plain.on_change = tell;
            plain.context = handle_.hooks(options.on_change);
            if (!plain.context)
                return GIRT_E_NOMEM;
        }
        ::girt_breaker *made = nullptr;
        status const answer = ::girt_breaker_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::hooked_handle<::girt_breaker, hooks, ::girt_breaker_destroy>
        handle_;
};

/** How a bulkhead is made; see girt_bulkhead_options for each field. */
struct bulkhead_options {
    /** Callers inside at most. */
    std::uint64_t inside_max = 0;
    /** Callers that may wait for a place. */
    std::uint64_t waiting_max = 0;
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the bulkhead reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** Bounds how many callers are inside something at once. */
class bulkhead
{
  public:
    /** A place inside, given back with the scope. */
    class place
    {
      public:
        /**
         * Takes another's place.
         *
         * @param other  has none afterwards.
         */
        place(place &&other) noexcept
            : bulkhead_(std::exchange(other.bulkhead_, nullptr)),
              status_(other.status_)
        {
        }

        place &operator=(place &&) = delete;

        /** Leaves. */
        ~place()
        {
            leave();
        }

        /**
         * Is the caller inside?
         *
         * @return  it is, and has not left.
         */
        explicit operator bool() const noexcept
        {
            return bulkhead_ != nullptr;
        }

        /**
         * What enter answered.
         *
         * @return  GIRT_OK, GIRT_REJECTED or GIRT_TIMEOUT.
         */
        girt::status status() const noexcept
        {
            return status_;
        }

        /** Leaves before the scope ends. */
        void leave() noexcept
        {
            if (bulkhead_)
                ::girt_bulkhead_leave(std::exchange(bulkhead_, nullptr));
        }

      private:
        friend class bulkhead;
        place(::girt_bulkhead *inside, girt::status status) noexcept
            : bulkhead_(inside), status_(status)
        {
        }

        ::girt_bulkhead *bulkhead_;
        girt::status status_;
    };

    /**
     * A bulkhead; throws girt::error on a failure.
     *
     * @param options  how it is made.
     */
    explicit bulkhead(const bulkhead_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the bulkhead is none on a failure.
     *
     * @param options  how it is made.
     * @param code  the failure, or cleared.
     */
    bulkhead(const bulkhead_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a bulkhead?
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
    ::girt_bulkhead *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Enters; waits for a place.
     *
     * @param limit  how long to wait.
     * @return  true as a bool if the caller is inside.
     */
    [[nodiscard]] place enter(timeout limit = now)
    {
        status const answer =
            detail::check(::girt_bulkhead_enter(get(), limit.ns()));
        return place(answer == GIRT_OK ? get() : nullptr, answer);
    }

  private:
    status create(const bulkhead_options &options)
    {
        ::girt_bulkhead_options plain{};
        plain.inside_max = options.inside_max;
        plain.waiting_max = options.waiting_max;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        ::girt_bulkhead *made = nullptr;
        status const answer = ::girt_bulkhead_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::handle<::girt_bulkhead, ::girt_bulkhead_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_GUARD_HPP

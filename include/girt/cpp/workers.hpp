// SPDX-License-Identifier: MIT
// workers.hpp - girt::workers, a pool of threads behind a bounded queue; see
// girt/workers.h for what it promises.
#ifndef GIRT_CPP_WORKERS_HPP
#define GIRT_CPP_WORKERS_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <girt/cpp/base.hpp>
#include <girt/workers.h>

namespace girt
{

/** What a pool is like; see girt_workers_options for each field. */
struct workers_options {
    /** 0: one per CPU that the process may use. */
    std::size_t threads = 0;
    /** Tasks that wait at most; 0: 1024. */
    std::size_t queue_capacity = 0;
    /** Of the threads and in metrics: at most 255 bytes. */
    std::string name;
    /** Where the pool reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** A pool of threads.  Its end waits for the tasks that it accepted. */
class workers
{
  public:
    /** A pool with the default options; throws girt::error. */
    workers() : workers(workers_options{})
    {
    }

    /**
     * A pool; throws girt::error on a failure.
     *
     * @param options  what it is like.
     */
    explicit workers(const workers_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the pool is none on a failure.
     *
     * @param options  what it is like.
     * @param code  the failure, or cleared.
     */
    workers(const workers_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a pool?
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
    ::girt_workers *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Has a thread of the pool run a function.
     *
     * @param task  called with nothing.  A copy of it, or what it was moved
     *     to; unless GIRT_OK it is moved back where its type can be assigned
     *     to (a lambda cannot).  An exception that leaves it ends the program,
     *     as one that leaves a std::thread does.
     * @param limit  how long to wait for room.
     * @return  as girt_workers_submit.
     */
    template <class Task>
    [[nodiscard]] status submit(Task &&task, timeout limit = forever)
    {
        using kept = std::decay_t<Task>;
        auto box = std::make_unique<kept>(std::forward<Task>(task));
        status const answer = ::girt_workers_submit(
            get(),
            [](void *argument) noexcept {
                std::unique_ptr<kept> const own(static_cast<kept *>(argument));
                (*own)();
            },
            box.get(), limit.ns());
        if (answer == GIRT_OK)
            static_cast<void>(box.release());
        else if constexpr (!std::is_lvalue_reference_v<Task> &&
                           std::is_nothrow_assignable_v<Task &, kept>)
            task = std::move(*box);
        return answer;
    }

    /**
     * Waits for the tasks that were accepted before.
     *
     * @param limit  how long.
     * @return  GIRT_OK or GIRT_TIMEOUT; throws girt::error inside a task.
     */
    [[nodiscard]] status drain(timeout limit = forever)
    {
        return detail::check(::girt_workers_drain(get(), limit.ns()));
    }

  private:
    status create(const workers_options &options)
    {
        ::girt_workers_options plain{};
        plain.threads = options.threads;
        plain.queue_capacity = options.queue_capacity;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        ::girt_workers *made = nullptr;
        status const answer = ::girt_workers_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::handle<::girt_workers, ::girt_workers_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_WORKERS_HPP

// SPDX-License-Identifier: MIT
// queue.hpp - girt::queue<T>, a bounded queue between any threads that waits
// when it must; see girt/queue.h for what it promises.
#ifndef GIRT_CPP_QUEUE_HPP
#define GIRT_CPP_QUEUE_HPP

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <girt/cpp/base.hpp>
#include <girt/cpp/item.hpp>
#include <girt/queue.h>

namespace girt
{

/** What a queue promises; see girt_queue_options for each field. */
template <class T> struct queue_options {
    /** Items at most; 0: 1024. */
    std::size_t capacity = 0;
    /** Only one thread at a time pushes. */
    bool single_producer = false;
    /** Only one thread at a time pops. */
    bool single_consumer = false;
    /** What one thread pushes stays in order; what several push need not. */
    bool per_producer_order = false;
    /** Priorities, 1 to 8; 0: 1. */
    unsigned bands = 0;
    /** A full queue makes room by dropping its oldest item. */
    bool drop_oldest = false;
    /** Gets items that leave otherwise than by a pop: dropped ones, and those
     * left at the end.  Empty: they are destroyed.  It must not throw. */
    std::function<void(T)> dropped;
    /** Items carry the trace context that their pusher had. */
    bool traced = false;
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the queue reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where the queue's own memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** A bounded queue of T: move-only types, pointers, small values.
 *
 * Any number of threads push and pop.  What is inside when the queue ends is
 * destroyed.  Iterating pops until the queue is closed and empty:
 *
 *     for (auto job : jobs)
 *         job->run();
 */
template <class T> class queue
{
    static_assert(detail::is_movable_item<T>,
                  "items are moved: neither const, nor references or arrays");

  public:
    /** What it carries. */
    using value_type = T;

    /** No queue: only assignment, destruction and operator bool. */
    queue() noexcept = default;

    /**
     * A queue with the default options.
     *
     * @param capacity  items at most.
     */
    explicit queue(std::size_t capacity) : queue(with_capacity(capacity))
    {
    }

    /**
     * A queue; throws girt::error on a failure.
     *
     * @param options  what it promises.
     */
    explicit queue(const queue_options<T> &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the queue is none on a failure.
     *
     * @param options  what it promises.
     * @param code  the failure, or cleared.
     */
    queue(const queue_options<T> &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a queue?
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
    ::girt_queue *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Pushes an item; waits for room.
     *
     * @param value  moved from with GIRT_OK, else as it was.
     * @param limit  how long to wait.
     * @return  GIRT_OK, GIRT_FULL (with girt::now), GIRT_TIMEOUT, GIRT_CLOSED;
     *     GIRT_E_NOMEM with traced; GIRT_E_INVALID without a queue.
     */
    [[nodiscard]] status push(T &&value, timeout limit = forever)
    {
        return push_band(0, std::move(value), limit);
    }

    /**
     * Pushes a copy of an item; waits for room.
     *
     * @param value  copied.
     * @param limit  how long to wait.
     * @return  as the other push.
     */
    [[nodiscard]] status push(const T &value, timeout limit = forever)
    {
        T copy(value);
        return push_band(0, std::move(copy), limit);
    }

    /**
     * Pushes an item into a band.
     *
     * @param band  0, the most urgent, to bands - 1; else GIRT_E_INVALID.
     * @param value  moved from with GIRT_OK, else as it was.
     * @param limit  how long to wait.
     * @return  as push.
     */
    [[nodiscard]] status push_band(unsigned band, T &&value,
                                   timeout limit = forever)
    {
        void *const word = item::wrap(value);
        status const answer =
            ::girt_queue_push_band(get(), band, word, limit.ns());
        if (answer != GIRT_OK)
            item::restore(value, word);
        return answer;
    }

    /**
     * Pushes an item if there is room now.
     *
     * @param value  moved from when it went in, else as it was.
     * @return  it went in.
     */
    [[nodiscard]] bool try_push(T &&value)
    {
        return push(std::move(value), now) == GIRT_OK;
    }

    /**
     * Pushes several items, in order.
     *
     * @param values  the first of them; those that went in are moved from.
     * @param count  how many.
     * @param limit  how long to wait for room, altogether.
     * @return  how many went in; fewer than count when time was over, or the
     *     queue is closed.
     */
    std::size_t push_n(T *values, std::size_t count, timeout limit = forever)
    {
        std::vector<void *> words(count);
        std::size_t pushed = 0;
        detail::wrap_n(values, words.data(), count);
        ::girt_queue_push_n(get(), words.data(), count, limit.ns(), &pushed);
        detail::restore_n(values, words.data(), pushed, count);
        return pushed;
    }

    /**
     * Pops the oldest item; waits for one.
     *
     * @param limit  how long to wait.
     * @param why  NULL, or receives GIRT_OK, GIRT_EMPTY (with girt::now),
     *     GIRT_TIMEOUT or GIRT_CLOSED.
     * @return  the item, or nothing.
     */
    std::optional<T> pop(timeout limit = forever, status *why = nullptr)
    {
        void *word = nullptr;
        status const answer = ::girt_queue_pop(get(), &word, limit.ns());
        if (why)
            *why = answer;
        if (answer != GIRT_OK)
            return std::nullopt;
        return std::optional<T>(item::unwrap(word));
    }

    /**
     * Pops the oldest item if there is one.
     *
     * @return  the item, or nothing.
     */
    std::optional<T> try_pop()
    {
        return pop(now);
    }

    /**
     * Pops several items; waits for the first only.
     *
     * @param values  gets them appended.
     * @param count  how many at most.
     * @param limit  how long to wait for the first.
     * @return  how many came.
     */
    std::size_t pop_n(std::vector<T> &values, std::size_t count,
                      timeout limit = forever)
    {
        std::size_t const room = std::min(count, capacity());
        std::vector<void *> words(room);
        // Not by a little each time: who appends often would copy all of it.
        if (values.capacity() - values.size() < room)
            values.reserve(
                std::max(values.size() + room, 2 * values.capacity()));
        std::size_t popped = 0;
        ::girt_queue_pop_n(get(), words.data(), room, limit.ns(), &popped);
        for (std::size_t i = 0; i < popped; i++)
            values.push_back(item::unwrap(words[i]));
        return popped;
    }

    /** Closes the queue for good; pops bring the rest. */
    void close() noexcept
    {
        ::girt_queue_close(get());
    }

    /**
     * Items inside.
     *
     * @return  exact while no call is under way.
     */
    std::size_t size() const noexcept
    {
        return ::girt_queue_count(get());
    }

    /**
     * Items at most.
     *
     * @return  what was asked for.
     */
    std::size_t capacity() const noexcept
    {
        return ::girt_queue_capacity(get());
    }

    /**
     * An eventfd for event loops; see girt_queue_fd.  Throws girt::error.
     *
     * @return  readable while items wait; the queue's.
     */
    int fd() const
    {
        int descriptor = -1;
        detail::check(::girt_queue_fd(get(), &descriptor));
        return descriptor;
    }

    /** Pops as it goes, until the queue is closed and empty. */
    class iterator
    {
      public:
        /** One pass. */
        using iterator_category = std::input_iterator_tag;
        /** Items. */
        using value_type = T;
        /** None that means anything. */
        using difference_type = std::ptrdiff_t;
        /** To an item. */
        using pointer = T *;
        /** Items are moved out. */
        using reference = T &&;

        /** The end. */
        iterator() noexcept = default;

        /**
         * Pops the first.
         *
         * @param from  the queue.
         */
        explicit iterator(queue *from) : from_(from)
        {
            ++*this;
        }

        /**
         * The item.
         *
         * @return  to be moved from.
         */
        T &&operator*() noexcept
        {
            return std::move(*value_);
        }

        /**
         * Pops the next.
         *
         * @return  this.
         */
        iterator &operator++()
        {
            value_ = from_->pop();
            if (!value_)
                from_ = nullptr;
            return *this;
        }

        /**
         * At the end?
         *
         * @param other  the end.
         * @return  not yet.
         */
        bool operator!=(const iterator &other) const noexcept
        {
            return from_ != other.from_;
        }

      private:
        queue *from_ = nullptr;
        std::optional<T> value_;
    };

    /**
     * Begins to pop.
     *
     * @return  the first item.
     */
    iterator begin()
    {
        return iterator(this);
    }

    /**
     * Closed and empty.
     *
     * @return  the end.
     */
    iterator end() noexcept
    {
        return {};
    }

  private:
    using item = detail::item<T>;

    struct hooks {
        std::function<void(T)> dropped;
    };

    static queue_options<T> with_capacity(std::size_t capacity)
    {
        queue_options<T> options;
        options.capacity = capacity;
        return options;
    }

    static void give(void *context, void *word) noexcept
    {
        static_cast<hooks *>(context)->dropped(item::unwrap(word));
    }

    static void drop(void *, void *word) noexcept
    {
        item::drop(word);
    }

    status create(const queue_options<T> &options)
    {
        ::girt_queue_options plain{};
        plain.capacity = options.capacity;
        plain.single_producer = options.single_producer;
        plain.single_consumer = options.single_consumer;
        plain.per_producer_order = options.per_producer_order;
        plain.bands = options.bands;
        plain.drop_oldest = options.drop_oldest;
        plain.traced = options.traced;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        if (options.dropped) {
            plain.dropped = give;
            plain.context = handle_.hooks(options.dropped);
            if (!plain.context)
                return GIRT_E_NOMEM;
        } else if (item::owns) {
            plain.dropped = drop;
        }
        ::girt_queue *made = nullptr;
        status const answer = ::girt_queue_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::hooked_handle<::girt_queue, hooks, ::girt_queue_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_QUEUE_HPP

// SPDX-License-Identifier: MIT
// fast_queue.hpp - girt::spsc<T> and girt::mpmc<T>, the queues that never wait
// and whose single calls are inlined; see girt/spsc.h and girt/mpmc.h.
#ifndef GIRT_CPP_FAST_QUEUE_HPP
#define GIRT_CPP_FAST_QUEUE_HPP

#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

#include <girt/cpp/base.hpp>
#include <girt/cpp/item.hpp>
#include <girt/mpmc.h>
#include <girt/spsc.h>

namespace girt
{
namespace detail
{

// The calls of one C queue, by one name.
struct spsc_calls {
    using object = ::girt_spsc;
    static status create(object **out, std::size_t capacity,
                         const ::girt_allocator *allocator)
    {
        return ::girt_spsc_create(out, capacity, allocator);
    }
    static void destroy(object *queue)
    {
        ::girt_spsc_destroy(queue);
    }
    static bool push(object *queue, void *word)
    {
        return ::girt_spsc_push(queue, word);
    }
    static bool pop(object *queue, void **word)
    {
        return ::girt_spsc_pop(queue, word);
    }
    static std::size_t push_n(object *queue, void *const words[],
                              std::size_t count)
    {
        return ::girt_spsc_push_n(queue, words, count);
    }
    static std::size_t pop_n(object *queue, void *words[], std::size_t count)
    {
        return ::girt_spsc_pop_n(queue, words, count);
    }
    static std::size_t size(const object *queue)
    {
        return ::girt_spsc_count(queue);
    }
    static std::size_t capacity(const object *queue)
    {
        return ::girt_spsc_capacity(queue);
    }
};

struct mpmc_calls {
    using object = ::girt_mpmc;
    static status create(object **out, std::size_t capacity,
                         const ::girt_allocator *allocator)
    {
        return ::girt_mpmc_create(out, capacity, allocator);
    }
    static void destroy(object *queue)
    {
        ::girt_mpmc_destroy(queue);
    }
    static bool push(object *queue, void *word)
    {
        return ::girt_mpmc_push(queue, word);
    }
    static bool pop(object *queue, void **word)
    {
        return ::girt_mpmc_pop(queue, word);
    }
    static std::size_t push_n(object *queue, void *const words[],
                              std::size_t count)
    {
        return ::girt_mpmc_push_n(queue, words, count);
    }
    static std::size_t pop_n(object *queue, void *words[], std::size_t count)
    {
        return ::girt_mpmc_pop_n(queue, words, count);
    }
    static std::size_t size(const object *queue)
    {
        return ::girt_mpmc_count(queue);
    }
    static std::size_t capacity(const object *queue)
    {
        return ::girt_mpmc_capacity(queue);
    }
};

} // namespace detail

/** A queue that never waits: girt::spsc and girt::mpmc. */
template <class T, class Calls> class fast_queue
{
    static_assert(detail::is_movable_item<T>,
                  "items are moved: neither const, nor references or arrays");

  public:
    /** What it carries. */
    using value_type = T;

    /** No queue: only assignment, destruction and operator bool. */
    fast_queue() noexcept = default;

    /**
     * A queue; throws girt::error on a failure.
     *
     * @param capacity  items at most, 1 to 2^40.
     * @param allocator  where its memory comes from; NULL: the default.
     */
    explicit fast_queue(std::size_t capacity,
                        const ::girt_allocator *allocator = nullptr)
    {
        detail::check(Calls::create(&object_, capacity, allocator));
    }

    /**
     * The same without an exception; the queue is none on a failure.
     *
     * @param capacity  items at most, 1 to 2^40.
     * @param code  the failure, or cleared.
     */
    fast_queue(std::size_t capacity, std::error_code &code)
    {
        detail::report(Calls::create(&object_, capacity, nullptr), code);
    }

    /**
     * Takes another's queue.
     *
     * @param other  has none afterwards.
     */
    fast_queue(fast_queue &&other) noexcept
        : object_(std::exchange(other.object_, nullptr))
    {
    }

    /**
     * Takes another's queue; the own one ends.
     *
     * @param other  has none afterwards.
     * @return  this.
     */
    fast_queue &operator=(fast_queue &&other) noexcept
    {
        if (this != &other) {
            end();
            object_ = std::exchange(other.object_, nullptr);
        }
        return *this;
    }

    /** Destroys what is inside. */
    ~fast_queue()
    {
        end();
    }

    /**
     * Is there a queue?
     *
     * @return  not after a failure, nor after it was moved from.
     */
    explicit operator bool() const noexcept
    {
        return object_ != nullptr;
    }

    /**
     * The C object, for calls that have no wrapper.
     *
     * @return  it stays this object's.
     */
    typename Calls::object *get() const noexcept
    {
        return object_;
    }

    /**
     * Pushes an item if there is room.
     *
     * @param value  moved from when it went in, else as it was.
     * @return  it went in.
     */
    [[nodiscard]] bool try_push(T &&value)
    {
        void *const word = item::wrap(value);
        if (Calls::push(object_, word))
            return true;
        item::restore(value, word);
        return false;
    }

    /**
     * Pushes a copy of an item if there is room.
     *
     * @param value  copied.
     * @return  it went in.
     */
    [[nodiscard]] bool try_push(const T &value)
    {
        T copy(value);
        return try_push(std::move(copy));
    }

    /**
     * Pops the oldest item if there is one.
     *
     * @return  the item, or nothing.
     */
    std::optional<T> try_pop()
    {
        void *word = nullptr;
        if (!Calls::pop(object_, &word))
            return std::nullopt;
        return std::optional<T>(item::unwrap(word));
    }

    /**
     * Pops the oldest item if there is one.
     *
     * @param value  receives it, else is as it was.
     * @return  there was one.
     */
    [[nodiscard]] bool try_pop(T &value)
    {
        void *word = nullptr;
        if (!Calls::pop(object_, &word))
            return false;
        value = item::unwrap(word);
        return true;
    }

    /**
     * Pushes several items, in order, as far as there is room.
     *
     * @param values  the first of them; those that went in are moved from.
     * @param count  how many.
     * @return  how many went in.
     */
    std::size_t try_push_n(T *values, std::size_t count)
    {
        void *words[batch];
        std::size_t done = 0;
        while (done < count) {
            std::size_t const size =
                count - done < batch ? count - done : batch;
            detail::wrap_n(values + done, words, size);
            std::size_t const pushed = Calls::push_n(object_, words, size);
            detail::restore_n(values + done, words, pushed, size);
            done += pushed;
            if (pushed < size)
                break;
        }
        return done;
    }

    /**
     * Pops several items.
     *
     * @param values  receives them.
     * @param count  how many at most.
     * @return  how many came.
     */
    std::size_t try_pop_n(T *values, std::size_t count)
    {
        void *words[batch];
        std::size_t done = 0;
        while (done < count) {
            std::size_t const size =
                count - done < batch ? count - done : batch;
            std::size_t const popped = Calls::pop_n(object_, words, size);
            for (std::size_t i = 0; i < popped; i++)
                values[done + i] = item::unwrap(words[i]);
            done += popped;
            if (popped < size)
                break;
        }
        return done;
    }

    /**
     * Items inside.
     *
     * @return  may be old.
     */
    std::size_t size() const noexcept
    {
        return Calls::size(object_);
    }

    /**
     * Items at most.
     *
     * @return  what was asked for.
     */
    std::size_t capacity() const noexcept
    {
        return Calls::capacity(object_);
    }

  private:
    using item = detail::item<T>;
    static constexpr std::size_t batch = 64;

    void end() noexcept
    {
        if constexpr (item::owns) {
            void *word = nullptr;
            while (object_ && Calls::pop(object_, &word))
                item::drop(word);
        }
        Calls::destroy(object_);
    }

    typename Calls::object *object_ = nullptr;
};

/** One producer, one consumer. */
template <class T> using spsc = fast_queue<T, detail::spsc_calls>;
/** Any number of both; a thread that stops anywhere stops nobody. */
template <class T> using mpmc = fast_queue<T, detail::mpmc_calls>;

} // namespace girt

#endif // GIRT_CPP_FAST_QUEUE_HPP

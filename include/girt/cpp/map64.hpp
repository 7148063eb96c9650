// SPDX-License-Identifier: MIT
// map64.hpp - girt::map64, from 64-bit numbers to 64-bit numbers; see
// girt/map64.h for what it promises.
#ifndef GIRT_CPP_MAP64_HPP
#define GIRT_CPP_MAP64_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <type_traits>

#include <girt/cpp/base.hpp>
#include <girt/map64.h>

namespace girt
{

/** A hash map of numbers that any number of threads read and change at once.
 * Calls that add an entry throw girt::error when memory is out. */
class map64
{
  public:
    /**
     * An empty map; throws girt::error on a failure.
     *
     * @param expected  entries that it should hold without growing.
     * @param allocator  where memory comes from; NULL: the default.
     */
    explicit map64(std::size_t expected = 0,
                   const ::girt_allocator *allocator = nullptr)
    {
        ::girt_map64 *made = nullptr;
        detail::check(::girt_map64_create(&made, expected, allocator));
        handle_.reset(made);
    }

    /**
     * The same without an exception; the map is none on a failure.
     *
     * @param expected  entries that it should hold without growing.
     * @param code  the failure, or cleared.
     */
    map64(std::size_t expected, std::error_code &code)
    {
        ::girt_map64 *made = nullptr;
        detail::report(::girt_map64_create(&made, expected, nullptr), code);
        handle_.reset(made);
    }

    /**
     * Is there a map?
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
    ::girt_map64 *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * The value of a key.
     *
     * @param key  the key.
     * @return  its value, or nothing.
     */
    std::optional<std::uint64_t> find(std::uint64_t key) const
    {
        std::uint64_t value;
        if (detail::check(::girt_map64_get(get(), key, &value)) != GIRT_OK)
            return std::nullopt;
        return value;
    }

    /**
     * The values of several keys, several times faster than one by one.
     *
     * @param keys  the first of them.
     * @param values  receive the values of those that are there.
     * @param found  receive whether they are.
     * @param count  how many keys.
     * @return  how many are there.
     */
    std::size_t find_n(const std::uint64_t *keys, std::uint64_t *values,
                       bool *found, std::size_t count) const noexcept
    {
        return ::girt_map64_get_n(get(), keys, values, found, count);
    }

    /**
     * Stores a value, whether the key is there or not.
     *
     * @param key  the key.
     * @param value  its value from now on.
     */
    void put(std::uint64_t key, std::uint64_t value)
    {
        detail::check(::girt_map64_put(get(), key, value));
    }

    /**
     * The same without an exception.
     *
     * @param key  the key.
     * @param value  its value from now on.
     * @param code  the failure, or cleared.
     */
    void put(std::uint64_t key, std::uint64_t value,
             std::error_code &code) noexcept
    {
        detail::report(::girt_map64_put(get(), key, value), code);
    }

    /**
     * Stores a value if the key is not there.
     *
     * @param key  the key.
     * @param value  its value, if it has none.
     * @return  it was stored.
     */
    bool add(std::uint64_t key, std::uint64_t value)
    {
        return detail::check(::girt_map64_add(get(), key, value)) == GIRT_OK;
    }

    /**
     * Removes a key.
     *
     * @param key  the key.
     * @return  its last value, or nothing if it was not there.
     */
    std::optional<std::uint64_t> remove(std::uint64_t key)
    {
        std::uint64_t value;
        if (detail::check(::girt_map64_remove(get(), key, &value)) != GIRT_OK)
            return std::nullopt;
        return value;
    }

    /**
     * Replaces a value if it is the expected one.
     *
     * @param key  the key.
     * @param expected  what its value must be.
     * @param desired  what it becomes.
     * @return  as girt_map64_exchange.
     */
    status exchange(std::uint64_t key, std::uint64_t expected,
                    std::uint64_t desired)
    {
        return detail::check(
            ::girt_map64_exchange(get(), key, expected, desired));
    }

    /**
     * Adds to a value, which is 0 if the key is not there.
     *
     * @param key  the key.
     * @param by  how much, modulo 2^64.
     * @return  the sum.
     */
    std::uint64_t increase(std::uint64_t key, std::uint64_t by = 1)
    {
        std::uint64_t sum = 0;
        detail::check(::girt_map64_increase(get(), key, by, &sum));
        return sum;
    }

    /**
     * Shows every entry; see girt_map64_each.
     *
     * @param function  called with (key, value) for each; may answer false to
     *     stop.  What it throws stops it, and comes out of this call.
     */
    template <class Function> void each(Function &&function) const
    {
        struct each_call {
            Function &function;
            detail::carried_exception failure;
        } call{function, {}};
        status const answer = ::girt_map64_each(
            get(),
            [](void *context, std::uint64_t key, std::uint64_t value) {
                auto &self = *static_cast<each_call *>(context);
                return self.failure.run(false, [&] {
                    return detail::goes_on(self.function, key, value);
                });
            },
            &call);
        call.failure.rethrow();
        detail::check(answer);
    }

    /**
     * Entries.
     *
     * @return  exact while nobody changes the map.
     */
    std::size_t size() const noexcept
    {
        return ::girt_map64_count(get());
    }

    /**
     * The memory that it holds.
     *
     * @return  bytes.
     */
    std::size_t memory() const noexcept
    {
        return ::girt_map64_bytes(get());
    }

  private:
    detail::handle<::girt_map64, ::girt_map64_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_MAP64_HPP

// SPDX-License-Identifier: MIT
// map.hpp - girt::map<Key, Value>, a hash map for any number of threads; see
// girt/map.h for what it promises.
#ifndef GIRT_CPP_MAP_HPP
#define GIRT_CPP_MAP_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <girt/cpp/base.hpp>
#include <girt/map.h>

namespace girt
{
namespace detail
{

// The bytes that are a key, and the key that some bytes are.
template <class Key, class = void> struct key_of {
    static_assert(!std::is_same_v<Key, bytes>,
                  "bytes are somebody else's: take std::string_view");
    static_assert(std::has_unique_object_representations_v<Key>,
                  "a key is a string, or a type whose equal values have equal "
                  "bytes: no padding, no floating point");
    using argument = const Key &;

    static bytes of(const Key &key) noexcept
    {
        return {&key, sizeof(Key)};
    }
    static Key from(const void *data, std::size_t) noexcept
    {
        alignas(Key) unsigned char raw[sizeof(Key)];
        std::memcpy(raw, data, sizeof(Key));
        return *std::launder(reinterpret_cast<Key *>(raw));
    }
};

template <class Key>
struct key_of<Key, std::enable_if_t<std::is_same_v<Key, std::string> ||
                                    std::is_same_v<Key, std::string_view>>> {
    using argument = std::string_view;

    static bytes of(std::string_view key) noexcept
    {
        return key;
    }
    static std::string_view from(const void *data, std::size_t size) noexcept
    {
        return {static_cast<const char *>(data), size};
    }
};

// Memory for a value that C fills in.
template <class Value> struct slot {
    alignas(Value) unsigned char raw[sizeof(Value)];

    Value &value() noexcept
    {
        return *std::launder(reinterpret_cast<Value *>(raw));
    }
};

} // namespace detail

/** What a map is made of; see girt_map_options for each field. */
struct map_options {
    /** Entries that it should hold without growing. */
    std::size_t expected = 0;
    /** Parts that it begins with at least. */
    std::size_t shards = 0;
    /** Of the keyed hash; 0: random. */
    std::uint64_t seed = 0;
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the map reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** A hash map that any number of threads read and change at once.
 *
 * Key: std::string (looked up by std::string_view), or a trivially copyable
 * type without padding.  Value: a trivially copyable type.  Calls that change
 * the map throw girt::error when memory is out, and change nothing. */
template <class Key, class Value> class map
{
    static_assert(std::is_trivially_copyable_v<Value>,
                  "values are copied as bytes; keep others behind a pointer, "
                  "or in a girt::cache");
    static_assert(alignof(Value) <= alignof(std::max_align_t),
                  "the map aligns values for any type that malloc does");
    using key_of = detail::key_of<Key>;

  public:
    /** How a key is passed. */
    using key_argument = typename key_of::argument;

    /** An empty map with the default options; throws girt::error. */
    map() : map(map_options{})
    {
    }

    /**
     * An empty map; throws girt::error on a failure.
     *
     * @param options  what it is made of.
     */
    explicit map(const map_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the map is none on a failure.
     *
     * @param options  what it is made of.
     * @param code  the failure, or cleared.
     */
    map(const map_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
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
    ::girt_map *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Copies the value of a key.
     *
     * @param key  the key.
     * @return  its value, or nothing.
     */
    std::optional<Value> find(key_argument key) const
    {
        bytes const at = key_of::of(key);
        detail::slot<Value> slot;
        if (detail::check(::girt_map_get(get(), at.data(), at.size(),
                                         slot.raw)) != GIRT_OK)
            return std::nullopt;
        return slot.value();
    }

    /**
     * Is a key there?
     *
     * @param key  the key.
     * @return  it is, at an instant within the call.
     */
    bool contains(key_argument key) const
    {
        return find(key).has_value();
    }

    /**
     * Stores a value, whether the key is there or not.
     *
     * @param key  the key.
     * @param value  its value from now on.
     */
    void put(key_argument key, const Value &value)
    {
        bytes const at = key_of::of(key);
        detail::check(::girt_map_put(get(), at.data(), at.size(), &value));
    }

    /**
     * The same without an exception.
     *
     * @param key  the key.
     * @param value  its value from now on.
     * @param code  the failure, or cleared.
     */
    void put(key_argument key, const Value &value,
             std::error_code &code) noexcept
    {
        bytes const at = key_of::of(key);
        detail::report(::girt_map_put(get(), at.data(), at.size(), &value),
                       code);
    }

    /**
     * Stores a value if the key is not there.
     *
     * @param key  the key.
     * @param value  its value, if it has none.
     * @return  it was stored.
     */
    bool add(key_argument key, const Value &value)
    {
        bytes const at = key_of::of(key);
        return detail::check(::girt_map_add(get(), at.data(), at.size(),
                                            &value)) == GIRT_OK;
    }

    /**
     * The same without an exception.
     *
     * @param key  the key.
     * @param value  its value, if it has none.
     * @param code  the failure, or cleared.
     * @return  it was stored.
     */
    bool add(key_argument key, const Value &value,
             std::error_code &code) noexcept
    {
        bytes const at = key_of::of(key);
        return detail::report(
                   ::girt_map_add(get(), at.data(), at.size(), &value), code) ==
               GIRT_OK;
    }

    /**
     * Removes a key.
     *
     * @param key  the key.
     * @return  its last value, or nothing if it was not there.
     */
    std::optional<Value> remove(key_argument key)
    {
        bytes const at = key_of::of(key);
        detail::slot<Value> slot;
        if (detail::check(::girt_map_remove(get(), at.data(), at.size(),
                                            slot.raw)) != GIRT_OK)
            return std::nullopt;
        return slot.value();
    }

    /**
     * Reads a key, asks a function, and does what it says, as one atomic step.
     *
     * @param key  the key.
     * @param function  called with (Value &value, bool present), all bytes of
     *     the value zero if the key is not there; answers a girt_map_action,
     *     or nothing: the value is stored as it left it.  It must not use the
     *     map, and may run more than once: only its last run counts.  What it
     *     throws comes out of this call, and changes nothing.
     * @return  GIRT_OK, or GIRT_MISSING if the key was not there and stays so.
     */
    template <class Function>
    status update(key_argument key, Function &&function)
    {
        struct update_call {
            Function &function;
            detail::carried_exception failure;
        } call{function, {}};
        bytes const at = key_of::of(key);
        status const answer = ::girt_map_update(
            get(), at.data(), at.size(),
            [](void *context, void *value, bool present) {
                auto &self = *static_cast<update_call *>(context);
                return self.failure.run(GIRT_MAP_KEEP, [&] {
                    Value &typed = *std::launder(static_cast<Value *>(value));
                    if constexpr (std::is_void_v<decltype(self.function(
                                      typed, present))>) {
                        self.function(typed, present);
                        return GIRT_MAP_STORE;
                    } else {
                        // No cast: a number is not an action.
                        ::girt_map_action const action =
                            self.function(typed, present);
                        return action;
                    }
                });
            },
            &call);
        call.failure.rethrow();
        return detail::check(answer);
    }

    /**
     * Shows the value of a key without copying it.
     *
     * @param key  the key.
     * @param function  called once with (const Value &value) if the key is
     *     there; it must not use girt.  What it throws comes out of this call.
     * @return  the key is there.
     */
    template <class Function>
    bool view(key_argument key, Function &&function) const
    {
        struct view_call {
            Function &function;
            detail::carried_exception failure;
        } call{function, {}};
        bytes const at = key_of::of(key);
        status const answer = ::girt_map_view(
            get(), at.data(), at.size(),
            [](void *context, const void *value) {
                auto &self = *static_cast<view_call *>(context);
                self.failure.run(false, [&] {
                    self.function(
                        *std::launder(static_cast<const Value *>(value)));
                    return true;
                });
            },
            &call);
        call.failure.rethrow();
        return detail::check(answer) == GIRT_OK;
    }

    /**
     * Shows every entry; see girt_map_each.
     *
     * @param function  called with (key, const Value &value) for each, the key
     *     being a std::string_view or a Key; may answer false to stop.  It may
     *     read the map, not change it.  What it throws stops it, and comes out
     *     of this call.
     */
    template <class Function> void each(Function &&function) const
    {
        struct each_call {
            Function &function;
            detail::carried_exception failure;
        } call{function, {}};
        status const answer = ::girt_map_each(
            get(),
            [](void *context, const void *key, std::size_t key_size,
               const void *value) {
                auto &self = *static_cast<each_call *>(context);
                return self.failure.run(false, [&] {
                    auto const shown = key_of::from(key, key_size);
                    auto const &typed =
                        *std::launder(static_cast<const Value *>(value));
                    return detail::goes_on(self.function, shown, typed);
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
        return ::girt_map_count(get());
    }

    /**
     * The memory that it holds.
     *
     * @return  bytes.
     */
    std::size_t memory() const noexcept
    {
        return ::girt_map_bytes(get());
    }

  private:
    status create(const map_options &options)
    {
        ::girt_map_options plain{};
        plain.value_size = sizeof(Value);
        plain.expected = options.expected;
        plain.shards = options.shards;
        plain.seed = options.seed;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        ::girt_map *made = nullptr;
        status const answer = ::girt_map_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::handle<::girt_map, ::girt_map_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_MAP_HPP

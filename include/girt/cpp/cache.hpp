// SPDX-License-Identifier: MIT
// cache.hpp - girt::cache, a bounded cache of byte strings with single flight;
// see girt/cache.h for what it promises.
#ifndef GIRT_CPP_CACHE_HPP
#define GIRT_CPP_CACHE_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <girt/cache.h>
#include <girt/cpp/base.hpp>

namespace girt
{

/** What a cache is made of; see girt_cache_options for each field. */
struct cache_options {
    /** Keys, values and overhead together; 0: 64 MiB. */
    std::size_t bytes_max = 0;
    /** Entries at most; 0: bytes_max alone rules. */
    std::size_t entries_max = 0;
    /** How long entries live; 0: they do not expire. */
    duration ttl;
    /** How long after that a reader may have the old value. */
    duration stale;
    /** How long load remembers that there is nothing. */
    duration missing_ttl;
    /** Which entry leaves. */
    ::girt_cache_policy policy = GIRT_CACHE_DEFAULT;
    /** Parts with a lock each; 0: by size. */
    std::size_t shards = 0;
    /** Told of entries that left; it must not throw.  The bytes are valid
     * until it returns. */
    std::function<void(bytes key, bytes value)> on_evict;
    /** For the times; zero: monotonic. */
    ::girt_clock clock{};
    /** Of the keyed hash; 0: random. */
    std::uint64_t seed = 0;
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the cache reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** A value of a cache, held until this ends; the cache must live longer. */
class cached
{
  public:
    /** Nothing. */
    cached() noexcept = default;

    /**
     * Takes another's value.
     *
     * @param other  has none afterwards.
     */
    cached(cached &&other) noexcept
        : cache_(other.cache_), value_(std::exchange(other.value_, {}))
    {
    }

    /**
     * Takes another's value; the own one is given back.
     *
     * @param other  has none afterwards.
     * @return  this.
     */
    cached &operator=(cached &&other) noexcept
    {
        if (this != &other) {
            ::girt_cache_release(cache_, &value_);
            cache_ = other.cache_;
            value_ = std::exchange(other.value_, {});
        }
        return *this;
    }

    /** Gives the value back. */
    ~cached()
    {
        ::girt_cache_release(cache_, &value_);
    }

    /**
     * The value.
     *
     * @return  its bytes, valid as long as this lives.
     */
    bytes value() const noexcept
    {
        return {value_.data, value_.size};
    }

    /**
     * The value as text.
     *
     * @return  a view that is valid as long as this lives.
     */
    std::string_view text() const noexcept
    {
        return value().text();
    }

    /**
     * Has it expired?
     *
     * @return  it has, and somebody may be refreshing it.
     */
    bool stale() const noexcept
    {
        return value_.stale;
    }

  private:
    friend class cache;
    cached(::girt_cache *cache, ::girt_cached value) noexcept
        : cache_(cache), value_(value)
    {
    }

    ::girt_cache *cache_ = nullptr;
    ::girt_cached value_{};
};

/** What a loader brings: a value, and how long it lives if not as the cache
 * says. */
struct loaded {
    /** The value. */
    std::string value;
    /** How long it lives; 0: as the cache says. */
    duration ttl;
};

/** A bounded cache of byte strings. */
class cache
{
  public:
    /**
     * An empty cache with default options; throws girt::error.
     *
     * @param bytes_max  keys, values and overhead together.
     */
    explicit cache(std::size_t bytes_max) : cache(with_bytes(bytes_max))
    {
    }

    /**
     * An empty cache; throws girt::error on a failure.
     *
     * @param options  what it is made of.
     */
    explicit cache(const cache_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the cache is none on a failure.
     *
     * @param options  what it is made of.
     * @param code  the failure, or cleared.
     */
    cache(const cache_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a cache?
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
    ::girt_cache *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Finds the value of a key.
     *
     * @param key  the key.
     * @return  the value, held; or nothing.
     */
    std::optional<cached> find(bytes key) const
    {
        ::girt_cached value{};
        if (detail::check(::girt_cache_get(get(), key.data(), key.size(),
                                           &value)) != GIRT_OK)
            return std::nullopt;
        return cached(get(), value);
    }

    /**
     * Stores a value; throws girt::error.
     *
     * @param key  the key.
     * @param value  copied.
     * @param ttl  how long it lives; 0: as the options say.
     */
    void put(bytes key, bytes value, duration ttl = duration())
    {
        detail::check(::girt_cache_put(get(), key.data(), key.size(),
                                       value.data(), value.size(), ttl.ns()));
    }

    /**
     * The same without an exception.
     *
     * @param key  the key.
     * @param value  copied.
     * @param ttl  how long it lives; 0: as the options say.
     * @param code  the failure, or cleared.
     */
    void put(bytes key, bytes value, duration ttl,
             std::error_code &code) noexcept
    {
        detail::report(::girt_cache_put(get(), key.data(), key.size(),
                                        value.data(), value.size(), ttl.ns()),
                       code);
    }

    /**
     * Finds the value of a key, or has it loaded: of all who ask for a key
     * that is not there exactly one runs its loader, the others wait for what
     * it brings.
     *
     * @param key  the key.
     * @param loader  called with (bytes key); answers std::optional<loaded> or
     *     loaded, nothing meaning that there is no such thing.  What it throws
     *     comes out of the call that ran it, unless there is a stale value to
     *     return instead; those who waited for it get girt::error of the same
     *     failure, or of GIRT_E_IO if it was no failure of girt.
     * @param limit  how long to wait for another's loader.
     * @return  the value, held; nothing if the loader said so.  Throws
     *     girt::error also for GIRT_TIMEOUT.
     */
    template <class Loader>
    std::optional<cached> load(bytes key, Loader &&loader,
                               timeout limit = forever)
    {
        load_call<std::remove_reference_t<Loader>> call{loader, {}, {}};
        ::girt_cached value{};
        status const answer =
            ::girt_cache_load(get(), key.data(), key.size(),
                              load_call<std::remove_reference_t<Loader>>::run,
                              &call, limit.ns(), &value);
        // A stale value serves while loads fail, whatever they throw.
        if (answer == GIRT_OK)
            return cached(get(), value);
        call.failure.rethrow();
        if (answer != GIRT_MISSING)
            detail::raise(answer);
        return std::nullopt;
    }

    /**
     * Removes a key.
     *
     * @param key  the key.
     * @return  there was a value.
     */
    bool remove(bytes key)
    {
        return detail::check(::girt_cache_remove(get(), key.data(),
                                                 key.size())) == GIRT_OK;
    }

    /** Removes every entry. */
    void clear() noexcept
    {
        ::girt_cache_clear(get());
    }

    /**
     * Shortens times to live by chance; see girt_cache_set_jitter.
     *
     * @param fraction  0 to 1.
     */
    void set_jitter(double fraction)
    {
        detail::check(::girt_cache_set_jitter(get(), fraction));
    }

    /**
     * What happened so far, and what there is.
     *
     * @return  the counts.
     */
    ::girt_cache_stats stats() const noexcept
    {
        ::girt_cache_stats counts{};
        ::girt_cache_read_stats(get(), &counts);
        return counts;
    }

    /**
     * Writes the entries to a file; see girt_cache_save.
     *
     * @param fd  open for writing.
     */
    void save(int fd) const
    {
        detail::check(::girt_cache_save(get(), fd));
    }

    /**
     * Stores the entries of a file that save wrote; see girt_cache_restore.
     *
     * @param fd  open for reading, at its beginning.
     */
    void restore(int fd)
    {
        detail::check(::girt_cache_restore(get(), fd));
    }

  private:
    struct hooks {
        std::function<void(bytes, bytes)> on_evict;
    };

    // One call of load: the value stays here while the cache copies it.
    template <class Loader> struct load_call {
        Loader &loader;
        std::optional<loaded> brought;
        detail::carried_exception failure;

        static status run(void *context, const void *key, std::size_t key_size,
                          ::girt_loaded *target) noexcept
        {
            auto &self = *static_cast<load_call *>(context);
            return self.failure.run(GIRT_E_IO, [&] {
                self.brought = self.loader(bytes(key, key_size));
                if (!self.brought)
                    return GIRT_MISSING;
                target->data = self.brought->value.data();
                target->size = self.brought->value.size();
                target->ttl_ns = self.brought->ttl.ns();
                return GIRT_OK;
            });
        }
    };

    static cache_options with_bytes(std::size_t bytes_max)
    {
        cache_options options;
        options.bytes_max = bytes_max;
        return options;
    }

    static void tell(void *context, const void *key, std::size_t key_size,
                     const void *value, std::size_t value_size) noexcept
    {
        static_cast<hooks *>(context)->on_evict({key, key_size},
                                                {value, value_size});
    }

    status create(const cache_options &options)
    {
        ::girt_cache_options plain{};
        plain.bytes_max = options.bytes_max;
        plain.entries_max = options.entries_max;
        plain.ttl_ns = options.ttl.ns();
        plain.stale_ns = options.stale.ns();
        plain.missing_ttl_ns = options.missing_ttl.ns();
        plain.policy = options.policy;
        plain.shards = options.shards;
        plain.clock = options.clock;
        plain.seed = options.seed;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        if (options.on_evict) {
            plain.on_evict = tell;
            plain.context = handle_.hooks(options.on_evict);
            if (!plain.context)
                return GIRT_E_NOMEM;
        }
        ::girt_cache *made = nullptr;
        status const answer = ::girt_cache_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::hooked_handle<::girt_cache, hooks, ::girt_cache_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_CACHE_HPP

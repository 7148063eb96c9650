// SPDX-License-Identifier: MIT
// ring.hpp - girt::ring, a consistent-hash ring; see girt/ring.h for what it
// promises.
#ifndef GIRT_CPP_RING_HPP
#define GIRT_CPP_RING_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <girt/cpp/base.hpp>
#include <girt/ring.h>

namespace girt
{

/** A member of a ring. */
struct node {
    /** 1 to 255 bytes without a NUL. */
    std::string name;
    /** 0 means 1. */
    std::uint32_t weight = 1;
};

/** What a ring is made of; see girt_ring_options for each field. */
struct ring_options {
    /** How keys find nodes. */
    ::girt_ring_kind kind = GIRT_RING_NATIVE;
    /** native only: points of a node of weight 1; 0: 1024. */
    std::uint32_t points_per_weight = 0;
    /** maglev only: slots of the table, a prime; 0: 65537. */
    std::uint32_t maglev_size = 0;
    /** Bounded load, 1.0 or more; 0: off. */
    double bound = 0;
    /** Of the hashes of keys and nodes. */
    std::uint64_t seed = 0;
    /** For metrics: at most 255 bytes. */
    std::string name;
    /** Where the ring reports itself, or NULL. */
    ::girt_metrics *metrics = nullptr;
    /** Where memory comes from; NULL: the default. */
    const ::girt_allocator *allocator = nullptr;
};

/** A consistent-hash ring that is read while it changes. */
class ring
{
  public:
    /** One load on a node, given back with the scope. */
    class load
    {
      public:
        /**
         * Takes another's load.
         *
         * @param other  has none afterwards.
         */
        load(load &&other) noexcept
            : ring_(std::exchange(other.ring_, nullptr)), id_(other.id_)
        {
        }

        load &operator=(load &&) = delete;

        /** Gives it back. */
        ~load()
        {
            ::girt_ring_release(ring_, id_);
        }

        /**
         * The node.
         *
         * @return  its id.
         */
        std::uint32_t id() const noexcept
        {
            return id_;
        }

      private:
        friend class ring;
        load(::girt_ring *from, std::uint32_t id) noexcept
            : ring_(from), id_(id)
        {
        }

        ::girt_ring *ring_;
        std::uint32_t id_;
    };

    /** A native ring without nodes; throws girt::error. */
    ring() : ring(ring_options{})
    {
    }

    /**
     * A ring without nodes; throws girt::error on a failure.
     *
     * @param options  what it is made of.
     */
    explicit ring(const ring_options &options)
    {
        detail::check(create(options));
    }

    /**
     * The same without an exception; the ring is none on a failure.
     *
     * @param options  what it is made of.
     * @param code  the failure, or cleared.
     */
    ring(const ring_options &options, std::error_code &code)
    {
        detail::report(create(options), code);
    }

    /**
     * Is there a ring?
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
    ::girt_ring *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Replaces the membership at once; throws girt::error.
     *
     * @param nodes  the new members.
     */
    void set(const std::vector<node> &nodes)
    {
        std::vector<::girt_node> plain;
        plain.reserve(nodes.size());
        for (const node &one : nodes) {
            check_name(one.name);
            plain.push_back({one.name.c_str(), one.weight});
        }
        detail::check(::girt_ring_set(get(), plain.data(), plain.size()));
    }

    /**
     * Adds a node, or changes the weight of a member; throws girt::error.
     *
     * @param name  the node's.
     * @param weight  its weight.
     * @return  it is new.
     */
    bool add(const std::string &name, std::uint32_t weight = 1)
    {
        check_name(name);
        return detail::check(::girt_ring_add(get(), name.c_str(), weight)) ==
               GIRT_OK;
    }

    /**
     * Removes a node; throws girt::error.
     *
     * @param name  the node's.
     * @return  it was a member.
     */
    bool remove(const std::string &name)
    {
        check_name(name);
        return detail::check(::girt_ring_remove(get(), name.c_str())) ==
               GIRT_OK;
    }

    /**
     * The node that owns a key.
     *
     * @param key  the key.
     * @return  its id, or nothing where there are no nodes.
     */
    std::optional<std::uint32_t> find(bytes key) const
    {
        std::uint32_t id;
        if (detail::check(::girt_ring_find(get(), key.data(), key.size(),
                                           &id)) != GIRT_OK)
            return std::nullopt;
        return id;
    }

    /**
     * The first nodes for a key, in order of preference.
     *
     * @param key  the key.
     * @param count  how many are wanted.
     * @return  their ids; fewer if there are fewer.
     */
    std::vector<std::uint32_t> find_n(bytes key, std::size_t count) const
    {
        std::size_t found = size() < count ? size() : count;
        std::vector<std::uint32_t> ids(found);
        detail::check(::girt_ring_find_n(get(), key.data(), key.size(),
                                         ids.data(), &found));
        ids.resize(found);
        return ids;
    }

    /**
     * The first node with room, and one load on it.
     *
     * @param key  the key.
     * @return  the load, or nothing where there are no nodes.
     */
    std::optional<load> acquire(bytes key)
    {
        std::uint32_t id;
        if (detail::check(::girt_ring_acquire(get(), key.data(), key.size(),
                                              &id)) != GIRT_OK)
            return std::nullopt;
        return load(get(), id);
    }

    /**
     * The name of a member.
     *
     * @param id  an id that a lookup gave.
     * @return  its name, or nothing if no member has this id any more.
     */
    std::optional<std::string> name(std::uint32_t id) const
    {
        char text[GIRT_RING_NAME_MAX + 1];
        if (detail::check(::girt_ring_name(get(), id, text, sizeof text)) !=
            GIRT_OK)
            return std::nullopt;
        return std::string(text);
    }

    /**
     * Nodes.
     *
     * @return  members.
     */
    std::size_t size() const noexcept
    {
        return ::girt_ring_count(get());
    }

    /**
     * The fraction of all keys that a node owns.
     *
     * @param name  the node's.
     * @return  0 to 1.
     */
    double share(const std::string &name) const noexcept
    {
        return name.find('\0') == std::string::npos
                   ? ::girt_ring_share(get(), name.c_str())
                   : 0;
    }

  private:
    // C would see the part before the NUL.
    static void check_name(const std::string &name)
    {
        if (name.find('\0') != std::string::npos)
            detail::raise(GIRT_E_INVALID);
    }

    status create(const ring_options &options)
    {
        ::girt_ring_options plain{};
        plain.kind = options.kind;
        plain.points_per_weight = options.points_per_weight;
        plain.maglev_size = options.maglev_size;
        plain.bound = options.bound;
        plain.seed = options.seed;
        plain.name = detail::name_or_null(options.name);
        plain.metrics = options.metrics;
        plain.allocator = options.allocator;
        ::girt_ring *made = nullptr;
        status const answer = ::girt_ring_create(&made, &plain);
        handle_.reset(made);
        return answer;
    }

    detail::handle<::girt_ring, ::girt_ring_destroy> handle_;
};

} // namespace girt

#endif // GIRT_CPP_RING_HPP

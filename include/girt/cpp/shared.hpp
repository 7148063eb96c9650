// SPDX-License-Identifier: MIT
// shared.hpp - girt::shared, a segment between processes, and girt::channel in
// it; see girt/shared.h and girt/channel.h for what they promise.
#ifndef GIRT_CPP_SHARED_HPP
#define GIRT_CPP_SHARED_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <girt/channel.h>
#include <girt/cpp/base.hpp>
#include <girt/cpp/limiter.hpp>
#include <girt/cpp/metrics.hpp>
#include <girt/shared.h>

namespace girt
{

/** A segment of memory that processes of one host share.  What was found in it
 * must end before it. */
class shared
{
  public:
    /**
     * Makes a segment for this process and its forks; throws girt::error.
     *
     * @param size  its bytes.
     */
    explicit shared(std::size_t size)
    {
        ::girt_shared *made = nullptr;
        detail::check(::girt_shared_create(&made, nullptr, size, 0));
        handle_.reset(made);
    }

    /**
     * Makes a segment with a name; throws girt::error, also for GIRT_EXISTS.
     *
     * @param name  for those who open it.
     * @param size  its bytes.
     * @param mode  who may; 0: 0600.
     */
    shared(const std::string &name, std::size_t size, unsigned mode = 0)
    {
        ::girt_shared *made = nullptr;
        must(::girt_shared_create(&made, checked(name), size, mode));
        handle_.reset(made);
    }

    /**
     * Opens a segment that another process made; throws girt::error, also for
     * GIRT_MISSING.
     *
     * @param name  its name.
     */
    explicit shared(const std::string &name)
    {
        ::girt_shared *opened = nullptr;
        must(::girt_shared_open(&opened, checked(name)));
        handle_.reset(opened);
    }

    /**
     * Opens a segment without an exception; it is none on a failure.
     *
     * @param name  its name.
     * @param code  the failure, or cleared.
     */
    shared(const std::string &name, std::error_code &code)
    {
        ::girt_shared *opened = nullptr;
        status const answer = name.find('\0') != std::string::npos
                                  ? GIRT_E_INVALID
                                  : ::girt_shared_open(&opened, name.c_str());
        code = make_error_code(answer); // GIRT_MISSING is a failure, too
        handle_.reset(opened);
    }

    /**
     * Is there a segment?
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
    ::girt_shared *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Removes a name; throws girt::error.
     *
     * @param name  whose segment stays for those who have it.
     * @return  there was such a name.
     */
    static bool unlink(const std::string &name)
    {
        return detail::check(::girt_shared_unlink(checked(name))) == GIRT_OK;
    }

    /**
     * Finds or makes a limiter; throws girt::error.
     *
     * @param name  of the part.
     * @param rate  of one that is made.
     * @return  the limiter, one for all processes.
     */
    girt::limiter limiter(const std::string &name, const ::girt_rate &rate)
    {
        ::girt_limiter_options plain{};
        plain.rate = rate;
        ::girt_limiter *made = nullptr;
        detail::check(
            ::girt_limiter_shared(&made, get(), checked(name), &plain));
        return girt::limiter(made);
    }

    /**
     * Finds or makes a keyed limiter; throws girt::error.
     *
     * @param name  of the part.
     * @param rate  of each key, of one that is made.
     * @param keys  limited at once, at least.
     * @return  the limiter, one for all processes.
     */
    girt::keyed_limiter keyed_limiter(const std::string &name,
                                      const ::girt_rate &rate, std::size_t keys)
    {
        ::girt_keyed_limiter_options plain{};
        plain.rate = rate;
        plain.keys = keys;
        ::girt_keyed_limiter *made = nullptr;
        detail::check(
            ::girt_keyed_limiter_shared(&made, get(), checked(name), &plain));
        return girt::keyed_limiter(made);
    }

    /**
     * Finds or makes a registry of metrics; throws girt::error.
     *
     * @param name  of the part.
     * @return  the registry: a scrape from any process sees all.
     */
    girt::metrics metrics(const std::string &name)
    {
        ::girt_metrics *made = nullptr;
        detail::check(::girt_metrics_shared(&made, get(), checked(name)));
        return girt::metrics(made);
    }

  private:
    // No segment is a failure here, whether C calls it one or not.
    static void must(status answer)
    {
        if (answer != GIRT_OK)
            detail::raise(answer);
    }

    // C reads up to a NUL.
    static const char *checked(const std::string &name)
    {
        if (name.find('\0') != std::string::npos)
            detail::raise(GIRT_E_INVALID);
        return name.c_str();
    }

    detail::handle<::girt_shared, ::girt_shared_close> handle_;
};

/** Bounded messages between processes. */
class channel
{
  public:
    /**
     * Finds or makes a channel; throws girt::error.
     *
     * @param in  the segment, which must live longer.
     * @param name  of the part.
     * @param capacity  messages of each sender at most.
     * @param message_max  bytes of a message at most.
     */
    channel(shared &in, const std::string &name, std::size_t capacity,
            std::size_t message_max)
        : buffer_(message_max, '\0')
    {
        ::girt_channel *made = nullptr;
        if (name.find('\0') != std::string::npos)
            detail::raise(GIRT_E_INVALID);
        detail::check(::girt_channel_open(&made, in.get(), name.c_str(),
                                          capacity, message_max));
        handle_.reset(made);
    }

    /**
     * Is there a channel?
     *
     * @return  not after it was moved from.
     */
    explicit operator bool() const noexcept
    {
        return handle_ != nullptr;
    }

    /**
     * The C object, for batches and all that has no wrapper.
     *
     * @return  it stays this object's.
     */
    ::girt_channel *get() const noexcept
    {
        return handle_.get();
    }

    /**
     * Sends a message; throws girt::error.
     *
     * @param message  copied.
     * @param limit  how long to wait for room.
     * @return  GIRT_OK: accepted, and not lost whoever dies; GIRT_FULL,
     *     GIRT_TIMEOUT.
     */
    [[nodiscard]] status send(bytes message, timeout limit = forever)
    {
        return detail::check(::girt_channel_send(get(), message.data(),
                                                 message.size(), limit.ns()));
    }

    /**
     * Receives a message; throws girt::error.  One thread at a time for one
     * object: threads that receive at once have one each.
     *
     * @param limit  how long to wait for one.
     * @return  the message, or nothing.
     */
    std::optional<std::string> receive(timeout limit = forever)
    {
        std::size_t size = 0;
        if (detail::check(::girt_channel_receive(get(), buffer_.data(),
                                                 buffer_.size(), &size,
                                                 limit.ns())) != GIRT_OK)
            return std::nullopt;
        return buffer_.substr(0, size);
    }

  private:
    std::string buffer_;
    detail::handle<::girt_channel, ::girt_channel_close> handle_;
};

} // namespace girt

#endif // GIRT_CPP_SHARED_HPP

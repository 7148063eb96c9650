// SPDX-License-Identifier: MIT
// error.hpp - what the library answers, as C++ reports it.
//
// A girt_status is an outcome (0 and above: GIRT_OK, GIRT_EMPTY, GIRT_LIMITED)
// or a failure (below 0).  Outcomes are returned; failures are thrown as
// girt::error, or put into a std::error_code where the call takes one.
// Failures compare equal to the std::errc that says the same.
#ifndef GIRT_CPP_ERROR_HPP
#define GIRT_CPP_ERROR_HPP

#include <exception>
#include <string>
#include <system_error>

#include <girt/status.h>

namespace girt
{

/** What a call answers; see girt/status.h. */
using status = ::girt_status;

namespace detail
{

class status_category final : public std::error_category
{
  public:
    const char *name() const noexcept override
    {
        return "girt";
    }

    std::string message(int value) const override
    {
        return ::girt_status_text(static_cast<::girt_status>(value));
    }

    std::error_condition default_error_condition(
        int value) const noexcept override
    {
        switch (value) {
        case GIRT_EMPTY:
        case GIRT_FULL:
            return std::errc::resource_unavailable_try_again;
        case GIRT_TIMEOUT:
            return std::errc::timed_out;
        case GIRT_EXISTS:
            return std::errc::file_exists;
        case GIRT_E_INVALID:
            return std::errc::invalid_argument;
        case GIRT_E_NOMEM:
            return std::errc::not_enough_memory;
        case GIRT_E_TOO_LARGE:
            return std::errc::value_too_large;
        case GIRT_E_BUSY:
            return std::errc::device_or_resource_busy;
        case GIRT_E_IO:
            return std::errc::io_error;
        case GIRT_E_PROTOCOL:
            return std::errc::protocol_error;
        default:
            return {value, *this};
        }
    }
};

} // namespace detail

/**
 * The category of every code that is made of a girt_status.
 *
 * @return  the one there is.
 */
inline const std::error_category &category() noexcept
{
    static const detail::status_category one;
    return one;
}

} // namespace girt

// A girt_status is an error code.
/// @cond
template <> struct std::is_error_code_enum<::girt_status> : std::true_type {
};
/// @endcond

/**
 * Makes `std::error_code code = GIRT_E_NOMEM;` work.
 *
 * @param status  what a call answered; GIRT_OK is no error.
 * @return  the code, of girt::category().
 */
inline std::error_code make_error_code(::girt_status status) noexcept
{
    return {static_cast<int>(status), girt::category()};
}

namespace girt
{

/** A failure. */
class error : public std::system_error
{
  public:
    /**
     * Of a status.
     *
     * @param failure  what the call answered.
     */
    explicit error(::girt_status failure)
        : std::system_error(make_error_code(failure))
    {
    }

    /**
     * What the call answered.
     *
     * @return  its status.
     */
    ::girt_status status() const noexcept
    {
        return static_cast<::girt_status>(code().value());
    }
};

namespace detail
{

// For programs that are built without exceptions a failure that nobody asked
// for with an error_code ends the program.
[[noreturn]] inline void raise(::girt_status failure)
{
#if defined(__cpp_exceptions)
    throw error(failure);
#else
    static_cast<void>(failure);
    std::terminate();
#endif
}

inline ::girt_status check(::girt_status answer)
{
    if (answer < 0)
        raise(answer);
    return answer;
}

inline ::girt_status report(::girt_status answer,
                            std::error_code &code) noexcept
{
    if (answer < 0)
        code = make_error_code(answer);
    else
        code.clear();
    return answer;
}

} // namespace detail
} // namespace girt

#endif // GIRT_CPP_ERROR_HPP

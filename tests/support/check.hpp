// SPDX-License-Identifier: MIT
// check.hpp - check.h for tests in C++, and what they count with.
#ifndef GIRT_TESTS_CHECK_HPP
#define GIRT_TESTS_CHECK_HPP

#include <atomic>
#include <system_error>
#include <utility>

#include <chrono>
#include <limits>
#include <ratio>

#include <girt/girt.hpp>

extern "C" {
#include "support/check.h"
}

// The call throws girt::error of that status.
#define check_throws(expression, expected)                                     \
    do {                                                                       \
        girt_status thrown = GIRT_OK;                                          \
        try {                                                                  \
            static_cast<void>(expression);                                     \
        } catch (const girt::error &failure) {                                 \
            thrown = failure.status();                                         \
        }                                                                      \
        check_status(thrown, expected);                                        \
    } while (0)

// A value that moves, does not copy, and is counted while it lives.
class counted
{
  public:
    static inline std::atomic<int> alive{0};

    explicit counted(int number) : number_(number)
    {
        alive++;
    }
    counted(counted &&other) noexcept
        : number_(std::exchange(other.number_, -1))
    {
        alive++;
    }
    counted &operator=(counted &&other) noexcept
    {
        number_ = std::exchange(other.number_, -1);
        return *this;
    }
    ~counted()
    {
        alive--;
    }
    int number() const
    {
        return int(number_);
    }

  private:
    long number_; // and no trivial copy: boxed in a queue
};

#endif // GIRT_TESTS_CHECK_HPP

// SPDX-License-Identifier: MIT
// girt.hpp - girt for C++17: types that own, times of std::chrono, optionals
// for lookups, and the fast calls inlined.
//
//     girt::queue<std::unique_ptr<job>> jobs(1024);
//     girt::map<std::string, counts> by_client;
//     girt::limiter limiter(girt::rate(100, 1s, 20));
//
// Header only, over the C library: link libgirt.  The C headers say what each
// part promises to several threads, after fork and at thread exit; nothing of
// that changes here.
//
// Outcomes are returned (girt::status, bool, std::optional); failures are
// thrown as girt::error, or put into a std::error_code where the call takes
// one.  Exceptions do not pass through C: what a function throws that girt
// calls while the caller waits (update, each, view, load) comes out of that
// call (of load not where the cache has a stale value to give); hooks (dropped, on_evict, on_change) and tasks of workers must not
// throw, and end the program if they do.
//
// Every type moves and does not copy; what was moved from can be assigned to
// and destroyed, and is false as a bool.
//
// Programs that want plain calls, to change libgirt without compiling anew,
// define GIRT_PLAIN_CALLS before the include.
#ifndef GIRT_GIRT_HPP
#define GIRT_GIRT_HPP

#if !defined(GIRT_INLINE_FAST) && !defined(GIRT_PLAIN_CALLS)
#define GIRT_INLINE_FAST
#endif

#include <girt/girt.h>

#include <girt/cpp/base.hpp>
#include <girt/cpp/cache.hpp>
#include <girt/cpp/epoch.hpp>
#include <girt/cpp/error.hpp>
#include <girt/cpp/fast_queue.hpp>
#include <girt/cpp/guard.hpp>
#include <girt/cpp/limiter.hpp>
#include <girt/cpp/map.hpp>
#include <girt/cpp/map64.hpp>
#include <girt/cpp/metrics.hpp>
#include <girt/cpp/queue.hpp>
#include <girt/cpp/ring.hpp>
#include <girt/cpp/shared.hpp>
#include <girt/cpp/trace.hpp>
#include <girt/cpp/workers.hpp>

#endif // GIRT_GIRT_HPP

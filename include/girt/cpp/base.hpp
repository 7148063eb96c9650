// SPDX-License-Identifier: MIT
// base.hpp - what every wrapper uses: byte strings, times, handles, and
// exceptions that must not cross C.
#ifndef GIRT_CPP_BASE_HPP
#define GIRT_CPP_BASE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <girt/cpp/error.hpp>

namespace girt
{

/** A reference to bytes that somebody else keeps: of a string, a string view,
 * or anything with data() and size() whose elements can be copied as bytes
 * (std::vector, std::array, std::span). */
class bytes
{
  public:
    /** No bytes. */
    constexpr bytes() noexcept = default;

    /**
     * Of memory.
     *
     * @param data  where it is.
     * @param size  bytes.
     */
    constexpr bytes(const void *data, std::size_t size) noexcept
        : data_(data), size_(size)
    {
    }

    /**
     * Of a text, up to its NUL.
     *
     * @param text  not NULL.
     */
    constexpr bytes(const char *text) noexcept : bytes(std::string_view(text))
    {
    }

    /**
     * Of a string view.
     *
     * @param text  its characters.
     */
    constexpr bytes(std::string_view text) noexcept
        : data_(text.data()), size_(text.size())
    {
    }

    /**
     * Of anything contiguous.
     *
     * @param from  it has data() and size().
     */
    template <class From,
              class Element = std::remove_pointer_t<
                  decltype(std::declval<const From &>().data())>,
              class = std::enable_if_t<std::is_trivially_copyable_v<Element> &&
                                       !std::is_same_v<From, bytes> &&
                                       !std::is_same_v<From, std::string_view>>>
    constexpr bytes(const From &from) noexcept
        : data_(from.data()), size_(from.size() * sizeof(Element))
    {
    }

    /**
     * Where they are.
     *
     * @return  the first byte.
     */
    constexpr const void *data() const noexcept
    {
        return data_;
    }

    /**
     * How many.
     *
     * @return  bytes.
     */
    constexpr std::size_t size() const noexcept
    {
        return size_;
    }

    /**
     * As text.
     *
     * @return  a view of the same bytes.
     */
    std::string_view text() const noexcept
    {
        return {static_cast<const char *>(data_), size_};
    }

  private:
    const void *data_ = nullptr;
    std::size_t size_ = 0;
};

/** For time limits: do not wait. */
inline constexpr std::chrono::nanoseconds now{GIRT_NOW};
/** For time limits: wait as long as it takes. */
inline constexpr std::chrono::nanoseconds forever{GIRT_FOREVER};

namespace detail
{

// INT64_MIN: it is not a number.  What is cast is what was compared: a
// conversion may round up.
template <class Rep, class Period>
constexpr std::int64_t saturated_ns(
    std::chrono::duration<Rep, Period> length) noexcept
{
    using std::chrono::duration;
    if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
        auto const ns =
            duration<std::common_type_t<Rep, double>, std::nano>(length)
                .count();
        if (ns >= 0x1p63)
            return INT64_MAX;
        return ns >= -0x1p63 ? static_cast<std::int64_t>(ns) : INT64_MIN;
    } else {
        auto const ns = duration<long double, std::nano>(length).count();
        if (ns >= 0x1p63L)
            return INT64_MAX;
        if (ns < -0x1p63L)
            return INT64_MIN;
        return std::chrono::duration_cast<std::chrono::nanoseconds>(length)
            .count();
    }
}

} // namespace detail

/** A length of time, as options and times to live take it; any
 * std::chrono::duration becomes one.  What is over 292 years is 292 years, a
 * fraction of a nanosecond is dropped, and what is negative, or not a number,
 * is refused by whoever is given it. */
class duration
{
  public:
    /** None. */
    constexpr duration() noexcept = default;

    /**
     * Of a duration.
     *
     * @param length  how long.
     */
    template <class Rep, class Period>
    constexpr duration(std::chrono::duration<Rep, Period> length) noexcept
        : ns_(detail::saturated_ns(length))
    {
    }

    /**
     * In nanoseconds.
     *
     * @return  how many.
     */
    constexpr std::int64_t ns() const noexcept
    {
        return ns_;
    }

    /**
     * As the standard library's.
     *
     * @return  the same length.
     */
    constexpr operator std::chrono::nanoseconds() const noexcept
    {
        return std::chrono::nanoseconds(ns_);
    }

  private:
    std::int64_t ns_ = 0;
};

/** A time limit; any std::chrono::duration becomes one.  What is negative or
 * not a number is no time, what is over 292 years is for ever, and a fraction
 * of a nanosecond is dropped. */
class timeout
{
  public:
    /**
     * Of a duration.
     *
     * @param length  how long.
     */
    template <class Rep, class Period>
    constexpr timeout(std::chrono::duration<Rep, Period> length) noexcept
        : ns_(detail::saturated_ns(length))
    {
        if (ns_ < 0)
            ns_ = 0;
    }

    /**
     * In nanoseconds.
     *
     * @return  0 and above; GIRT_FOREVER: no limit.
     */
    constexpr std::int64_t ns() const noexcept
    {
        return ns_;
    }

  private:
    std::int64_t ns_;
};

namespace detail
{

// Owns a C object.
template <class Object, void (*Destroy)(Object *)> struct destroyer {
    void operator()(Object *object) const noexcept
    {
        Destroy(object);
    }
};
template <class Object, void (*Destroy)(Object *)>
using handle = std::unique_ptr<Object, destroyer<Object, Destroy>>;

// The same, for an object that calls hooks: these go after it.
template <class Object, class Hooks, void (*Destroy)(Object *)>
class hooked_handle
{
  public:
    hooked_handle() noexcept = default;
    hooked_handle(hooked_handle &&other) noexcept
        : hooks_(std::move(other.hooks_)), object_(other.object_)
    {
        other.object_ = nullptr;
    }
    hooked_handle &operator=(hooked_handle &&other) noexcept
    {
        if (this != &other) {
            Destroy(
                std::exchange(object_, std::exchange(other.object_, nullptr)));
            hooks_ = std::move(other.hooks_);
        }
        return *this;
    }
    ~hooked_handle()
    {
        Destroy(object_);
    }

    // Hooks first: the object may call them from its first moment.  NULL: no
    // memory for them, or for what the function holds.
    template <class Function> Hooks *hooks(const Function &function)
    {
#if defined(__cpp_exceptions)
        try {
            hooks_ = std::make_unique<Hooks>(Hooks{function});
        } catch (const std::bad_alloc &) {
            return nullptr;
        }
#else
        hooks_ = std::make_unique<Hooks>(Hooks{function});
#endif
        return hooks_.get();
    }
    void reset(Object *object) noexcept
    {
        object_ = object;
    }
    Object *get() const noexcept
    {
        return object_;
    }

  private:
    std::unique_ptr<Hooks> hooks_;
    Object *object_ = nullptr;
};

// Options take a name as C does: none is NULL.  C would see the part before a
// NUL; the empty one is invalid there.
inline const char *name_or_null(const std::string &name) noexcept
{
    if (name.empty())
        return nullptr;
    return name.find('\0') == std::string::npos ? name.c_str() : "";
}

// A queue moves it.
template <class T>
inline constexpr bool is_movable_item =
    std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T> &&
    !std::is_volatile_v<T>;

// Carries an exception around a C function that must not see it.
class carried_exception
{
  public:
    template <class Function, class Result>
    Result run(Result otherwise, Function &&function) noexcept
    {
#if defined(__cpp_exceptions)
        failure_ = nullptr;
        try {
            return function();
        } catch (const error &failure) {
            failure_ = std::current_exception();
            // A failure keeps its name on the way through C; an outcome that
            // was thrown is not one of this call.
            if constexpr (std::is_same_v<Result, ::girt_status>)
                if (failure.status() < 0)
                    return failure.status();
        } catch (...) {
            failure_ = std::current_exception();
        }
        return otherwise;
#else
        static_cast<void>(otherwise);
        return function();
#endif
    }

    void rethrow() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
    }

  private:
    std::exception_ptr failure_;
};

// Calls a function that may answer false to stop, or nothing: to go on.
template <class Function, class... Arguments>
bool goes_on(Function &function, Arguments &&...arguments)
{
    if constexpr (std::is_void_v<decltype(function(
                      std::forward<Arguments>(arguments)...))>) {
        function(std::forward<Arguments>(arguments)...);
        return true;
    } else {
        return bool(function(std::forward<Arguments>(arguments)...));
    }
}

// Has C write a text, piece by piece, into a function of C++.
template <class Object, class Format, class Sink>
void write_text(status (*write)(Object *, Format,
                                bool (*)(void *, const char *, std::size_t),
                                void *),
                Object *object, Format format, Sink &sink)
{
    struct write_call {
        Sink &sink;
        carried_exception failure;
    } call{sink, {}};
    status const answer = write(
        object, format,
        [](void *context, const char *text, std::size_t size) {
            auto &self = *static_cast<write_call *>(context);
            return self.failure.run(false, [&] {
                return goes_on(self.sink, std::string_view(text, size));
            });
        },
        &call);
    call.failure.rethrow();
    check(answer);
}

} // namespace detail
} // namespace girt

#endif // GIRT_CPP_BASE_HPP

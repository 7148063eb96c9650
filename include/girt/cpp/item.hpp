// SPDX-License-Identifier: MIT
// item.hpp - how a C++ value travels through a queue of pointers.
//
// A queue moves one word.  Pointers and small trivially copyable values are
// that word; a std::unique_ptr gives up its pointer and takes it again; any
// other type is moved into memory of its own, one allocation an item.
#ifndef GIRT_CPP_ITEM_HPP
#define GIRT_CPP_ITEM_HPP

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace girt::detail
{

template <class T>
inline constexpr bool is_word =
    std::is_trivially_copyable_v<T> &&std::is_default_constructible_v<T> &&
    sizeof(T) <= sizeof(void *);

// wrap: the word of a value, which is moved from.  unwrap: the value again.
// restore: gives a word that was not accepted back to where it came from.
// drop: ends a word that nobody will take.
template <class T, class = void> struct item {
    static_assert(std::is_nothrow_move_constructible_v<T> &&
                      std::is_nothrow_move_assignable_v<T> &&
                      std::is_nothrow_destructible_v<T>,
                  "a queue must be able to move its items without failing");
    static constexpr bool owns = true;

    static void *wrap(T &value)
    {
        return new T(std::move(value));
    }
    static T unwrap(void *word) noexcept
    {
        std::unique_ptr<T> const box(static_cast<T *>(word));
        return std::move(*box);
    }
    static void restore(T &value, void *word) noexcept
    {
        value = unwrap(word);
    }
    static void drop(void *word) noexcept
    {
        delete static_cast<T *>(word);
    }
};

template <class T> struct item<T, std::enable_if_t<is_word<T>>> {
    static constexpr bool owns = false;

    static void *wrap(T &value) noexcept
    {
        void *word = nullptr;
        std::memcpy(&word, &value, sizeof(T));
        return word;
    }
    static T unwrap(void *word) noexcept
    {
        T value;
        std::memcpy(&value, &word, sizeof(T));
        return value;
    }
    static void restore(T &, void *) noexcept
    {
    }
    static void drop(void *) noexcept
    {
    }
};

template <class T, class Deleter> struct item<std::unique_ptr<T, Deleter>> {
    using pointer = typename std::unique_ptr<T, Deleter>::pointer;
    static_assert(std::is_pointer_v<pointer> && std::is_empty_v<Deleter> &&
                      std::is_default_constructible_v<Deleter>,
                  "only the pointer travels: its deleter must hold no state");
    static constexpr bool owns = true;

    static void *wrap(std::unique_ptr<T, Deleter> &value) noexcept
    {
        return const_cast<void *>(static_cast<const void *>(value.release()));
    }
    static std::unique_ptr<T, Deleter> unwrap(void *word) noexcept
    {
        return std::unique_ptr<T, Deleter>(static_cast<pointer>(word));
    }
    static void restore(std::unique_ptr<T, Deleter> &value, void *word) noexcept
    {
        value.reset(static_cast<pointer>(word));
    }
    static void drop(void *word) noexcept
    {
        unwrap(word).reset();
    }
};

// The same for several: all of them, or an exception and none.
template <class T>
void restore_n(T values[], void *words[], std::size_t from,
               std::size_t to) noexcept
{
    for (std::size_t i = from; i < to; i++)
        item<T>::restore(values[i], words[i]);
}

template <class T> void wrap_n(T values[], void *words[], std::size_t count)
{
    std::size_t done = 0;
#if defined(__cpp_exceptions)
    try {
        for (; done < count; done++)
            words[done] = item<T>::wrap(values[done]);
    } catch (...) {
        restore_n(values, words, 0, done);
        throw;
    }
#else
    for (; done < count; done++)
        words[done] = item<T>::wrap(values[done]);
#endif
}

} // namespace girt::detail

#endif // GIRT_CPP_ITEM_HPP

/* SPDX-License-Identifier: MIT */
/* map_bytes.hpp - byte keys and values as C++ maps take them. */
#ifndef GIRT_MAP_BYTES_HPP
#define GIRT_MAP_BYTES_HPP

#include <string>
#include <string_view>

#include "bench_map.h"

namespace
{
using map_key = map_bytes_key;
using map_value = map_bytes_value;

inline std::string_view view_of(map_key key)
{
    return {key.data, key.size};
}
} // namespace

#endif /* GIRT_MAP_BYTES_HPP */

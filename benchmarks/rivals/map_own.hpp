/* SPDX-License-Identifier: MIT */
/* map_own.hpp - making and freeing a rival that is a C++ object: map_type,
 * defined before this is included. */
#ifndef GIRT_MAP_OWN_HPP
#define GIRT_MAP_OWN_HPP

#include <cstddef>

namespace
{
void *map_make(std::size_t expected)
{
    return expected > 0 ? new map_type(expected) : new map_type;
}

void map_free(void *map)
{
    delete static_cast<map_type *>(map);
}
} // namespace

#endif /* GIRT_MAP_OWN_HPP */

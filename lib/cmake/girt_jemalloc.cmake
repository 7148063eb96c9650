# SPDX-License-Identifier: MIT
# girt::jemalloc - makes jemalloc the malloc of a program that links it, where
# jemalloc is found.  libgirt itself never links it (a library that needs its
# static TLS cannot be dlopened).
#
# One -Wl item, so that nothing comes between: a program that calls no function
# of jemalloc would lose it to a linker that defaults to --as-needed.
find_library(GIRT_JEMALLOC_LIBRARY jemalloc)
mark_as_advanced(GIRT_JEMALLOC_LIBRARY)
if(GIRT_JEMALLOC_LIBRARY AND NOT TARGET girt::jemalloc)
    add_library(girt::jemalloc INTERFACE IMPORTED GLOBAL)
    set_target_properties(girt::jemalloc PROPERTIES INTERFACE_LINK_LIBRARIES
        "-Wl,--push-state,--no-as-needed,${GIRT_JEMALLOC_LIBRARY},--pop-state")
endif()

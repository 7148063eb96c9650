# SPDX-License-Identifier: MIT
# FindCK - Concurrency Kit, which ships a ck.pc only (whose Cflags define
# __x86_64__ everywhere) and no CMake package.  Defines CK::ck.
find_path(CK_INCLUDE_DIR ck_pr.h)
find_library(CK_LIBRARY ck)
mark_as_advanced(CK_INCLUDE_DIR CK_LIBRARY)

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(CK_PC QUIET ck)
    set(CK_VERSION ${CK_PC_VERSION})
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CK
    REQUIRED_VARS CK_LIBRARY CK_INCLUDE_DIR VERSION_VAR CK_VERSION)

if(CK_FOUND AND NOT TARGET CK::ck)
    add_library(CK::ck UNKNOWN IMPORTED)
    set_target_properties(CK::ck PROPERTIES
        IMPORTED_LOCATION "${CK_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${CK_INCLUDE_DIR}")
endif()

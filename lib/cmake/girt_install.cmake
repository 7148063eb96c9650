# SPDX-License-Identifier: MIT
# What is installed: headers, both libraries, girt.pc, the CMake package; and
# the Debian packages libgirt0 (to run) and libgirt-dev (to build), with
# libgirt-serve0 and libgirt-serve-dev where libgirt-serve is built.
include(CMakePackageConfigHelpers)

set(girt_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/girt)
set_target_properties(girt_static PROPERTIES EXPORT_NAME static)

install(TARGETS girt EXPORT girt-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT runtime NAMELINK_COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS girt_static EXPORT girt-static-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/girt
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp" PATTERN "serve.h" EXCLUDE)

# Component by component, the package that it becomes.
set(girt_components runtime development)
set(girt_package_runtime libgirt${PROJECT_VERSION_MAJOR})
set(girt_package_development libgirt-dev)
if(TARGET girt_serve)
    list(APPEND girt_components serve serve-development)
    set(girt_package_serve libgirt-serve${PROJECT_VERSION_MAJOR})
    set(girt_package_serve-development libgirt-serve-dev)
endif()
foreach(component ${girt_components})
    # Debian wants the licence in each package, under its name.
    install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${girt_package_${component}}
        COMPONENT ${component})
endforeach()

# The CMake package. Static targets are apart: they need CK, the shared one
# does not.
foreach(set girt-targets girt-static-targets)
    install(EXPORT ${set} NAMESPACE girt:: DESTINATION ${girt_package_dir}
        COMPONENT development)
endforeach()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/girt-config.cmake.in
    ${CMAKE_CURRENT_BINARY_DIR}/girt-config.cmake
    INSTALL_DESTINATION ${girt_package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(
    ${CMAKE_CURRENT_BINARY_DIR}/girt-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/girt-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/girt-config-version.cmake
    ${CMAKE_CURRENT_LIST_DIR}/FindCK.cmake
    ${CMAKE_CURRENT_LIST_DIR}/girt_jemalloc.cmake
    DESTINATION ${girt_package_dir} COMPONENT development)

# girt.pc, relative to where it stands unless a directory is absolute. No
# "Requires.private: ck": ck.pc's Cflags define __x86_64__ everywhere.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(girt_pc_prefix ${CMAKE_INSTALL_PREFIX})
    set(girt_pc_libdir ${CMAKE_INSTALL_LIBDIR})
else()
    file(RELATIVE_PATH girt_pc_up
        /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    string(REGEX REPLACE "/$" "" girt_pc_up "${girt_pc_up}")
    set(girt_pc_prefix "\${pcfiledir}/${girt_pc_up}")
    set(girt_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(girt_pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
else()
    set(girt_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/girt.pc.in
    ${CMAKE_CURRENT_BINARY_DIR}/girt.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/girt.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# Debian packages: `cpack -G DEB` in the build tree.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME girt)
set(CPACK_PACKAGE_VENDOR girt)
set(CPACK_PACKAGE_CONTACT "girt developers <girt@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL ${girt_components})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
foreach(component ${girt_components})
    string(TOUPPER ${component} upper)
    set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${girt_package_${component}})
    if(component MATCHES "development")
        set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION libdevel)
    else()
        set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION libs)
        set(CPACK_DEBIAN_${upper}_PACKAGE_SHLIBDEPS ON)
        set(CPACK_DEBIAN_${upper}_PACKAGE_GENERATE_SHLIBS ON)
        set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA
            ${CMAKE_CURRENT_LIST_DIR}/triggers)
    endif()
endforeach()
# libgirt.so.0 is looked for where it was built: no installed package has it.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR})
set(same_version "(= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${girt_package_runtime} ${same_version}, libck-dev")
set(CPACK_DEBIAN_SERVE_PACKAGE_DEPENDS "${girt_package_runtime} ${same_version}")
set(CPACK_DEBIAN_SERVE-DEVELOPMENT_PACKAGE_DEPENDS
    "${girt_package_serve} ${same_version}, ${girt_package_development} ${same_version}")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "The shared library.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "Headers, the archive, girt.pc and the CMake package.")
set(CPACK_COMPONENT_SERVE_DESCRIPTION "A registry over HTTP.")
set(CPACK_COMPONENT_SERVE-DEVELOPMENT_DESCRIPTION
    "The header of libgirt-serve and its CMake targets.")
include(CPack)

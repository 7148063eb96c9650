# SPDX-License-Identifier: MIT
# libgirt-serve: a registry over HTTP, where libmicrohttpd is found. Apart from
# libgirt, so that no program needs libmicrohttpd that does not serve.
find_path(MICROHTTPD_INCLUDE_DIR microhttpd.h)
find_library(MICROHTTPD_LIBRARY microhttpd)
mark_as_advanced(MICROHTTPD_INCLUDE_DIR MICROHTTPD_LIBRARY)
if(NOT MICROHTTPD_INCLUDE_DIR OR NOT MICROHTTPD_LIBRARY)
    message(STATUS "No libgirt-serve: libmicrohttpd (libmicrohttpd-dev) not found")
    return()
endif()

file(GLOB girt_serve_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/serve/*.c)
set(girt_serve_page ${PROJECT_SOURCE_DIR}/lib/serve/live.html)
set_source_files_properties(${PROJECT_SOURCE_DIR}/lib/serve/serve_page.c PROPERTIES
    OBJECT_DEPENDS ${girt_serve_page}
    COMPILE_DEFINITIONS "GIRT_SERVE_PAGE=\"${girt_serve_page}\"")

add_library(girt_serve_objects OBJECT ${girt_serve_sources})
target_link_libraries(girt_serve_objects PRIVATE girt_compile)
target_include_directories(girt_serve_objects PRIVATE
    ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/include)
target_include_directories(girt_serve_objects SYSTEM PRIVATE ${MICROHTTPD_INCLUDE_DIR})
set_target_properties(girt_serve_objects PROPERTIES
    POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)

# libgirt.so shows none of its internals: the shared library has the few lines
# about allocators once more.
add_library(girt_serve SHARED $<TARGET_OBJECTS:girt_serve_objects>
    ${PROJECT_SOURCE_DIR}/lib/core/alloc.c ${PROJECT_SOURCE_DIR}/lib/core/assert.c)
target_include_directories(girt_serve PRIVATE ${PROJECT_SOURCE_DIR}/lib)
target_link_libraries(girt_serve PUBLIC girt PRIVATE girt_compile ${MICROHTTPD_LIBRARY}
    CK::ck Threads::Threads)
target_link_options(girt_serve PRIVATE
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/lib/cmake/girt-serve.map)
set_target_properties(girt_serve PROPERTIES OUTPUT_NAME girt-serve EXPORT_NAME serve
    C_VISIBILITY_PRESET hidden
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/lib/cmake/girt-serve.map)

add_library(girt_serve_static STATIC $<TARGET_OBJECTS:girt_serve_objects>)
target_link_libraries(girt_serve_static PUBLIC girt_static ${MICROHTTPD_LIBRARY})
set_target_properties(girt_serve_static PROPERTIES OUTPUT_NAME girt-serve LINKER_LANGUAGE C)

add_library(girt::serve ALIAS girt_serve)

if(NOT GIRT_INSTALL)
    return()
endif()
set(girt_serve_package ${CMAKE_INSTALL_LIBDIR}/cmake/girt)
install(TARGETS girt_serve EXPORT girt-serve-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT serve NAMELINK_COMPONENT serve-development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/include/girt/serve.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/girt COMPONENT serve-development)
install(EXPORT girt-serve-targets NAMESPACE girt:: DESTINATION ${girt_serve_package}
    COMPONENT serve-development)

# SPDX-License-Identifier: MIT
# Goal: what `cmake --install` leaves is all that a program needs, found by
# find_package and by pkg-config, shared and static; jemalloc becomes malloc when
# asked for; the Debian packages hold the same files.
# Method: install the finished build below WORK, move the prefix away from
# where it was installed, build consumer/ against it, run it.
#
# cmake -D BUILD= -D SOURCE= -D WORK= -D C_COMPILER= -P install.cmake
cmake_minimum_required(VERSION 3.25)
set(prefix ${WORK}/moved)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

function(run)
    cmake_parse_arguments(arg "" "OUTPUT;DIRECTORY" "COMMAND" ${ARGN})
    if(NOT arg_DIRECTORY)
        set(arg_DIRECTORY ${WORK})
    endif()
    execute_process(COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${arg_DIRECTORY}
        OUTPUT_VARIABLE output ERROR_VARIABLE error RESULT_VARIABLE result
        OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT result EQUAL 0)
        list(JOIN arg_COMMAND " " command)
        message(FATAL_ERROR "${command}\n${output}\n${error}\nexit ${result}")
    endif()
    if(arg_OUTPUT)
        set(${arg_OUTPUT} "${output}" PARENT_SCOPE)
    endif()
endfunction()

function(expect_match text pattern what)
    if(NOT "${text}" MATCHES "${pattern}")
        message(FATAL_ERROR "${what}: no \"${pattern}\" in\n${text}")
    endif()
endfunction()

function(expect_no_match text pattern what)
    if("${text}" MATCHES "${pattern}")
        message(FATAL_ERROR "${what}: \"${pattern}\" in\n${text}")
    endif()
endfunction()

# ---- install, and move: nothing may remember the place ----
run(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/installed)
file(RENAME ${WORK}/installed ${prefix})
file(GLOB_RECURSE installed RELATIVE ${prefix} ${prefix}/*)
foreach(file include/girt/ring.h include/girt/status.h)
    if(NOT file IN_LIST installed)
        message(FATAL_ERROR "${file} is not installed")
    endif()
endforeach()
expect_no_match("${installed}" "ck_|_internal" "installed files")

# ---- soname ----
file(GLOB_RECURSE library ${prefix}/libgirt.so.0)
find_program(READELF readelf)
if(READELF)
    run(COMMAND ${READELF} -d ${library} OUTPUT dynamic)
    expect_match("${dynamic}" "SONAME.*libgirt\\.so\\.0\\]" "soname")
    expect_no_match("${dynamic}" "jemalloc" "needed libraries")
endif()
get_filename_component(libdir ${library} DIRECTORY)

# ---- find_package ----
run(COMMAND ${CMAKE_COMMAND} -S ${SOURCE}/tests/api/consumer -B ${WORK}/consumer
    -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_C_COMPILER=${C_COMPILER}
    -D CMAKE_BUILD_TYPE=Release)
run(COMMAND ${CMAKE_COMMAND} --build ${WORK}/consumer)
set(programs with_shared with_static)
if(EXISTS ${WORK}/consumer/with_jemalloc)
    list(APPEND programs with_jemalloc)
else()
    message(STATUS "girt::jemalloc not tested: no jemalloc")
endif()
if(EXISTS ${WORK}/consumer/with_serve)
    list(APPEND programs with_serve)
elseif("lib/cmake/girt/girt-serve-targets.cmake" IN_LIST installed)
    message(FATAL_ERROR "girt::serve is installed and not found")
else()
    message(STATUS "girt::serve not tested: built without libmicrohttpd")
endif()
find_program(LDD ldd)
foreach(program ${programs})
    run(COMMAND ${WORK}/consumer/${program} OUTPUT output)
    expect_match("${output}" "^girt 0\\." ${program})
endforeach()
if(LDD)
    run(COMMAND ${LDD} ${WORK}/consumer/with_shared OUTPUT needs)
    expect_match("${needs}" "${prefix}/.*libgirt\\.so\\.0" with_shared)
    run(COMMAND ${LDD} ${WORK}/consumer/with_static OUTPUT needs)
    expect_no_match("${needs}" "libgirt" with_static)
endif()
# Another minor version of 0.x is another interface: not found.
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE}/tests/api/consumer
    -B ${WORK}/other -D CMAKE_PREFIX_PATH=${prefix} -D WANTED_VERSION=0.9
    -D CMAKE_C_COMPILER=${C_COMPILER}
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
if(result EQUAL 0)
    message(FATAL_ERROR "find_package(girt 0.9) found another version")
endif()

# ---- pkg-config ----
find_program(PKG_CONFIG NAMES pkg-config pkgconf)
if(PKG_CONFIG)
    set(ENV{PKG_CONFIG_PATH} ${libdir}/pkgconfig)
    run(COMMAND ${PKG_CONFIG} --cflags --libs girt OUTPUT flags)
    expect_no_match("${flags}" "x86_64__|-lck" "pkg-config")
    separate_arguments(flags UNIX_COMMAND "${flags}")
    run(COMMAND ${C_COMPILER} -o ${WORK}/pc_shared
        ${SOURCE}/tests/api/consumer/consumer.c ${flags} -Wl,-rpath,${libdir})
    run(COMMAND ${WORK}/pc_shared OUTPUT output)
    expect_match("${output}" "^girt 0\\." "pkg-config, shared")

    run(COMMAND ${PKG_CONFIG} --static --cflags --libs girt OUTPUT flags)
    expect_match("${flags}" "-lgirt -lck -pthread" "pkg-config --static")
    separate_arguments(flags UNIX_COMMAND "${flags}")
    run(COMMAND ${C_COMPILER} -static -o ${WORK}/pc_static
        ${SOURCE}/tests/api/consumer/consumer.c ${flags})
    run(COMMAND ${WORK}/pc_static OUTPUT output)
    expect_match("${output}" "^girt 0\\." "pkg-config, static")
else()
    message(STATUS "girt.pc not tested: no pkg-config")
endif()

# ---- Debian packages ----
find_program(DPKG_DEB dpkg-deb)
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
if(DPKG_DEB AND DPKG_SHLIBDEPS)
    get_filename_component(bin ${CMAKE_COMMAND} DIRECTORY)
    run(COMMAND ${bin}/cpack -G DEB --config ${BUILD}/CPackConfig.cmake
        -B ${WORK}/deb)
    file(GLOB runtime ${WORK}/deb/libgirt0_*.deb)
    file(GLOB development ${WORK}/deb/libgirt-dev_*.deb)
    run(COMMAND ${DPKG_DEB} -f ${runtime} Depends OUTPUT depends)
    expect_match("${depends}" "libck0" "libgirt0 depends")
    expect_match("${depends}" "libc6" "libgirt0 depends")
    run(COMMAND ${DPKG_DEB} -f ${development} Depends OUTPUT depends)
    expect_match("${depends}" "libgirt0 \\(= 0\\." "libgirt-dev depends")
    run(COMMAND ${DPKG_DEB} -c ${runtime} OUTPUT files)
    expect_match("${files}" "/usr/lib[^ ]*/libgirt\\.so\\.0 ->" "libgirt0")
    expect_no_match("${files}" "\\.h\n|libgirt\\.a" "libgirt0")
    run(COMMAND ${DPKG_DEB} -c ${development} OUTPUT files)
    foreach(file include/girt/ring.h libgirt.a libgirt.so pkgconfig/girt.pc
            girt-config.cmake girt-config-version.cmake girt-targets.cmake
            girt-static-targets.cmake FindCK.cmake girt_jemalloc.cmake)
        expect_match("${files}" "/usr/[^ ]*${file}" "libgirt-dev")
    endforeach()
    if("with_serve" IN_LIST programs)
        file(GLOB runtime ${WORK}/deb/libgirt-serve0_*.deb)
        file(GLOB development ${WORK}/deb/libgirt-serve-dev_*.deb)
        run(COMMAND ${DPKG_DEB} -f ${runtime} Depends OUTPUT depends)
        expect_match("${depends}" "libgirt0 \\(= 0\\." "libgirt-serve0 depends")
        expect_match("${depends}" "libmicrohttpd" "libgirt-serve0 depends")
        run(COMMAND ${DPKG_DEB} -f ${development} Depends OUTPUT depends)
        expect_match("${depends}" "libgirt-serve0 \\(= 0\\." "libgirt-serve-dev depends")
        expect_match("${depends}" "libgirt-dev \\(= 0\\." "libgirt-serve-dev depends")
        run(COMMAND ${DPKG_DEB} -c ${runtime} OUTPUT files)
        expect_match("${files}" "/usr/lib[^ ]*/libgirt-serve\\.so\\.0 ->" "libgirt-serve0")
        expect_no_match("${files}" "\\.h\n" "libgirt-serve0")
        run(COMMAND ${DPKG_DEB} -c ${development} OUTPUT files)
        foreach(file include/girt/serve.h libgirt-serve.so girt-serve-targets.cmake)
            expect_match("${files}" "/usr/[^ ]*${file}" "libgirt-serve-dev")
        endforeach()
    endif()
else()
    message(STATUS "packages not tested: no dpkg-deb or dpkg-shlibdeps")
endif()
file(REMOVE_RECURSE ${WORK})

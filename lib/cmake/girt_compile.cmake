# SPDX-License-Identifier: MIT
# How everything of girt's own is compiled: warnings, assertions, sanitizers.
add_library(girt_compile INTERFACE)

target_compile_options(girt_compile INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wpointer-arith -Wcast-qual
    -Wwrite-strings -Wvla -Wno-unused-command-line-argument
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes
        -Wold-style-definition>
    $<$<BOOL:${GIRT_WERROR}>:-Werror>)

if(GIRT_ASSERTIONS)
    target_compile_options(girt_compile INTERFACE -UNDEBUG)
    target_compile_definitions(girt_compile INTERFACE GIRT_DEBUG)
endif()
target_compile_definitions(girt_compile INTERFACE
    _GNU_SOURCE $<$<CONFIG:Debug>:GIRT_DEBUG> $<$<BOOL:${GIRT_AUDIT}>:GIRT_AUDIT>)

if(GIRT_SANITIZE STREQUAL "address")
    set(girt_sanitize_flags -fsanitize=address,undefined
        -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(GIRT_SANITIZE STREQUAL "thread")
    set(girt_sanitize_flags -fsanitize=thread -fno-omit-frame-pointer)
elseif(GIRT_SANITIZE)
    message(FATAL_ERROR "GIRT_SANITIZE is 'address' or 'thread', not '${GIRT_SANITIZE}'")
else()
    # Hardening costs nothing measurable here; sanitizers replace it.
    set(girt_hardening_flags
        -fstack-protector-strong -fstack-clash-protection
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        list(APPEND girt_hardening_flags -fcf-protection=full)
    endif()
    target_compile_options(girt_compile INTERFACE ${girt_hardening_flags})
    target_link_options(girt_compile INTERFACE
        -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
target_compile_options(girt_compile INTERFACE ${girt_sanitize_flags})
target_link_options(girt_compile INTERFACE ${girt_sanitize_flags})

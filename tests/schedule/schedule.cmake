# SPDX-License-Identifier: MIT
# Tests under the seeded scheduler: schedule_X.c and the library's sources,
# compiled once more with -fsanitize=thread (gcc's or clang's) and linked with
# support/ in place of libtsan. A sanitizer's tree does not have them: they are
# the same in the plain one.
if(GIRT_SANITIZE)
    return()
endif()
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|aarch64|arm64" OR
   NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    message(STATUS "No schedule tests: they know x86_64 and arm64 Linux only")
    return()
endif()
set(girt_schedule_dir ${CMAKE_CURRENT_LIST_DIR})

# What the scheduler answers in place of libc.
set(girt_schedule_wrapped
    syscall clock_gettime sched_yield nanosleep clock_nanosleep getrandom
    free realloc girt__assert_failed
    girt_epoch_enter girt_epoch_exit girt_epoch_retire girt__epoch_retire_node
    pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock
    pthread_cond_wait pthread_cond_signal pthread_cond_broadcast
    pthread_create pthread_join pthread_setname_np
    pthread_once pthread_key_create pthread_key_delete
    pthread_setspecific pthread_getspecific)
list(TRANSFORM girt_schedule_wrapped PREPEND "-Wl,--wrap="
    OUTPUT_VARIABLE girt_schedule_wraps)

# Assertions on, no hardening (it would only slow down), fixed addresses.
set(girt_schedule_flags
    -O1 -g -fno-pie -fno-stack-protector -UNDEBUG -Wall -Wextra
    -Wno-unknown-pragmas)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND girt_schedule_flags -Wno-tsan) # fences are the scheduler's
endif()
# Threads sleep after a few rounds, tables split after a few keys and bulkheads
# lend after a few leaves, so that schedules of some hundred steps reach that.
set(girt_schedule_definitions
    _GNU_SOURCE GIRT_DEBUG GIRT_SCHEDULED SPIN_PAUSES=1u SPIN_YIELDS=1u
    GIRT__UNIT_SHIFT=0u GIRT__UNITS_MAX=4u GIRT__UNITS_WHOLE=4u
    GIRT__PIN_RECORDS=4u GIRT__PIN_SLOTS=2u GIRT__BULKHEAD_CALM=2u)
set(girt_schedule_includes
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/lib
    ${CMAKE_CURRENT_SOURCE_DIR} ${CMOCKA_INCLUDE_DIR} ${CK_INCLUDE_DIR})

function(girt_schedule_compile target)
    target_compile_options(${target} PRIVATE ${girt_schedule_flags} ${ARGN})
    target_compile_definitions(${target} PRIVATE ${girt_schedule_definitions})
    target_include_directories(${target} PRIVATE ${girt_schedule_includes})
endfunction()

# The units on libck are left alone, as under TSan: what it does is not seen.
# Only their own test sees into them.
if(NOT GIRT_SCHEDULE_MODULES)
    set(GIRT_SCHEDULE_MODULES core queue map limiter ring cache guard metrics shared trace)
endif()
list(TRANSFORM GIRT_SCHEDULE_MODULES REPLACE "(.+)"
    "${PROJECT_SOURCE_DIR}/lib/\\1/*.c" OUTPUT_VARIABLE girt_schedule_globs)
file(GLOB girt_schedule_library CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/lib/fast.c ${girt_schedule_globs})
file(GLOB girt_schedule_epoch CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/core/epoch*.c)
list(REMOVE_ITEM girt_schedule_library ${girt_schedule_epoch})
add_library(girt_scheduled OBJECT ${girt_schedule_library})
girt_schedule_compile(girt_scheduled -fsanitize=thread)
target_compile_definitions(girt_scheduled PRIVATE
    memcpy=schedule_memcpy memmove=schedule_memmove
    memset=schedule_memset memcmp=schedule_memcmp)
set(girt_schedule_objects $<TARGET_OBJECTS:girt_scheduled>)
set(girt_schedule_objects_seen ${girt_schedule_objects})
if(girt_schedule_epoch)
    add_library(girt_scheduled_epoch OBJECT ${girt_schedule_epoch})
    girt_schedule_compile(girt_scheduled_epoch)
    target_compile_definitions(girt_scheduled_epoch PRIVATE GIRT_TSAN)
    list(APPEND girt_schedule_objects $<TARGET_OBJECTS:girt_scheduled_epoch>)
    add_library(girt_scheduled_epoch_seen OBJECT ${girt_schedule_epoch})
    girt_schedule_compile(girt_scheduled_epoch_seen -fsanitize=thread)
    list(APPEND girt_schedule_objects_seen $<TARGET_OBJECTS:girt_scheduled_epoch_seen>)
endif()

file(GLOB girt_schedule_support CONFIGURE_DEPENDS ${girt_schedule_dir}/support/*.c)
add_library(girt_schedule_support STATIC ${girt_schedule_support}
    support/check.c support/failing.c support/scale.c support/threads.c
    support/linearize.c support/linearize_specs.c)
girt_schedule_compile(girt_schedule_support -O2)

file(GLOB girt_schedule_tests CONFIGURE_DEPENDS ${girt_schedule_dir}/schedule_*.c)
file(GLOB girt_schedule_toys CONFIGURE_DEPENDS ${girt_schedule_dir}/toys/*.c)
foreach(source ${girt_schedule_tests})
    get_filename_component(name ${source} NAME_WE)
    # The clock of histories is instrumented: a change of it empties the store
    # buffer, as it would on x86, so that what ended is visible.
    add_executable(${name} ${source} support/history.c)
    if(name STREQUAL "schedule_toys")
        target_sources(${name} PRIVATE ${girt_schedule_toys})
    endif()
    girt_schedule_compile(${name} -fsanitize=thread)
    if(name STREQUAL "schedule_epoch")
        target_sources(${name} PRIVATE ${girt_schedule_objects_seen})
    else()
        target_sources(${name} PRIVATE ${girt_schedule_objects})
    endif()
    target_link_libraries(${name} PRIVATE
        girt_schedule_support ${CMOCKA_LIBRARY} CK::ck Threads::Threads m)
    target_link_options(${name} PRIVATE -no-pie ${girt_schedule_wraps})
    if(name MATCHES "^schedule_(ring_load|cache)$")
        target_link_options(${name} PRIVATE -Wl,--wrap=girt__thread_first_call)
    endif()
    add_test(NAME ${GIRT_TEST_PREFIX}${name} COMMAND ${name})
    set_tests_properties(${GIRT_TEST_PREFIX}${name} PROPERTIES
        LABELS schedule TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()

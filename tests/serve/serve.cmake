# SPDX-License-Identifier: MIT
# The live page in a browser, of a program with one of each object; and what
# stands in docs/observability.
set(girt_serve_tests ${CMAKE_CURRENT_LIST_DIR})
find_package(Python3 3.9 COMPONENTS Interpreter)
if(NOT GIRT_SANITIZE)
    add_test(NAME ${GIRT_TEST_PREFIX}observability COMMAND ${Python3_EXECUTABLE}
        ${girt_serve_tests}/observability.py ${PROJECT_SOURCE_DIR})
    set_tests_properties(${GIRT_TEST_PREFIX}observability PROPERTIES
        LABELS serve TIMEOUT 120)
endif()
if(NOT TARGET girt_serve_static)
    return()
endif()
add_executable(serve_demo ${girt_serve_tests}/serve_demo.c)
target_link_libraries(serve_demo PRIVATE girt_compile girt_serve_static)

if(NOT GIRT_SANITIZE)
    add_test(NAME ${GIRT_TEST_PREFIX}live_page COMMAND ${Python3_EXECUTABLE}
        ${girt_serve_tests}/live_page.py $<TARGET_FILE:serve_demo> ${PROJECT_BINARY_DIR}/live)
    set_tests_properties(${GIRT_TEST_PREFIX}live_page PROPERTIES
        LABELS serve TIMEOUT 240 SKIP_RETURN_CODE 77)
endif()

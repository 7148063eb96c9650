# SPDX-License-Identifier: MIT
# The Python package against the library of this build, label "python": all
# tests under the first python3, the objects under each other version that is
# there.  AddressSanitizer's library is preloaded, where it is a shared one;
# ThreadSanitizer's cannot be.
if(GIRT_SANITIZE STREQUAL "thread")
    return()
endif()
find_package(Python3 3.9 COMPONENTS Interpreter)
if(NOT Python3_FOUND)
    message(STATUS "The Python package is not tested: no python3 3.9 or newer")
    return()
endif()

function(girt_python_test name interpreter)
    add_test(NAME ${GIRT_TEST_PREFIX}${name} COMMAND ${interpreter} -W error
        ${CMAKE_CURRENT_SOURCE_DIR}/python/run.py ${ARGN})
    set_tests_properties(${GIRT_TEST_PREFIX}${name} PROPERTIES
        LABELS python TIMEOUT 120 SKIP_RETURN_CODE 77 ENVIRONMENT
        "GIRT_LIBRARY=$<TARGET_FILE:girt>;GIRT_SOURCE=${PROJECT_SOURCE_DIR};CC=${CMAKE_C_COMPILER};PYTHONPATH=${PROJECT_SOURCE_DIR}/lib/python;PYTHONDONTWRITEBYTECODE=1;GIRT_TEST_CACHE=${PROJECT_BINARY_DIR}/python-cache")
endfunction()

if(GIRT_SANITIZE)
    execute_process(COMMAND ${CMAKE_C_COMPILER}
        -print-file-name=libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so
        OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env LD_PRELOAD=${runtime}
        ASAN_OPTIONS=detect_leaks=0 ${Python3_EXECUTABLE} -c "import ctypes"
        RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
    if(EXISTS "${runtime}" AND result EQUAL 0)
        girt_python_test(python ${Python3_EXECUTABLE} --objects)
        set_property(TEST ${GIRT_TEST_PREFIX}python APPEND PROPERTY ENVIRONMENT
            "LD_PRELOAD=${runtime};ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1")
    endif()
    return()
endif()

girt_python_test(python ${Python3_EXECUTABLE} --library)
girt_python_test(python_package ${Python3_EXECUTABLE} test_package test_documents)
foreach(version 3.9 3.10 3.11 3.12 3.13)
    if(version STREQUAL "${Python3_VERSION_MAJOR}.${Python3_VERSION_MINOR}")
        continue()
    endif()
    # The system's, or pyenv's; a shim that leads nowhere does not answer.
    file(GLOB candidates /usr/bin/python${version} $ENV{HOME}/.pyenv/versions/${version}.*/bin/python${version})
    foreach(candidate ${candidates})
        execute_process(COMMAND ${candidate} -c "import ctypes"
            RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
        if(result EQUAL 0)
            girt_python_test(python_${version} ${candidate} --objects)
            break()
        endif()
    endforeach()
endforeach()

# SPDX-License-Identifier: MIT
# The interface as users meet it: headers alone, exported names, the code in
# the documentation, Doxygen.  Each is a script over the finished build.
function(girt_add_api_test name)
    add_test(NAME ${GIRT_TEST_PREFIX}api_${name} COMMAND ${ARGN})
    set_tests_properties(${GIRT_TEST_PREFIX}api_${name} PROPERTIES
        LABELS api TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

find_package(Python3 3.9 COMPONENTS Interpreter)
find_program(DOXYGEN_PROGRAM doxygen)
set(girt_api_dir ${CMAKE_CURRENT_LIST_DIR})

# One build is enough: sanitizers change nothing that these look at.
if(NOT GIRT_SANITIZE)
    girt_add_api_test(headers bash ${girt_api_dir}/check_headers.sh
        ${PROJECT_SOURCE_DIR}/include ${CMAKE_C_COMPILER} ${CMAKE_CXX_COMPILER})
    # And the other compiler, where it is there.
    find_program(GIRT_CLANG clang)
    find_program(GIRT_CLANGXX clang++)
    if(GIRT_CLANG AND GIRT_CLANGXX AND NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        girt_add_api_test(headers_clang bash ${girt_api_dir}/check_headers.sh
            ${PROJECT_SOURCE_DIR}/include ${GIRT_CLANG} ${GIRT_CLANGXX})
    endif()
    girt_add_api_test(symbols ${Python3_EXECUTABLE} ${girt_api_dir}/check_symbols.py
        --source ${PROJECT_SOURCE_DIR} --library $<TARGET_FILE:girt>
        --compiler ${CMAKE_C_COMPILER})
    if(TARGET girt_serve)
        girt_add_api_test(symbols_serve ${Python3_EXECUTABLE} ${girt_api_dir}/check_symbols.py
            --source ${PROJECT_SOURCE_DIR} --library $<TARGET_FILE:girt_serve>
            --compiler ${CMAKE_C_COMPILER} --part serve)
    endif()
    girt_add_api_test(documents ${Python3_EXECUTABLE} ${girt_api_dir}/check_documents.py
        --source ${PROJECT_SOURCE_DIR} --library $<TARGET_FILE:girt_static>
        --compiler ${CMAKE_C_COMPILER} --cxx-compiler ${CMAKE_CXX_COMPILER})
    girt_add_api_test(style bash ${girt_api_dir}/check_style.sh ${PROJECT_SOURCE_DIR})
    girt_add_api_test(doxygen bash ${girt_api_dir}/check_doxygen.sh
        ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/doxygen)
    if(GIRT_EXAMPLES)
        girt_add_api_test(probes bash ${girt_api_dir}/check_probes.sh
            $<TARGET_FILE:girt> ${PROJECT_SOURCE_DIR}/docs/guide/probes.md
            $<TARGET_FILE:example_01_queue>)
    endif()
endif()

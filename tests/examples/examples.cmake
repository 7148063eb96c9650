# SPDX-License-Identifier: MIT
# Tests of examples/, label "examples": the parts of the whole programs with
# cmocka, themselves by shell, and the numbered programs by their output.
if(NOT GIRT_EXAMPLES)
    return()
endif()

function(girt_examples_test name)
    set(test ${GIRT_TEST_PREFIX}${name})
    add_test(NAME ${test} COMMAND ${ARGN})
    set_tests_properties(${test} PROPERTIES
        LABELS examples TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

set(here ${CMAKE_CURRENT_SOURCE_DIR}/examples)
file(GLOB sources CONFIGURE_DEPENDS examples/test_*.c)
foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE girt_test_support spike_parts cascade_parts
        top_parts)
    girt_examples_test(${name} ${name})
endforeach()

girt_examples_test(spike_awk bash ${here}/spike_awk.sh $<TARGET_FILE:spike>
    ${here}/data/common.log ${here}/data/combined.log ${here}/data/tabbed.tsv)
set(traces ${PROJECT_SOURCE_DIR}/../shared/traces)
girt_examples_test(spike_awk_traces bash ${here}/spike_awk.sh
    $<TARGET_FILE:spike> ${traces}/nasa_19950801.tsv ${traces}/apache_combined.log)
girt_examples_test(spike_cli bash ${here}/spike_cli.sh $<TARGET_FILE:spike> ${here}/data)

girt_examples_test(cascade_cli bash ${here}/cascade_cli.sh $<TARGET_FILE:cascade>
    ${PROJECT_SOURCE_DIR}/docs/guide/cascade.md)

girt_examples_test(prefork bash ${here}/prefork.sh $<TARGET_FILE:prefork>)

# One thread: nothing for ThreadSanitizer to see.
include(${PROJECT_SOURCE_DIR}/examples/top/needs.cmake)
if(CURSES_FOUND AND CURL_FOUND AND NOT GIRT_SANITIZE STREQUAL "thread")
    girt_examples_test(top_cli bash ${here}/top_cli.sh $<TARGET_FILE:top>
        ${PROJECT_SOURCE_DIR}/docs/guide/metrics.md ${here}/data/top)
    if(TARGET girt::serve)
        girt_examples_test(top_tmux bash ${here}/top_tmux.sh $<TARGET_FILE:top>
            $<TARGET_FILE:example_07_serve>)
    endif()
endif()

file(GLOB outputs CONFIGURE_DEPENDS examples/expected/*.txt)
foreach(output ${outputs})
    get_filename_component(name ${output} NAME_WE)
    girt_examples_test(example_${name} bash ${here}/same_output.sh
        ${output} $<TARGET_FILE:example_${name}>)
endforeach()

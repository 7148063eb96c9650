# SPDX-License-Identifier: MIT
# girt_bench_rival(SUITE file name "label" package header [LIBRARY...]): one
# adapter each, rivals/<file>, built where the header and libraries are found
# and named as missing where they are not.  Sanitizers see no rivals: their code
# is not built for it.
find_package(PkgConfig)

# boost::concurrent_flat_map came with 1.83, which Debian 12 has not.
set(GIRT_BENCH_BOOST "" CACHE PATH
    "Include folder of a Boost from 1.83 on, if the system's is older")

function(girt_bench_rival suite file name label package header)
    string(MAKE_C_IDENTIFIER "girt_bench_${header}" found)
    set(hints)
    if(package STREQUAL "libboost1.83-dev")
        set(hints ${GIRT_BENCH_BOOST})
    endif()
    find_path(${found} ${header} HINTS ${hints} PATH_SUFFIXES glib-2.0 dpdk)
    mark_as_advanced(${found})
    set(usable ${${found}})
    set(libraries)
    set(includes)
    if(girt_bench_more_includes)
        list(APPEND includes ${girt_bench_more_includes})
    endif()
    foreach(library ${ARGN})
        find_library(girt_bench_lib_${library} ${library})
        mark_as_advanced(girt_bench_lib_${library})
        # Some keep a header beside their library.
        pkg_check_modules(girt_bench_pc_${library} QUIET ${library})
        if(NOT girt_bench_lib_${library})
            set(usable)
        else()
            list(APPEND libraries ${girt_bench_lib_${library}})
            list(APPEND includes ${girt_bench_pc_${library}_INCLUDE_DIRS})
        endif()
    endforeach()
    if(NOT usable OR GIRT_SANITIZE)
        set_property(GLOBAL APPEND_STRING PROPERTY girt_bench_${suite}_rivals
            "MISSING(\"${label}\", \"${package}\")\n")
        set_property(GLOBAL APPEND PROPERTY girt_bench_missing ${package})
        return()
    endif()
    execute_process(COMMAND dpkg-query -W -f "\${Version}" ${package}
        OUTPUT_VARIABLE version ERROR_QUIET RESULT_VARIABLE failed)
    if((NOT version OR failed) AND hints)
        # Unpacked, not installed.
        file(STRINGS ${${found}}/boost/version.hpp version REGEX "define BOOST_LIB_VERSION")
        string(REGEX REPLACE ".*\"(.*)\".*" "\\1" version "${version}")
        string(REPLACE _ . version "${version}")
    elseif(NOT version OR failed)
        set(version "?")
    endif()
    set_property(GLOBAL APPEND_STRING PROPERTY girt_bench_${suite}_rivals
        "RIVAL(\"${label}\", ${name}, \"${version}\")\n")
    set_property(GLOBAL APPEND PROPERTY girt_bench_packages
        "${package} ${version}")
    target_sources(girt-bench PRIVATE rivals/${file})
    target_link_libraries(girt-bench PRIVATE ${libraries})
    # Their headers are not held to our warnings.
    set_source_files_properties(rivals/${file} PROPERTIES
        COMPILE_OPTIONS "-w" INCLUDE_DIRECTORIES "${${found}};${includes}")
endfunction()

girt_bench_rival(queue queue_moodycamel.cpp moodycamel
    "moodycamel, tokens (per producer)" libconcurrentqueue-dev concurrentqueue/concurrentqueue.h)
girt_bench_rival(queue queue_moodycamel_blocking.cpp moodycamel_blocking
    "moodycamel blocking" libconcurrentqueue-dev concurrentqueue/blockingconcurrentqueue.h)
girt_bench_rival(queue queue_readerwriterqueue.cpp readerwriterqueue
    "moodycamel ReaderWriterQueue" libreaderwriterqueue-dev readerwriterqueue/readerwriterqueue.h)
girt_bench_rival(queue queue_atomic_queue.cpp atomic_queue
    "atomic_queue B" libatomic-queue-dev atomic_queue/atomic_queue.h)
girt_bench_rival(queue queue_atomic_queue_spsc.cpp atomic_queue_spsc
    "atomic_queue B, SPSC" libatomic-queue-dev atomic_queue/atomic_queue.h)
girt_bench_rival(queue queue_boost.cpp boost_queue
    "boost::lockfree::queue" libboost1.74-dev boost/lockfree/queue.hpp)
girt_bench_rival(queue queue_boost_spsc.cpp boost_spsc
    "boost::lockfree::spsc_queue" libboost1.74-dev boost/lockfree/spsc_queue.hpp)
girt_bench_rival(queue queue_tbb.cpp tbb_bounded
    "TBB concurrent_bounded_queue" libtbb-dev oneapi/tbb/concurrent_queue.h tbb)
girt_bench_rival(queue queue_libcds.cpp libcds_vyukov
    "libcds VyukovMPMCCycleQueue" libcds-dev cds/container/vyukov_mpmc_cycle_queue.h cds)
girt_bench_rival(queue queue_libcds_ms.cpp libcds_ms
    "libcds MSQueue" libcds-dev cds/container/msqueue.h cds)
girt_bench_rival(queue queue_ck_ring.c ck_ring
    "ck_ring mpmc" libck-dev ck_ring.h ck)
girt_bench_rival(queue queue_ck_fifo.c ck_fifo
    "ck_fifo mpmc" libck-dev ck_fifo.h ck)
find_path(girt_bench_more_includes rte_config.h PATH_SUFFIXES dpdk)
mark_as_advanced(girt_bench_more_includes)
girt_bench_rival(queue queue_rte_hts.c rte_hts
    "DPDK rte_ring HTS" libdpdk-dev rte_ring.h rte_ring)
girt_bench_rival(queue queue_rte_spsc.c rte_spsc
    "DPDK rte_ring SPSC" libdpdk-dev rte_ring.h rte_ring)
girt_bench_rival(queue queue_urcu.c urcu_wfcqueue
    "liburcu wfcqueue" liburcu-dev urcu/wfcqueue.h urcu-common)
girt_bench_rival(queue queue_tbb_unbounded.cpp tbb_queue
    "TBB concurrent_queue" libtbb-dev oneapi/tbb/concurrent_queue.h tbb)
girt_bench_rival(queue queue_glib.c glib
    "GAsyncQueue" libglib2.0-dev glib.h glib-2.0)

girt_bench_rival(map map_libcuckoo.cpp libcuckoo
    "libcuckoo" libcuckoo-dev libcuckoo/cuckoohash_map.hh)
girt_bench_rival(map map_tbb.cpp tbb
    "TBB concurrent_hash_map" libtbb-dev oneapi/tbb/concurrent_hash_map.h tbb)
girt_bench_rival(map map_urcu.c urcu_lfht
    "liburcu rculfhash" liburcu-dev urcu/rculfhash.h urcu-cds urcu-memb urcu-common)
girt_bench_rival(map map_boost_flat.cpp boost_flat
    "boost::concurrent_flat_map" libboost1.83-dev boost/unordered/concurrent_flat_map.hpp)
girt_bench_rival(map_bytes map_libcuckoo_bytes.cpp libcuckoo_bytes
    "libcuckoo" libcuckoo-dev libcuckoo/cuckoohash_map.hh)
girt_bench_rival(map_bytes map_boost_flat_bytes.cpp boost_flat_bytes
    "boost::concurrent_flat_map" libboost1.83-dev boost/unordered/concurrent_flat_map.hpp)
girt_bench_rival(map_bytes map_boost_flat_xxh3.cpp boost_flat_xxh3
    "boost::concurrent_flat_map, XXH3" libboost1.83-dev boost/unordered/concurrent_flat_map.hpp)
girt_bench_rival(map_bytes map_glib_bytes.c glib_bytes
    "GHashTable + reader-writer lock" libglib2.0-dev glib.h glib-2.0)

girt_bench_rival(ring ring_memcached.c memcached
    "libmemcached weighted ketama" libmemcached-dev libmemcached/memcached.h memcached)

girt_bench_rival(metrics metrics_prometheus_cpp.cpp prometheus_cpp
    "prometheus-cpp" prometheus-cpp-dev prometheus/counter.h prometheus-cpp-core)

foreach(suite queue map map_bytes ring metrics)
    get_property(rivals GLOBAL PROPERTY girt_bench_${suite}_rivals)
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${suite}_rivals.h
        CONTENT "/* The rivals that were found, and those that were not. */\n@rivals@" @ONLY)
endforeach()

foreach(list packages missing)
    get_property(${list} GLOBAL PROPERTY girt_bench_${list})
    list(REMOVE_DUPLICATES ${list})
    list(JOIN ${list} ", " ${list})
endforeach()
if(NOT missing)
    set(missing "none")
endif()
if(NOT packages)
    set(packages "own ones only")
endif()
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/packages.h
    CONTENT "#define GIRT_BENCH_PACKAGES \"@packages@\"\n#define GIRT_BENCH_MISSING  \"@missing@\"\n" @ONLY)
if(missing STREQUAL "none" OR GIRT_SANITIZE)
    return()
endif()
message(STATUS "girt-bench: without rivals of ${missing}")

/* SPDX-License-Identifier: MIT */
/* Goal: in a program that is linked with jemalloc, girt uses it.  Method: this
 * program is (see tests/CMakeLists.txt); the case is asked for and an object's
 * worth of memory is taken from each kind of allocator. */
#include <girt/alloc.h>

#include "core/alloc_internal.h"
#include "support/check.h"

static void linked_jemalloc_is_active(void **state)
{
    (void)state;
#ifndef GIRT_TEST_WITH_JEMALLOC
    skip_because("built without jemalloc");
#endif
    assert_int_equal(girt__jemalloc(), GIRT__JEMALLOC_ACTIVE);
    girt_allocator arena, standard;
    check_status(girt_allocator_jemalloc_arena(&arena), GIRT_OK);
    check_status(girt__allocator_resolve(&standard, NULL), GIRT_OK);
    /* Over-aligned: the size classes differ from those of the size alone. */
    size_t bytes = 0;
    for (size_t i = 0; i < 10000; i++) {
        void *const a = girt__allocate(&arena, i, 128);
        void *const b = girt__allocate(&standard, i, 128);
        assert_non_null(a);
        assert_non_null(b);
        assert_int_equal(((uintptr_t)a | (uintptr_t)b) % 128, 0);
        memset(a, 1, i);
        memset(b, 2, i);
        girt__release(&standard, b, i);
        girt__release(&arena, a, i);
    }
    check_status(girt_allocator_bytes(&arena, &bytes), GIRT_OK);
    assert_int_equal(bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linked_jemalloc_is_active),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: a ring gives back what was pushed last, and nothing else.  Method:
 * records that say their number, through several laps; texts of all sizes. */
#include "trace/span_ring.h"

#include "core/alloc_internal.h"
#include "support/check.h"

static girt__span_record numbered(uint64_t n)
{
    girt__span_record record = {.trace = {n, ~n}, .id = n + 1};
    record.text_used = (uint8_t)(n % (GIRT__SPAN_TEXT_BYTES + 1));
    memset(record.text, (int)(n % 251), record.text_used);
    return record;
}

static void laps(void **state)
{
    (void)state;
    girt_allocator allocator;
    check_status(girt__allocator_resolve(&allocator, NULL), GIRT_OK);
    girt__span_ring *const ring = girt__span_ring_create(16, &allocator);
    assert_non_null(ring);
    girt__span_record record;
    assert_false(girt__span_ring_read(ring, 0, &record));
    for (uint64_t n = 0; n < 500; n++) {
        girt__span_record const pushed = numbered(n);
        girt__span_ring_push(ring, &pushed);
        assert_int_equal(girt__span_ring_head(ring), n + 1);
        for (uint64_t i = n < 20 ? 0 : n - 20; i <= n + 1; i++) {
            bool const there = i <= n && i + 16 > n;
            memset(&record, 0xee, sizeof record);
            assert_int_equal(girt__span_ring_read(ring, i, &record), there);
            if (!there)
                continue;
            girt__span_record const expected = numbered(i);
            assert_memory_equal(&record, &expected,
                                offsetof(girt__span_record, text) +
                                    expected.text_used);
        }
    }
    girt__span_ring_destroy(ring, &allocator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

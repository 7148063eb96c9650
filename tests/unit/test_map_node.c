/* SPDX-License-Identifier: MIT */
/* Goal: a node holds its key and an aligned value, a freed one serves the next
 * of its size, what is kept is bounded, and all is given back and counted.
 * Method: nodes of all sizes up to beyond what is kept, made and freed against
 * a counting allocator. */
#include "map/map_node.h"

#include "support/check.h"
#include "support/failing.h"

static failing f;
static girt__stripes stripes;
static girt__heap heap;

static int begin(void **state)
{
    (void)state;
    failing_init(&f);
    check_status(girt__stripes_init(&stripes, &f.allocator), GIRT_OK);
    check_status(girt__heap_init(&heap, 64, &stripes, &f.allocator), GIRT_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    girt__heap_destroy(&heap);
    assert_int_equal(girt__stripes_sum(&stripes, GIRT__STRIPE_BYTES), 0);
    girt__stripes_destroy(&stripes, &f.allocator);
    assert_int_equal(f.live_blocks, 0);
    return 0;
}

static size_t counted(void)
{
    return girt__stripes_bytes(&stripes) + girt__heap_bytes(&heap) +
           girt__stripes_sum(&stripes, GIRT__STRIPE_BYTES);
}

static void nodes_of_every_size_hold_key_and_value(void **state)
{
    (void)state;
    static unsigned char key[700];
    girt__node *nodes[700];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)(i * 5);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 700; size++) {
            nodes[size] = girt__node_create(&heap, size, key, size);
            assert_non_null(nodes[size]);
            memset(girt__node_value(nodes[size]), 0xcc, 64);
        }
        for (size_t size = 0; size < 700; size++) {
            assert_int_equal(nodes[size]->key_size, size);
            assert_int_equal(nodes[size]->hash, size);
            assert_memory_equal(girt__node_key(nodes[size], 64), key, size);
            assert_int_equal(girt__node_value(nodes[size])[63], 0xcc);
            const uint64_t word = girt__node_word(nodes[size]);
            assert_int_equal(*(uint64_t *)(uintptr_t)word, size);
            assert_ptr_equal(girt__node_at(word), nodes[size]);
            const uintptr_t value = (uintptr_t)girt__node_value(nodes[size]);
            assert_int_equal(value % _Alignof(max_align_t), 0);
            assert_int_equal(value - word, 16); /* both in one line */
        }
        assert_int_equal(counted(), f.live_bytes);
        for (size_t size = 0; size < 700; size++)
            girt__node_free(nodes[size]);
        assert_int_equal(counted(), f.live_bytes);
    }
    girt__node_free(NULL);
}

static void what_is_kept_is_bounded(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    static girt__node *nodes[MANY];
    const size_t before = f.live_blocks;
    for (size_t i = 0; i < MANY; i++)
        assert_non_null(nodes[i] = girt__node_create(&heap, i, "k", 1));
    for (size_t i = 0; i < MANY; i++)
        girt__node_free(nodes[i]);
    assert_true(f.live_blocks - before <= 128);
    /* Large ones are not kept at all. */
    static const char large[4000];
    const size_t blocks = f.live_blocks;
    girt__node *const node = girt__node_create(&heap, 1, large, sizeof large);
    assert_int_equal(f.live_blocks, blocks + 1);
    girt__node_free(node);
    assert_int_equal(f.live_blocks, blocks);
}

static void no_memory_is_no_node(void **state)
{
    (void)state;
    const size_t bytes = counted();
    f.fail_at = f.calls + 1;
    assert_null(girt__node_create(&heap, 1, "k", 1));
    f.fail_at = 0;
    assert_int_equal(counted(), bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nodes_of_every_size_hold_key_and_value,
                                        begin, end),
        cmocka_unit_test_setup_teardown(what_is_kept_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(no_memory_is_no_node, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

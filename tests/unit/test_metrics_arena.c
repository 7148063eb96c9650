/* SPDX-License-Identifier: MIT */
/* Goal: pieces are apart, aligned, zero, within their block, and given back by
 * undo; offsets that lead nowhere are told.  Method: random sizes in a private
 * arena and in a block of this test, each piece filled; offsets around every
 * edge; a block that is full, too small, or another's. */
#include "metrics/metrics_arena.h"

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/threads.h"

enum { BLOCK = 64 << 10, PIECES = 3000 };

typedef struct piece {
    unsigned char *at;
    size_t size;
} piece;

static size_t take_many(girt__arena *arena, rng *r, size_t count)
{
    static piece pieces[PIECES];
    size_t taken = 0;
    for (; taken < count; taken++) {
        const size_t alignment = (size_t)8 << rng_below(r, 5);
        const size_t size = 1 + rng_below(r, rng_below(r, 20) == 0 ? 9000 : 99);
        uint64_t offset;
        const girt_status status =
            girt__arena_take(arena, size, alignment, &offset);
        if (status != GIRT_OK) {
            check_status(status, GIRT_E_NOMEM);
            break;
        }
        assert_true(offset != 0);
        unsigned char *const at = girt__arena_at(arena, offset, size);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % alignment, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(at[i], 0);
        memset(at, (int)(1 + taken % 250), size);
        pieces[taken] = (piece){at, size};
    }
    for (size_t i = 0; i < taken; i++) {
        for (size_t j = 0; j < pieces[i].size; j++)
            assert_int_equal(pieces[i].at[j], 1 + i % 250);
    }
    return taken;
}

static void private_pieces(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt__arena arena;
    check_status(girt__arena_init(&arena, &f.allocator), GIRT_OK);
    rng r = {test_seed()};
    assert_int_equal(take_many(&arena, &r, PIECES), PIECES);
    assert_true(f.live_blocks > 1);
    const girt__arena_mark mark = girt__arena_here(&arena);
    const size_t live = f.live_blocks;
    uint64_t first, offset;
    for (int i = 0; i < 3; i++) {
        check_status(girt__arena_take(&arena, 64, 8, &first), GIRT_OK);
        (void)take_many(&arena, &r, PIECES);
        check_status(girt__arena_take(&arena, 1 << 20, 8, &offset), GIRT_OK);
        assert_true(f.live_blocks > live);
        girt__arena_undo(&arena, mark);
        assert_int_equal(f.live_blocks, live);
        if (i > 0)
            assert_null(girt__arena_at(&arena, offset, 8));
    }
    check_status(girt__arena_take(&arena, GIRT__ARENA_LARGEST + 1, 8, &offset),
                 GIRT_E_NOMEM);
    girt__arena_destroy(&arena);
    assert_int_equal(f.live_blocks, 0);
}

static void *block(void)
{
    static char memory[BLOCK] __attribute__((aligned(128)));
    memset(memory, 0, sizeof memory);
    return memory;
}

static void shared_pieces(void **state)
{
    (void)state;
    void *const memory = block();
    girt__arena a, b;
    check_status(girt__arena_attach(&a, memory, BLOCK), GIRT_OK);
    check_status(girt__arena_attach(&b, memory, BLOCK), GIRT_OK);
    uint64_t one, other;
    check_status(girt__arena_take(&a, 10, 8, &one), GIRT_OK);
    check_status(girt__arena_take(&b, 10, 8, &other), GIRT_OK);
    assert_true(other >= one + 10);
    assert_ptr_equal(girt__arena_at(&a, other, 10),
                     girt__arena_at(&b, other, 10));
    rng r = {test_seed()};
    assert_true(take_many(&a, &r, PIECES) < PIECES); /* full */
    girt__arena_destroy(&a);
    girt__arena_destroy(&b);
}

static void edges(void **state)
{
    (void)state;
    girt__arena a;
    check_status(girt__arena_attach(&a, block(), BLOCK), GIRT_OK);
    assert_non_null(girt__arena_at(&a, BLOCK - 8, 8));
    assert_null(girt__arena_at(&a, BLOCK - 8, 9));
    assert_null(girt__arena_at(&a, BLOCK, 8));
    assert_null(girt__arena_at(&a, BLOCK - 7, 1));
    assert_null(girt__arena_at(&a, 4, 1));
    assert_null(girt__arena_at(&a, 0, BLOCK + 1));
    assert_null(girt__arena_at(&a, 8, SIZE_MAX));
    assert_null(girt__arena_at(&a, UINT64_C(1) << 32, 8));
    assert_null(girt__arena_at(&a, UINT64_C(1) << 40, 8));
    assert_null(girt__arena_at(&a, UINT64_MAX - 7, 8));
    uint64_t offset = 99;
    check_status(girt__arena_take(&a, SIZE_MAX, 8, &offset), GIRT_E_NOMEM);
    check_status(girt__arena_take(&a, BLOCK, 8, &offset), GIRT_E_NOMEM);
    assert_int_equal(offset, 99);
    check_status(
        girt__arena_take(&a, BLOCK - sizeof(girt__metrics_block), 8, &offset),
        GIRT_OK);
    check_status(girt__arena_take(&a, 1, 8, &offset), GIRT_E_NOMEM);
}

static void no_registry(void **state)
{
    (void)state;
    char *const memory = block();
    girt__arena a;
    check_status(girt__arena_attach(&a, memory + 8, BLOCK - 128),
                 GIRT_E_INVALID);
    check_status(girt__arena_attach(&a, memory, 64), GIRT_E_INVALID);
    check_status(girt__arena_attach(&a, memory, (size_t)1 << 32),
                 GIRT_E_INVALID);
    check_status(girt__arena_attach(&a, memory, BLOCK), GIRT_OK);
    check_status(girt__arena_attach(&a, memory, BLOCK / 2), GIRT_E_CORRUPT);
    girt__metrics_block *const head = (void *)memory;
    head->magic++;
    check_status(girt__arena_attach(&a, memory, BLOCK), GIRT_E_CORRUPT);
    head->magic--;
    check_status(girt__arena_attach(&a, memory, BLOCK), GIRT_OK);
    head->used = BLOCK + 8;
    uint64_t offset;
    check_status(girt__arena_take(&a, 8, 8, &offset), GIRT_E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_pieces),
        cmocka_unit_test(shared_pieces),
        cmocka_unit_test(edges),
        cmocka_unit_test(no_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

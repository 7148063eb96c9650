/* SPDX-License-Identifier: MIT */
/* fast_inline_body.h - what inlined push and pop must do, for C and C++. */
#ifndef GIRT_TESTS_FAST_INLINE_BODY_H
#define GIRT_TESTS_FAST_INLINE_BODY_H

/* The inlined calls and the library's own meet in one queue: both must read
 * and write it alike. */
#define FAST_INLINE_TEST(kind)                                                 \
    static void kind##_inlined_and_called_agree(void **state)                  \
    {                                                                          \
        (void)state;                                                           \
        for (size_t capacity = 1; capacity <= 20; capacity++) {                \
            girt_##kind *queue = NULL;                                         \
            check_status(girt_##kind##_create(&queue, capacity, NULL),         \
                         GIRT_OK);                                             \
            uintptr_t pushed = 0, popped = 0;                                  \
            for (size_t round = 0; round < 100; round++) {                     \
                void *in[3], *out[2];                                          \
                while (girt_##kind##_push(queue, (void *)pushed))              \
                    pushed++;                                                  \
                assert_int_equal(girt_##kind##_count(queue), capacity);        \
                assert_true(girt_##kind##_pop(queue, out));                    \
                assert_true((uintptr_t)out[0] == popped++);                    \
                size_t came = girt_##kind##_pop_n(queue, out, 2);              \
                for (size_t i = 0; i < came; i++)                              \
                    assert_true((uintptr_t)out[i] == popped++);                \
                for (size_t i = 0; i < 3; i++)                                 \
                    in[i] = (void *)(pushed + i);                              \
                pushed += girt_##kind##_push_n(queue, in, 3);                  \
            }                                                                  \
            void *item;                                                        \
            while (girt_##kind##_pop(queue, &item))                            \
                assert_true((uintptr_t)item == popped++);                      \
            assert_true(pushed == popped);                                     \
            girt_##kind##_destroy(queue);                                      \
        }                                                                      \
    }

FAST_INLINE_TEST(spsc)
FAST_INLINE_TEST(mpmc)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spsc_inlined_and_called_agree),
        cmocka_unit_test(mpmc_inlined_and_called_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif /* GIRT_TESTS_FAST_INLINE_BODY_H */

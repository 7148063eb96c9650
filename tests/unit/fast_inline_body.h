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

/* The same for a queue that blocks, whose batches are the called side. */
static void queue_inlined_and_called_agree(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity <= 20; capacity++) {
        girt_queue *queue = NULL;
        girt_queue_options options;
        memset(&options, 0, sizeof options);
        options.capacity = capacity;
        check_status(girt_queue_create(&queue, &options), GIRT_OK);
        uintptr_t pushed = 0, popped = 0;
        for (size_t round = 0; round < 100; round++) {
            void *in[3], *out[2];
            while (girt_queue_push(queue, (void *)pushed, GIRT_NOW) == GIRT_OK)
                pushed++;
            assert_int_equal(girt_queue_count(queue), capacity);
            check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_FULL);
            check_status(girt_queue_pop(queue, out, GIRT_NOW), GIRT_OK);
            assert_true((uintptr_t)out[0] == popped++);
            size_t came = 0;
            (void)girt_queue_pop_n(queue, out, 2, GIRT_NOW, &came);
            for (size_t i = 0; i < came; i++)
                assert_true((uintptr_t)out[i] == popped++);
            for (size_t i = 0; i < 3; i++)
                in[i] = (void *)(pushed + i);
            (void)girt_queue_push_n(queue, in, 3, GIRT_NOW, &came);
            pushed += came;
        }
        void *item = NULL;
        while (girt_queue_pop(queue, &item, GIRT_NOW) == GIRT_OK)
            assert_true((uintptr_t)item == popped++);
        assert_true(pushed == popped);
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_EMPTY);
        girt_queue_close(queue);
        check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_CLOSED);
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_CLOSED);
        girt_queue_destroy(queue);
    }
}

/* Queues that are not one ring go by the calls, bad arguments too. */
static void queue_inlined_finds_other_engines(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        girt_queue *queue = NULL;
        girt_queue_options options;
        memset(&options, 0, sizeof options);
        options.capacity = 3;
        options.single_producer = options.single_consumer = kind == 0;
        options.per_producer_order = kind == 1;
        options.bands = kind == 2 ? 3 : 0;
        options.traced = kind == 3;
        check_status(girt_queue_create(&queue, &options), GIRT_OK);
        void *item = NULL;
        for (uintptr_t i = 0; i < 3; i++)
            check_status(girt_queue_push(queue, (void *)i, GIRT_NOW), GIRT_OK);
        check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_FULL);
        for (uintptr_t i = 0; i < 3; i++) {
            check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
            assert_true((uintptr_t)item == i);
        }
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_EMPTY);
        check_status(girt_queue_push(queue, NULL, -1), GIRT_E_INVALID);
        check_status(girt_queue_pop(queue, &item, -1), GIRT_E_INVALID);
        check_status(girt_queue_pop(queue, NULL, GIRT_NOW), GIRT_E_INVALID);
        girt_queue_destroy(queue);
    }
    void *item = NULL;
    check_status(girt_queue_push(NULL, NULL, GIRT_NOW), GIRT_E_INVALID);
    check_status(girt_queue_pop(NULL, &item, GIRT_NOW), GIRT_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spsc_inlined_and_called_agree),
        cmocka_unit_test(mpmc_inlined_and_called_agree),
        cmocka_unit_test(queue_inlined_and_called_agree),
        cmocka_unit_test(queue_inlined_finds_other_engines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif /* GIRT_TESTS_FAST_INLINE_BODY_H */

/* SPDX-License-Identifier: MIT */
/* Goal: the checker of histories accepts what a sequential object explains and
 * rejects what none does. Method: small histories written down by hand, good
 * and bad ones of each specification, and random ones of which it is known by
 * how they were made. */
#include "support/check.h"
#include "support/linearize.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

typedef struct row {
    uint32_t thread, kind;
    uint64_t begin, end; /* end 0: never */
    uint64_t argument, result, value;
    uint64_t second;
} row;

static linearize_answer answer_of(specification s, const row *rows,
                                  size_t count)
{
    history h;
    history_init(&h, HISTORY_THREADS_MAX, 64);
    for (size_t i = 0; i < count; i++) {
        const row *const r = &rows[i];
        operation *const o = &h.operations[r->thread][h.counts[r->thread]++];
        *o = (operation){.thread = r->thread,
                         .kind = r->kind,
                         .argument = r->argument,
                         .second = r->second,
                         .result = r->result,
                         .value = r->value,
                         .begin = r->begin,
                         .end = r->end == 0 ? HISTORY_PENDING : r->end};
    }
    linearize_answer const answer = linearize(&s, &h);
    history_free(&h);
    return answer;
}

#define check_answer(expected, specification, ...)                             \
    do {                                                                       \
        static const row rows[] = {__VA_ARGS__};                               \
        assert_int_equal(                                                      \
            answer_of((specification), rows, sizeof rows / sizeof *rows),      \
            (expected));                                                       \
    } while (0)

#define PUSH(thread, begin, end, item, result)                                 \
    {                                                                          \
        (thread), QUEUE_PUSH, (begin), (end), (item), (result), 0, 0           \
    }
#define POP(thread, begin, end, result, item)                                  \
    {                                                                          \
        (thread), QUEUE_POP, (begin), (end), 0, (result), (item), 0            \
    }

static void queue_histories(void **state)
{
    (void)state;
    specification const two = specification_queue(2);
    /* In order. */
    check_answer(LINEARIZABLE, two, PUSH(0, 1, 2, 5, 1), PUSH(0, 3, 4, 6, 1),
                 POP(0, 5, 6, 1, 5), POP(0, 7, 8, 1, 6), POP(0, 9, 10, 0, 0));
    /* Out of order. */
    check_answer(NOT_LINEARIZABLE, two, PUSH(0, 1, 2, 5, 1),
                 PUSH(0, 3, 4, 6, 1), POP(0, 5, 6, 1, 6));
    /* The two pushes overlap: either order. */
    check_answer(LINEARIZABLE, two, PUSH(0, 1, 4, 5, 1), PUSH(1, 2, 3, 6, 1),
                 POP(0, 5, 6, 1, 6), POP(0, 7, 8, 1, 5));
    /* Twice the same item; an item that nobody pushed; one before its push. */
    check_answer(NOT_LINEARIZABLE, two, PUSH(0, 1, 2, 5, 1), POP(0, 3, 6, 1, 5),
                 POP(1, 4, 5, 1, 5));
    check_answer(NOT_LINEARIZABLE, two, POP(0, 1, 2, 1, 5));
    check_answer(NOT_LINEARIZABLE, two, POP(0, 1, 2, 1, 5),
                 PUSH(1, 3, 4, 5, 1));
    /* Empty although an item was in throughout: sequence slots do this when
     * another push is under way before it. */
    check_answer(NOT_LINEARIZABLE, two, PUSH(0, 1, 8, 4, 1),
                 PUSH(1, 2, 3, 5, 1), POP(2, 4, 5, 0, 0), POP(2, 9, 10, 1, 4));
    /* Empty while the only push is under way. */
    check_answer(LINEARIZABLE, two, PUSH(0, 1, 6, 4, 1), POP(2, 4, 5, 0, 0),
                 POP(2, 7, 8, 1, 4));
}

static void full_histories(void **state)
{
    (void)state;
    specification const two = specification_queue(2);
    specification const strict = specification_strict_queue(2);
    check_answer(NOT_LINEARIZABLE, two, PUSH(0, 1, 2, 5, 1),
                 PUSH(0, 3, 4, 6, 0));
    check_answer(NOT_LINEARIZABLE, two, PUSH(0, 1, 2, 5, 1),
                 PUSH(0, 3, 4, 6, 1), PUSH(0, 5, 6, 7, 1));
    /* Full: a pop under way has taken an item but not given its place back. */
#define FULL_ROWS                                                              \
    PUSH(0, 1, 2, 5, 1), PUSH(0, 3, 4, 6, 1), POP(1, 5, 20, 1, 5),             \
        PUSH(2, 6, 7, 8, 1), POP(3, 8, 9, 1, 6), PUSH(2, 10, 11, 9, 0)
    check_answer(LINEARIZABLE, two, FULL_ROWS);
    check_answer(NOT_LINEARIZABLE, strict, FULL_ROWS);
    /* That pop has ended: its place is free. */
    check_answer(NOT_LINEARIZABLE, two, PUSH(0, 1, 2, 5, 1),
                 PUSH(0, 3, 4, 6, 1), POP(1, 5, 6, 1, 5), PUSH(2, 7, 8, 9, 0));
}

static void pending_operations(void **state)
{
    (void)state;
    specification const two = specification_queue(2);
    /* A push that never ended may have happened, or not. */
    check_answer(LINEARIZABLE, two, PUSH(0, 1, 0, 5, 0), POP(1, 2, 3, 1, 5));
    check_answer(LINEARIZABLE, two, PUSH(0, 1, 0, 5, 0), POP(1, 2, 3, 0, 0));
    check_answer(NOT_LINEARIZABLE, two, PUSH(0, 1, 0, 5, 0), POP(1, 2, 3, 1, 5),
                 POP(1, 4, 5, 1, 5));
}

static void deque_histories(void **state)
{
    (void)state;
    specification const four = specification_deque(4);
    check_answer(
        LINEARIZABLE, four, {0, DEQUE_PUSH, 1, 2, 5, 1, 0, 0},
        {0, DEQUE_PUSH, 3, 4, 6, 1, 0, 0}, {1, DEQUE_STEAL, 5, 6, 0, 1, 5, 0},
        {0, DEQUE_POP, 7, 8, 0, 1, 6, 0}, {0, DEQUE_POP, 9, 10, 0, 0, 0, 0});
    /* The owner takes the newest; its empty is exact, a thief's is not. */
    check_answer(NOT_LINEARIZABLE, four, {0, DEQUE_PUSH, 1, 2, 5, 1, 0, 0},
                 {0, DEQUE_PUSH, 3, 4, 6, 1, 0, 0},
                 {0, DEQUE_POP, 7, 8, 0, 1, 5, 0});
    check_answer(NOT_LINEARIZABLE, four, {0, DEQUE_PUSH, 1, 2, 5, 1, 0, 0},
                 {0, DEQUE_POP, 7, 8, 0, 0, 0, 0});
    check_answer(LINEARIZABLE, four, {0, DEQUE_PUSH, 1, 2, 5, 1, 0, 0},
                 {1, DEQUE_STEAL, 7, 8, 0, 0, 0, 0});
}

static void register_histories(void **state)
{
    (void)state;
    specification const one = specification_register();
    check_answer(LINEARIZABLE, one, {0, MAP_PUT, 1, 4, 7, GIRT_OK, 0, 0},
                 {1, MAP_GET, 2, 3, 0, GIRT_MISSING, 0, 0},
                 {1, MAP_GET, 5, 6, 0, GIRT_OK, 7, 0},
                 {1, MAP_INCREASE, 7, 8, 3, GIRT_OK, 10, 0},
                 {0, MAP_EXCHANGE, 9, 10, 10, GIRT_OK, 0, 11},
                 {0, MAP_EXCHANGE, 11, 12, 10, GIRT_EXISTS, 0, 12},
                 {0, MAP_REMOVE, 13, 14, 0, GIRT_OK, 11, 0},
                 {0, MAP_ADD, 15, 16, 1, GIRT_OK, 0, 0},
                 {0, MAP_ADD, 17, 18, 1, GIRT_EXISTS, 0, 0});
    /* A read that goes back in time. */
    check_answer(NOT_LINEARIZABLE, one, {0, MAP_PUT, 1, 10, 7, GIRT_OK, 0, 0},
                 {1, MAP_GET, 2, 3, 0, GIRT_OK, 7, 0},
                 {1, MAP_GET, 4, 5, 0, GIRT_MISSING, 0, 0});
    /* Two increases that lost one. */
    check_answer(NOT_LINEARIZABLE, one,
                 {0, MAP_INCREASE, 1, 4, 1, GIRT_OK, 1, 0},
                 {1, MAP_INCREASE, 2, 3, 1, GIRT_OK, 1, 0});
    /* Two adds that both went in. */
    check_answer(NOT_LINEARIZABLE, one, {0, MAP_ADD, 1, 4, 1, GIRT_OK, 0, 0},
                 {1, MAP_ADD, 2, 3, 2, GIRT_OK, 0, 0});
}

/* Plays a queue in one order, then widens the intervals around each instant:
 * linearizable by how it was made. Swapping two items pushed and popped far
 * from each other must be seen. */
static void random_histories(void **state)
{
    (void)state;
    rng random = {test_seed()};
    specification const s = specification_queue(8);
    for (size_t round = 0; round < scaled(400); round++) {
        history h;
        history_init(&h, 4, 64);
        uint64_t queue[8], count = 0, next = 1;
        operation *pops[64];
        size_t popped = 0;
        for (uint64_t i = 0; i < 64; i++) {
            uint32_t const thread = (uint32_t)(i % 4);
            operation *const o = &h.operations[thread][h.counts[thread]++];
            uint64_t const at = 100 * (i + 2);
            *o = (operation){.thread = thread,
                             .kind = rng_below(&random, 2) == 0 ? QUEUE_PUSH
                                                                : QUEUE_POP,
                             .begin = at - rng_below(&random, 190),
                             .end = at + 1 + rng_below(&random, 190)};
            if (o->kind == QUEUE_PUSH) {
                o->argument = next++;
                o->result = count < 8;
                if (o->result)
                    queue[count++] = o->argument;
            } else if (count != 0) {
                o->result = 1;
                o->value = queue[0];
                memmove(queue, queue + 1, --count * sizeof *queue);
                pops[popped++] = o;
            }
        }
        assert_int_equal(linearize(&s, &h), LINEARIZABLE);
        if (popped > 12) { /* their pushes are at least 5 apart */
            uint64_t const item = pops[0]->value;
            pops[0]->value = pops[popped - 1]->value;
            pops[popped - 1]->value = item;
            assert_int_equal(linearize(&s, &h), NOT_LINEARIZABLE);
        }
        history_free(&h);
    }
}

static void keys_are_checked_apart(void **state)
{
    (void)state;
    history h;
    history_init(&h, 2, 8);
    for (uint64_t key = 0; key < 3; key++) {
        operation *o = history_begin(&h, 0, MAP_PUT, key + 10);
        o->key = key;
        history_end(&h, o, GIRT_OK, 0);
        o = history_begin(&h, 1, MAP_GET, 0);
        o->key = key;
        history_end(&h, o, GIRT_OK, key + 10);
    }
    specification const s = specification_register();
    uint64_t key = 99;
    assert_int_equal(linearize_by_key(&s, &h, &key), LINEARIZABLE);
    assert_int_equal(key, 99);
    h.operations[1][1].value = 12;
    assert_int_equal(linearize_by_key(&s, &h, &key), NOT_LINEARIZABLE);
    assert_int_equal(key, 1);
    history_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_histories),
        cmocka_unit_test(full_histories),
        cmocka_unit_test(pending_operations),
        cmocka_unit_test(deque_histories),
        cmocka_unit_test(register_histories),
        cmocka_unit_test(random_histories),
        cmocka_unit_test(keys_are_checked_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

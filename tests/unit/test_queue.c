/* SPDX-License-Identifier: MIT */
/* Goal: every call of queue.h answers as documented when one thread calls it,
 * bad arguments included, in every mode.  Method: a queue per mode and
 * capacity, each call with each kind of argument, answers compared. */
#include <girt/queue.h>

#include "queue/queue_internal.h"
#include "support/check.h"
#include "support/failing.h"

static void *number(size_t n)
{
    return (void *)n; /* NULL included */
}

static girt_queue *make(const girt_queue_options *options)
{
    girt_queue *queue = NULL;
    check_status(girt_queue_create(&queue, options), GIRT_OK);
    assert_non_null(queue);
    return queue;
}

/* The modes whose behaviour for one thread is the same. */
static const girt_queue_options modes[] = {
    {.capacity = 0},
    {.single_producer = true},
    {.single_consumer = true},
    {.single_producer = true, .single_consumer = true},
    {.per_producer_order = true},
    {.bands = 3},
    {.bands = 2, .per_producer_order = true},
    {.per_producer_order = true, .single_producer = true},
};
#define MODES (sizeof modes / sizeof *modes)
static const size_t capacities[] = {1, 2, 3, 5, 7, 8, 64, 100, 1000};
#define CAPACITIES (sizeof capacities / sizeof *capacities)

static void capacity_is_exact_in_every_mode(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        for (size_t c = 0; c < CAPACITIES; c++) {
            girt_queue_options options = modes[m];
            options.capacity = capacities[c];
            girt_queue *const queue = make(&options);
            assert_int_equal(girt_queue_capacity(queue), capacities[c]);
            for (size_t lap = 0; lap < 3; lap++) {
                for (size_t i = 0; i < capacities[c]; i++) {
                    assert_int_equal(girt_queue_count(queue), i);
                    check_status(girt_queue_push(queue, number(i), GIRT_NOW),
                                 GIRT_OK);
                }
                check_status(girt_queue_push(queue, number(9), GIRT_NOW),
                             GIRT_FULL);
                check_status(girt_queue_push(queue, number(9), 1),
                             GIRT_TIMEOUT);
                assert_int_equal(girt_queue_count(queue), capacities[c]);
                assert_true(girt__queue_is_valid(queue));
                for (size_t i = 0; i < capacities[c]; i++) {
                    void *item = number(77);
                    check_status(girt_queue_pop(queue, &item, GIRT_FOREVER),
                                 GIRT_OK);
                    assert_ptr_equal(item, number(i));
                }
                void *item = number(77);
                check_status(girt_queue_pop(queue, &item, GIRT_NOW),
                             GIRT_EMPTY);
                check_status(girt_queue_pop(queue, &item, 1), GIRT_TIMEOUT);
                assert_ptr_equal(item, number(77));
                assert_true(girt__queue_is_valid(queue));
            }
            girt_queue_destroy(queue);
        }
    }
}

static void zero_capacity_is_1024(void **state)
{
    (void)state;
    girt_queue *const queue = make(NULL);
    assert_int_equal(girt_queue_capacity(queue), 1024);
    for (size_t i = 0; i < 1024; i++)
        check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_FULL);
    girt_queue_destroy(queue);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    static char long_name[300];
    memset(long_name, 'x', 256);
    girt_allocator half = {.context = &half};
    failing f;
    failing_init(&f);
    half.allocate = f.allocator.allocate;
    int something = 0;
    const struct {
        girt_queue_options options;
        girt_status status;
    } rows[] = {
        {{.capacity = ((size_t)1 << 32) + 1}, GIRT_E_TOO_LARGE},
        {{.capacity = (size_t)1 << 63}, GIRT_E_TOO_LARGE},
        {{.capacity = SIZE_MAX}, GIRT_E_TOO_LARGE},
        {{.bands = 9}, GIRT_E_INVALID},
        {{.bands = UINT32_MAX}, GIRT_E_INVALID},
        {{.name = ""}, GIRT_E_INVALID},
        {{.name = long_name}, GIRT_E_INVALID},
        {{.metrics = (girt_metrics *)(void *)&something}, GIRT_E_INVALID},
        {{.allocator = &half}, GIRT_E_INVALID},
        {{.reserved = {1}}, GIRT_E_INVALID},
        {{.reserved = {0, 0, 0, 1}}, GIRT_E_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        girt_queue *queue = (girt_queue *)(void *)&something;
        check_status(girt_queue_create(&queue, &rows[i].options),
                     rows[i].status);
        assert_ptr_equal(queue, &something);
    }
    check_status(girt_queue_create(NULL, NULL), GIRT_E_INVALID);
    long_name[255] = '\0';
    girt_queue_destroy(make(&(girt_queue_options){.name = long_name}));
    girt_queue_destroy(make(&(girt_queue_options){.name = "x", .bands = 8}));
}

/* Each ring would fit the machine; all of them would be touched. */
static void rings_that_do_not_fit_together_are_not_asked_for(void **state)
{
    (void)state;
    size_t const capacity = girt__machine_bytes() / sizeof(girt__slot) / 4;
    if (capacity > RING_CAPACITY_MAX)
        skip_because("too much memory");
    failing f;
    failing_init(&f);
    f.fail_at = 2; /* the first ring: if it were asked for, not to touch it */
    f.fail_all_after = true;
    girt_queue *queue = NULL;
    check_status(girt_queue_create(&queue,
                                   &(girt_queue_options){
                                       .capacity = capacity,
                                       .bands = 8,
                                       .allocator = &f.allocator,
                                   }),
                 GIRT_E_NOMEM);
    assert_int_equal(f.calls, 1);
    assert_int_equal(f.live_blocks, 0);
}

static void bad_arguments_change_nothing(void **state)
{
    (void)state;
    girt_queue *const queue = make(&(girt_queue_options){.capacity = 2});
    void *items[2] = {number(5), number(6)};
    void *item = number(7);
    size_t n = 9;
    check_status(girt_queue_push(NULL, NULL, 0), GIRT_E_INVALID);
    check_status(girt_queue_push(queue, NULL, -1), GIRT_E_INVALID);
    check_status(girt_queue_push(queue, NULL, INT64_MIN), GIRT_E_INVALID);
    check_status(girt_queue_push_band(queue, 1, NULL, 0), GIRT_E_INVALID);
    check_status(girt_queue_push_band(queue, UINT32_MAX, NULL, 0),
                 GIRT_E_INVALID);
    check_status(girt_queue_push_band(NULL, 0, NULL, 0), GIRT_E_INVALID);
    check_status(girt_queue_pop(NULL, &item, 0), GIRT_E_INVALID);
    check_status(girt_queue_pop(queue, NULL, 0), GIRT_E_INVALID);
    check_status(girt_queue_pop(queue, &item, -1), GIRT_E_INVALID);
    check_status(girt_queue_push_n(NULL, items, 2, 0, &n), GIRT_E_INVALID);
    check_status(girt_queue_push_n(queue, NULL, 2, 0, &n), GIRT_E_INVALID);
    check_status(girt_queue_push_n(queue, items, 2, 0, NULL), GIRT_E_INVALID);
    check_status(girt_queue_push_n(queue, items, 2, -1, &n), GIRT_E_INVALID);
    check_status(girt_queue_pop_n(NULL, items, 2, 0, &n), GIRT_E_INVALID);
    check_status(girt_queue_pop_n(queue, NULL, 2, 0, &n), GIRT_E_INVALID);
    check_status(girt_queue_pop_n(queue, items, 2, 0, NULL), GIRT_E_INVALID);
    check_status(girt_queue_pop_n(queue, items, 2, -1, &n), GIRT_E_INVALID);
    int fd = -7;
    check_status(girt_queue_fd(NULL, &fd), GIRT_E_INVALID);
    check_status(girt_queue_fd(queue, NULL), GIRT_E_INVALID);
    assert_int_equal(fd, -7);
    assert_int_equal(n, 9);
    assert_ptr_equal(item, number(7));
    assert_int_equal(girt_queue_count(queue), 0);
    assert_int_equal(girt_queue_count(NULL), 0);
    assert_int_equal(girt_queue_capacity(NULL), 0);
    girt_queue_close(NULL);
    girt_queue_destroy(NULL);
    girt_queue_destroy(queue);
}

static void batches_say_how_many(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        girt_queue_options options = modes[m];
        options.capacity = 5;
        girt_queue *const queue = make(&options);
        void *in[7], *out[7] = {NULL};
        for (size_t i = 0; i < 7; i++)
            in[i] = number(i);
        size_t n = 99;
        check_status(girt_queue_push_n(queue, NULL, 0, GIRT_NOW, &n), GIRT_OK);
        assert_int_equal(n, 0);
        check_status(girt_queue_pop_n(queue, NULL, 0, GIRT_FOREVER, &n),
                     GIRT_OK);
        check_status(girt_queue_pop_n(queue, out, 3, GIRT_NOW, &n), GIRT_EMPTY);
        assert_int_equal(n, 0);
        check_status(girt_queue_push_n(queue, in, 3, GIRT_NOW, &n), GIRT_OK);
        assert_int_equal(n, 3);
        check_status(girt_queue_push_n(queue, in + 3, 4, GIRT_NOW, &n),
                     GIRT_FULL);
        assert_int_equal(n, 2);
        check_status(girt_queue_push_n(queue, in, 1, 1000, &n), GIRT_TIMEOUT);
        assert_int_equal(n, 0);
        check_status(girt_queue_pop_n(queue, out, 2, GIRT_FOREVER, &n),
                     GIRT_OK);
        assert_int_equal(n, 2);
        check_status(girt_queue_pop_n(queue, out + 2, 7, GIRT_FOREVER, &n),
                     GIRT_OK);
        assert_int_equal(n, 3);
        assert_memory_equal(in, out, 5 * sizeof *in);
        check_status(girt_queue_pop_n(queue, out, 7, 1000, &n), GIRT_TIMEOUT);
        check_status(girt_queue_push_n(queue, in, 7, 1000, &n), GIRT_TIMEOUT);
        assert_int_equal(n, 5);
        girt_queue_close(queue);
        check_status(girt_queue_push_n(queue, in, 2, GIRT_NOW, &n),
                     GIRT_CLOSED);
        assert_int_equal(n, 0);
        check_status(girt_queue_pop_n(queue, out, 7, GIRT_NOW, &n), GIRT_OK);
        assert_int_equal(n, 5);
        check_status(girt_queue_pop_n(queue, out, 7, GIRT_NOW, &n),
                     GIRT_CLOSED);
        assert_int_equal(n, 0);
        girt_queue_destroy(queue);
    }
}

static void close_lets_the_rest_out(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        girt_queue_options options = modes[m];
        options.capacity = 3;
        girt_queue *const queue = make(&options);
        for (size_t i = 0; i < 3; i++)
            check_status(girt_queue_push(queue, number(i), GIRT_NOW), GIRT_OK);
        girt_queue_close(queue);
        girt_queue_close(queue);
        check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_CLOSED);
        check_status(girt_queue_push(queue, NULL, GIRT_FOREVER), GIRT_CLOSED);
        void *item = number(7);
        for (size_t i = 0; i < 3; i++) {
            check_status(girt_queue_pop(queue, &item, GIRT_FOREVER), GIRT_OK);
            assert_ptr_equal(item, number(i));
            check_status(girt_queue_push(queue, NULL, GIRT_FOREVER),
                         GIRT_CLOSED);
        }
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_CLOSED);
        check_status(girt_queue_pop(queue, &item, GIRT_FOREVER), GIRT_CLOSED);
        assert_ptr_equal(item, number(2));
        girt_queue_destroy(queue);
    }
}

typedef struct drops {
    size_t count;
    void *items[64];
} drops;

static void note_drop(void *context, void *item)
{
    drops *const d = context;
    assert_true(d->count < 64);
    d->items[d->count++] = item;
}

static void the_oldest_is_dropped(void **state)
{
    (void)state;
    for (int lanes = 0; lanes < 2; lanes++) {
        drops d = {0};
        girt_queue *const queue = make(&(girt_queue_options){
            .capacity = 3,
            .per_producer_order = lanes,
            .drop_oldest = true,
            .dropped = note_drop,
            .context = &d,
        });
        for (size_t i = 0; i < 5; i++)
            check_status(girt_queue_push(queue, number(i), GIRT_NOW), GIRT_OK);
        assert_int_equal(d.count, 2);
        assert_ptr_equal(d.items[0], number(0));
        assert_ptr_equal(d.items[1], number(1));
        /* A batch longer than the queue pushes its own first items out. */
        void *batch[5];
        for (size_t i = 0; i < 5; i++)
            batch[i] = number(10 + i);
        size_t n = 0;
        check_status(girt_queue_push_n(queue, batch, 5, GIRT_NOW, &n), GIRT_OK);
        assert_int_equal(n, 5);
        assert_int_equal(d.count, 7);
        assert_ptr_equal(d.items[6], number(11));
        assert_int_equal(girt_queue_count(queue), 3);
        /* What is left at destroy is told of too. */
        girt_queue_destroy(queue);
        assert_int_equal(d.count, 10);
        assert_ptr_equal(d.items[7], number(12));
        assert_ptr_equal(d.items[9], number(14));
    }
}

static void bands_drop_the_least_urgent(void **state)
{
    (void)state;
    drops d = {0};
    girt_queue *const queue = make(&(girt_queue_options){
        .capacity = 2,
        .bands = 3,
        .drop_oldest = true,
        .dropped = note_drop,
        .context = &d,
    });
    check_status(girt_queue_push_band(queue, 0, number(1), 0), GIRT_OK);
    check_status(girt_queue_push_band(queue, 2, number(2), 0), GIRT_OK);
    check_status(girt_queue_push_band(queue, 1, number(3), 0), GIRT_OK);
    assert_int_equal(d.count, 1);
    assert_ptr_equal(d.items[0], number(2));
    check_status(girt_queue_push_band(queue, 2, number(4), 0), GIRT_OK);
    assert_ptr_equal(d.items[1], number(3));
    girt_queue_destroy(queue);
    assert_int_equal(d.count, 4);
}

static void without_dropped_the_oldest_is_forgotten(void **state)
{
    (void)state;
    girt_queue *const queue =
        make(&(girt_queue_options){.capacity = 2, .drop_oldest = true});
    for (uintptr_t i = 1; i <= 5; i++)
        check_status(girt_queue_push(queue, (void *)i, GIRT_NOW), GIRT_OK);
    void *item = NULL;
    for (uintptr_t i = 4; i <= 5; i++) {
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
        assert_int_equal((uintptr_t)item, i);
    }
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_EMPTY);
    girt_queue_destroy(queue);
}

static void left_items_are_told_without_drop_oldest(void **state)
{
    (void)state;
    drops d = {0};
    girt_queue *const queue = make(&(girt_queue_options){
        .capacity = 4, .dropped = note_drop, .context = &d});
    for (size_t i = 0; i < 4; i++)
        check_status(girt_queue_push(queue, number(i), GIRT_NOW), GIRT_OK);
    check_status(girt_queue_push(queue, number(9), GIRT_NOW), GIRT_FULL);
    assert_int_equal(d.count, 0);
    girt_queue_destroy(queue);
    assert_int_equal(d.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact_in_every_mode),
        cmocka_unit_test(zero_capacity_is_1024),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(rings_that_do_not_fit_together_are_not_asked_for),
        cmocka_unit_test(bad_arguments_change_nothing),
        cmocka_unit_test(batches_say_how_many),
        cmocka_unit_test(close_lets_the_rest_out),
        cmocka_unit_test(the_oldest_is_dropped),
        cmocka_unit_test(bands_drop_the_least_urgent),
        cmocka_unit_test(without_dropped_the_oldest_is_forgotten),
        cmocka_unit_test(left_items_are_told_without_drop_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

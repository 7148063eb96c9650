/* SPDX-License-Identifier: MIT */
/* Goal: a window counts its last ten slices, each era apart, from any thread.
 * Method: a manual clock is moved by hand; threads beyond those with a cell of
 * their own are started; counts are brought to their end. */
#include "guard/window.h"

#include <pthread.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

typedef struct play {
    girt__window *window;
    girt_clock clock;
    int64_t now_ns;
    pthread_barrier_t all_here; /* each thread has its index */
} play;

static play *open_play(int64_t window_ns)
{
    play *const p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->now_ns = 5000;
    girt_clock_manual(&p->clock, &p->now_ns);
    p->window = aligned_alloc(GIRT_DESTRUCTIVE, sizeof *p->window);
    assert_non_null(p->window);
    memset(p->window, 0, sizeof *p->window);
    girt__window_init(p->window, &p->clock, window_ns);
    return p;
}

static void close_play(play *p)
{
    free(p->window);
    free(p);
}

static void check_sums(play *p, uint64_t era, uint64_t a, uint64_t b,
                       uint64_t c)
{
    uint64_t sums[GIRT__WINDOW_COUNTERS];
    girt__window_sum(p->window, era, p->now_ns, sums);
    assert_int_equal(sums[0], a);
    assert_int_equal(sums[1], b);
    assert_int_equal(sums[2], c);
}

static void test_slides(void **state)
{
    (void)state;
    play *const p = open_play(100);
    assert_int_equal(p->window->slice_ns, 10);
    (void)girt__window_add(p->window, 1, p->now_ns, 0);
    p->now_ns += 10;
    (void)girt__window_add(p->window, 1, p->now_ns, 2);
    (void)girt__window_add(p->window, 1, p->now_ns, 2 | 4);
    check_sums(p, 1, 3, 2, 1);
    p->now_ns += 89;
    check_sums(p, 1, 3, 2, 1);
    p->now_ns += 1; /* slice 0 is out at 100 */
    check_sums(p, 1, 2, 2, 1);
    p->now_ns += 10;
    check_sums(p, 1, 0, 0, 0);
    /* The slot of ten slices ago is used again. */
    (void)girt__window_add(p->window, 1, p->now_ns, 4);
    check_sums(p, 1, 1, 0, 1);
    close_play(p);
}

static void test_eras(void **state)
{
    (void)state;
    play *const p = open_play(100);
    for (uint64_t era = 1; era < 1000; era++) {
        check_sums(p, era, 0, 0, 0);
        (void)girt__window_add(p->window, era, p->now_ns, 2);
        check_sums(p, era, 1, 1, 0);
        p->now_ns += (int64_t)(era % 3);
    }
    close_play(p);
}

static void test_stale_time(void **state)
{
    (void)state;
    play *const p = open_play(100);
    p->now_ns += 50;
    (void)girt__window_add(p->window, 1, p->now_ns, 0);
    (void)girt__window_add(p->window, 1, p->now_ns - 20, 0);
    (void)girt__window_add(p->window, 1, p->now_ns - 1000, 0);
    (void)girt__window_add(p->window, 1, p->now_ns + 10, 0);
    check_sums(p, 1, 4, 0, 0);
    close_play(p);
}

static void test_left(void **state)
{
    (void)state;
    play *const p = open_play(100);
    assert_true(girt__window_add(p->window, 1, p->now_ns, 0));
    girt__window_set_left(p->window, 3);
    assert_false(girt__window_add(p->window, 1, p->now_ns, 0));
    assert_false(girt__window_add(p->window, 1, p->now_ns, 0));
    assert_true(girt__window_add(p->window, 1, p->now_ns, 0));
    girt__window_set_left(p->window, 100);
    p->now_ns += 10; /* a new slice asks for a look at once */
    assert_true(girt__window_add(p->window, 1, p->now_ns, 0));
    close_play(p);
}

/* Easy: nothing but one more; else no change at all. */
static void test_easy(void **state)
{
    (void)state;
    play *const p = open_play(100);
    girt__window *const w = p->window;
    assert_false(girt__window_add_easily(w, 1, p->now_ns)); /* no era */
    (void)girt__window_add(w, 1, p->now_ns, 0);
    assert_false(girt__window_add_easily(w, 1, p->now_ns)); /* a look is due */
    girt__window_set_left(w, 3);
    assert_true(girt__window_add_easily(w, 1, p->now_ns));
    assert_true(girt__window_add_easily(w, 1, p->now_ns));
    assert_false(girt__window_add_easily(w, 1, p->now_ns));
    assert_true(girt__window_add(w, 1, p->now_ns, 0));
    girt__window_set_left(w, 100);
    assert_false(girt__window_add_easily(w, 2, p->now_ns));
    assert_false(girt__window_add_easily(w, 1, p->now_ns + 10));
    assert_false(girt__window_add_easily(w, 1, p->now_ns - 10));
    check_sums(p, 1, 4, 0, 0);
    girt__window_cell *const cell = &w->cells[girt__thread_index()];
    cell->words[cell->position][0] |= UINT32_MAX;
    assert_false(girt__window_add_easily(w, 1, p->now_ns));
    cell->words[cell->position][0] = 5; /* of another tag */
    assert_false(girt__window_add_easily(w, 1, p->now_ns));
    close_play(p);
}

static void test_end_of_counts(void **state)
{
    (void)state;
    play *const p = open_play(100);
    (void)girt__window_add(p->window, 1, p->now_ns, 2);
    girt__window_cell *const cell = &p->window->cells[girt__thread_index()];
    cell->words[cell->position][0] |= UINT32_MAX;
    (void)girt__window_add(p->window, 1, p->now_ns, 2);
    check_sums(p, 1, UINT32_MAX, 1, 0);
    close_play(p);
}

enum { THREADS = GIRT__WINDOW_OWN + 16, EACH = 1000 };

static void count_up(void *context, size_t index)
{
    play *const p = context;
    size_t const each = scaled(EACH);
    (void)girt__thread_index();
    (void)pthread_barrier_wait(&p->all_here);
    for (size_t i = 0; i < each; i++)
        (void)girt__window_add(p->window, 1, p->now_ns, index % 2 == 0 ? 2 : 4);
}

static void test_threads(void **state)
{
    (void)state;
    play *const p = open_play(100);
    assert_int_equal(pthread_barrier_init(&p->all_here, NULL, THREADS), 0);
    threads_run(THREADS, count_up, p);
    (void)pthread_barrier_destroy(&p->all_here);
    uint64_t const each = scaled(EACH);
    check_sums(p, 1, THREADS * each, THREADS / 2 * each, THREADS / 2 * each);
    assert_int_equal(girt__window_used(p->window), GIRT__WINDOW_OWN);
    close_play(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slides),     cmocka_unit_test(test_eras),
        cmocka_unit_test(test_stale_time), cmocka_unit_test(test_left),
        cmocka_unit_test(test_easy),       cmocka_unit_test(test_end_of_counts),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
    assert_false(girt__window_add_easily(w, 1, 0, p->now_ns)); /* no era */
    (void)girt__window_add(w, 1, p->now_ns, 0);
    assert_false(
        girt__window_add_easily(w, 1, 0, p->now_ns)); /* a look is due */
    girt__window_set_left(w, 3);
    assert_true(girt__window_add_easily(w, 1, 0, p->now_ns));
    assert_true(girt__window_add_easily(w, 1, 0, p->now_ns));
    assert_false(girt__window_add_easily(w, 1, 0, p->now_ns));
    assert_true(girt__window_add(w, 1, p->now_ns, 0));
    girt__window_set_left(w, 100);
    assert_false(girt__window_add_easily(w, 2, 0, p->now_ns));
    assert_false(girt__window_add_easily(w, 1, 0, p->now_ns + 10));
    assert_false(girt__window_add_easily(w, 1, 0, p->now_ns - 10));
    check_sums(p, 1, 4, 0, 0);
    girt__window_cell *const cell = &w->cells[girt__thread_index()];
    cell->words[cell->position][0] |= UINT32_MAX;
    assert_false(girt__window_add_easily(w, 1, 0, p->now_ns));
    cell->words[cell->position][0] = 5; /* of another tag */
    assert_false(girt__window_add_easily(w, 1, 0, p->now_ns));
    close_play(p);
}

/* The second of the calendar, moved by hand. */
static time_t second_now;

static time_t give_second(time_t *out)
{
    assert_null(out);
    return second_now;
}

static play *open_again(void)
{
    play *const p = open_play(10000000000);
    p->window->second = give_second;
    (void)girt__window_add(p->window, 1, p->now_ns, 0);
    return p;
}

/* One record, as a breaker makes it: of what kind was it? */
enum { AGAIN, EASY, OTHER, LOOK };

static int add_one(play *p, uint64_t era)
{
    girt__window *const w = p->window;
    if (girt__window_add_again(w, era))
        return AGAIN;
    if (girt__window_add_easily(w, era, girt__window_second(w), p->now_ns))
        return EASY;
    return girt__window_add(w, era, p->now_ns, 0) ? LOOK : OTHER;
}

static void check_run(play *p, int kind, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(add_one(p, 1), kind);
}

/* So many records go without the clock, after two of one instant. */
static void test_again(void **state)
{
    (void)state;
    play *const p = open_again();
    girt__window_set_left(p->window, 1000);
    check_run(p, EASY, 2);
    check_run(p, AGAIN, GIRT__WINDOW_AGAIN);
    check_run(p, EASY, 1);
    check_run(p, AGAIN, GIRT__WINDOW_AGAIN);
    p->now_ns += 4000000; /* a tick of the clock */
    check_run(p, EASY, 2);
    check_run(p, AGAIN, 2);
    check_sums(p, 1, 6 + 2 * GIRT__WINDOW_AGAIN + 2, 0, 0);
    /* Not in another era, which begins with none. */
    assert_int_equal(add_one(p, 2), LOOK);
    girt__window_set_left(p->window, 1000);
    assert_int_equal(add_one(p, 2), EASY);
    check_sums(p, 2, 2, 0, 0);
    close_play(p);
}

/* I5: whatever the pause, none is a second too old. */
static void test_again_after_a_pause(void **state)
{
    (void)state;
    play *const p = open_again();
    girt__window_set_left(p->window, 1000);
    check_run(p, EASY, 2);
    check_run(p, AGAIN, 3);
    /* Within the second: the slice that was, for so many. */
    p->now_ns += 999999999;
    check_run(p, AGAIN, GIRT__WINDOW_AGAIN - 3);
    check_run(p, EASY, 1);
    check_sums(p, 1, 4 + GIRT__WINDOW_AGAIN, 0, 0);
    p->now_ns += 9000000000; /* of the first slice they were */
    check_sums(p, 1, 4 + GIRT__WINDOW_AGAIN, 0, 0);
    p->now_ns += 1000000000;
    check_sums(p, 1, 0, 0, 0);
    close_play(p);
}

static void test_again_in_another_second(void **state)
{
    (void)state;
    play *const p = open_again();
    girt__window_set_left(p->window, 1000);
    check_run(p, EASY, 2);
    check_run(p, AGAIN, 1);
    second_now++;
    p->now_ns += 1000000000;
    check_run(p, LOOK, 1); /* by the clock: the first of its slice */
    p->now_ns += 9000000000;
    check_sums(p, 1, 1, 0, 0);
    close_play(p);
}

/* I6: looks come as they would without. */
static void test_again_and_looks(void **state)
{
    (void)state;
    for (int64_t left = 1; left < 40; left++) {
        play *const p = open_again();
        girt__window_set_left(p->window, left);
        for (int64_t i = 1; i < left; i++)
            assert_true(add_one(p, 1) < OTHER);
        assert_int_equal(add_one(p, 1), LOOK);
        /* Also with something else among them. */
        girt__window_set_left(p->window, left);
        for (int64_t i = 1; i < left; i++) {
            if (i % 13 == 0)
                assert_false(girt__window_add(p->window, 1, p->now_ns, 2));
            else
                assert_true(add_one(p, 1) < OTHER);
        }
        assert_int_equal(add_one(p, 1), LOOK);
        close_play(p);
    }
}

static void check_asks(const girt_clock *clock, int64_t window_ns, bool asks)
{
    play *const p = open_play(window_ns);
    memset(p->window, 0, sizeof *p->window);
    girt__window_init(p->window, clock, window_ns);
    assert_int_equal(p->window->second != NULL, asks);
    close_play(p);
}

/* Only where a slice lasts a second, and the time is the kernel's. */
static void test_again_is_allowed(void **state)
{
    (void)state;
    check_asks(&girt_clock_coarse, 10000000000, true);
    check_asks(&girt_clock_coarse, 9999999990, false);
    check_asks(&girt_clock_monotonic, 10000000000, false);
    play *const p = open_play(10000000000);
    assert_null(p->window->second);
    (void)girt__window_add(p->window, 1, p->now_ns, 0);
    girt__window_set_left(p->window, 1000);
    check_run(p, EASY, 100);
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
        cmocka_unit_test(test_slides),
        cmocka_unit_test(test_eras),
        cmocka_unit_test(test_stale_time),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_easy),
        cmocka_unit_test(test_end_of_counts),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_again_after_a_pause),
        cmocka_unit_test(test_again_in_another_second),
        cmocka_unit_test(test_again_and_looks),
        cmocka_unit_test(test_again_is_allowed),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

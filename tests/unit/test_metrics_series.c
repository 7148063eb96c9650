/* SPDX-License-Identifier: MIT */
/* Goal: registries of several processes over one block have the same series and
 * the same counts, whatever becomes of a process, and survive a block that is
 * destroyed.  Method: two registries over one block here; children that make
 * the same series at once and are killed at any instruction; every word of a
 * block overwritten in turn. */
#include "metrics/metrics_series.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "metrics/metrics_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/scrape.h"
#include "support/threads.h"

enum { BLOCK = 1 << 20 };

static void *block; /* shared with children */

static int make(void **state)
{
    (void)state;
    block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return munmap(block, BLOCK);
}

static void count_closed(void *context)
{
    ++*(int *)context;
}

static girt_metrics *attached(int *closed)
{
    girt_metrics *m = NULL;
    check_status(girt__metrics_attach(&m, block, BLOCK, NULL,
                                      closed != NULL ? count_closed : NULL,
                                      closed),
                 GIRT_OK);
    return m;
}

static void the_same_series(void **state)
{
    (void)state;
    int closed = 0;
    girt_metrics *const a = attached(&closed), *const b = attached(&closed);
    girt_counter *ca, *cb;
    girt_gauge *ga, *gb;
    girt_histogram *ha, *hb;
    const char *const labels[] = {"x", "1", "y", "2", NULL}, *const turned[] = {
                                                                 "y", "2", "x",
                                                                 "1", NULL};
    check_status(girt_counter_create(&ca, a, "c", "h", labels), GIRT_OK);
    check_status(girt_counter_create(&cb, b, "c", "other", turned), GIRT_OK);
    check_status(girt_gauge_create(&ga, a, "g", "h", NULL), GIRT_OK);
    check_status(girt_gauge_create(&gb, b, "g", "h", NULL), GIRT_OK);
    check_status(girt_histogram_create(&ha, a, "h", "h", NULL), GIRT_OK);
    check_status(girt_histogram_create(&hb, b, "h", "h", NULL), GIRT_OK);
    check_status(girt_gauge_create(&gb, b, "c", "h", NULL), GIRT_E_INVALID);
    girt_counter_add(ca, 3);
    girt_counter_add(cb, 4);
    assert_int_equal(girt_counter_value(ca), 7);
    girt_gauge_set(ga, 1);
    girt_gauge_add(gb, 1);
    assert_true(girt_gauge_value(ga) == 2);
    girt_histogram_record(ha, 10);
    girt_histogram_record(hb, 20);
    assert_int_equal(girt_histogram_count(ha), 2);
    assert_int_equal(girt_histogram_quantile(hb, 0), 10);
    check_status(girt_histogram_merge(ha, hb), GIRT_E_INVALID);
    check_status(girt_metrics_set_series_max(a, 1), GIRT_OK);
    check_status(girt_counter_create(&cb, b, "c", "", NULL), GIRT_OK);

    scrape sa, sb;
    scrape_take(&sa, a, GIRT_OPENMETRICS_TEXT);
    scrape_take(&sb, b, GIRT_OPENMETRICS_TEXT);
    assert_string_equal(sa.text, sb.text);
    assert_true(scrape_has_line(&sa, "c_total{x=\"1\",y=\"2\"} 7"));
    assert_true(scrape_has_line(&sa, "c_total{overflow=\"true\"} 0"));
    scrape_free(&sa);
    scrape_free(&sb);
    assert_true(girt__metrics_is_valid(a));
    girt_metrics_destroy(a);
    assert_int_equal(closed, 1);
    girt_counter_add(cb, 1);
    girt_metrics_destroy(b);
    assert_int_equal(closed, 2);
    /* The block outlives them. */
    girt_metrics *const c = attached(NULL);
    check_status(girt_counter_create(&ca, c, "c", "", labels), GIRT_OK);
    assert_int_equal(girt_counter_value(ca), 7);
    girt_metrics_destroy(c);
}

/* What a child does: the same for all, in an order of its own. */
static void make_and_count(girt_metrics *m, uint64_t seed, int rounds)
{
    rng r = {seed};
    for (int i = 0; i < rounds; i++) {
        char name[24], value[24];
        (void)snprintf(name, sizeof name, "m%d", (int)rng_below(&r, 6));
        (void)snprintf(value, sizeof value, "%d", (int)rng_below(&r, 8));
        const char *const labels[] = {"i", value, NULL};
        girt_counter *c;
        girt_histogram *h;
        if (girt_counter_create(&c, m, name, "h", labels) == GIRT_OK)
            girt_counter_add(c, 1);
        if (i % 16 == 0 &&
            girt_histogram_create(&h, m, "h", "h", NULL) == GIRT_OK)
            girt_histogram_record(h, 5);
    }
}

static void from_processes(void **state)
{
    (void)state;
    enum { CHILDREN = 4 };
    const int rounds = (int)scaled(2000);
    pid_t children[CHILDREN];
    const uint64_t seed = test_seed();
    for (uint64_t i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            make_and_count(attached(NULL), seed + i, rounds);
            _exit(0);
        }
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        int how = -1;
        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    girt_metrics *const m = attached(NULL);
    scrape s;
    scrape_take(&s, m, GIRT_OPENMETRICS_TEXT); /* no sample twice */
    uint64_t sum = 0;
    for (int i = 0; i < 48; i++) {
        char sample[40];
        (void)snprintf(sample, sizeof sample, "m%d_total{i=\"%d\"}", i / 8,
                       i % 8);
        const char *const value = scrape_value(&s, sample);
        sum += value == NULL ? 0 : strtoull(value, NULL, 10);
    }
    assert_int_equal(sum, CHILDREN * (uint64_t)rounds);
    scrape_free(&s);
    assert_true(girt__metrics_is_valid(m));
    girt_metrics_destroy(m);
}

static void killed(void **state)
{
    (void)state;
    rng r = {test_seed()};
    const size_t kills = scaled(80);
    for (size_t i = 0; i < kills; i++) {
        if (i % 8 == 0)
            memset(block, 0, BLOCK);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (uint64_t seed = i;; seed++)
                make_and_count(attached(NULL), seed, 100);
        }
        for (uint64_t spins = rng_below(&r, 400000); spins > 0; spins--)
            __asm__ __volatile__("" ::: "memory");
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        girt_metrics *const m = attached(NULL);
        make_and_count(m, i, 10); /* nothing to wait for */
        assert_true(girt__metrics_is_valid(m));
        scrape s;
        scrape_take(&s, m, GIRT_PROMETHEUS_TEXT);
        scrape_free(&s);
        girt_metrics_destroy(m);
    }
}

static bool discard(void *context, const char *text, size_t size)
{
    (void)context;
    (void)text;
    (void)size;
    return true;
}

/* Whatever is in the block: answers, and no access outside of it. */
static void destroyed_blocks(void **state)
{
    (void)state;
    girt_metrics *const m = attached(NULL);
    make_and_count(m, 1, 200);
    const size_t used = (size_t)girt__arena_head(&m->arena)->used;
    girt_metrics_destroy(m);
    uint64_t *const words = block;
    rng r = {test_seed()};
    /* The nodes are among the first words; cells may have any value. */
    for (size_t at = 0; at < used / 8; at += at < 2000 ? 1 : 331) {
        const uint64_t before = words[at];
        const uint64_t with[] = {
            0, 1, UINT64_MAX, before + 8, BLOCK - 8, rng_next(&r), before ^ 1};
        for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
            words[at] = with[i];
            girt_metrics *other = NULL;
            const girt_status status =
                girt__metrics_attach(&other, block, BLOCK, NULL, NULL, NULL);
            if (status == GIRT_OK) {
                (void)girt_metrics_write(other, GIRT_OPENMETRICS_TEXT, discard,
                                         NULL);
                girt_counter *c;
                (void)girt_counter_create(&c, other, "m1", "h", NULL);
                girt_metrics_destroy(other);
            } else {
                check_status(status, GIRT_E_CORRUPT);
            }
            words[at] = before;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_series, make, end),
        cmocka_unit_test_setup_teardown(from_processes, make, end),
        cmocka_unit_test_setup_teardown(killed, make, end),
        cmocka_unit_test_setup_teardown(destroyed_blocks, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

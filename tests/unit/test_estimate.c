/* SPDX-License-Identifier: MIT */
/* Goal: limits move as the field's library moves them.
 * Method: every row of its tables; Vegas with smoothing and with halving, which
 * options cannot say, are set in the estimate itself, as is a minimum of 1. */
#include "guard/estimate.h"

#include "support/check.h"
#include "support/shared.h"

static unsigned option(const char *config, const char *name, unsigned other)
{
    const char *const at = strstr(config, name);
    return at == NULL ? other : (unsigned)atoi(at + strlen(name));
}

static void test_table(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/netflix_limits.tsv");
    if (file == NULL)
        skip_because("netflix_limits.tsv is not here");
    girt__estimate e = {.limit = 0};
    char line[256];
    size_t rows = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        char name[32], config[96];
        unsigned step, took_ms, on_the_way, dropped, limit;
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%31[^\t]\t%95[^\t]\t%u\t%u\t%u\t%u\t%u",
                                name, config, &step, &took_ms, &on_the_way,
                                &dropped, &limit),
                         7);
        if (step == 1) {
            girt__estimate_init(
                &e,
                name[0] == 'v' ? GIRT_CONCURRENCY_VEGAS : GIRT_CONCURRENCY_AIMD,
                option(config, "initial=", 0), option(config, "min=", 1),
                option(config, "max=", 0), 1);
            const char *const smoothing = strstr(config, "smoothing=");
            if (smoothing != NULL)
                e.smoothing = strtod(smoothing + 10, NULL);
            e.halves = strstr(config, "decrease=half") != NULL;
        }
        girt__estimate_add(&e, &(girt__sample){.took_ns = took_ms * 1e6,
                                               .on_the_way = on_the_way,
                                               .dropped = dropped != 0});
        assert_int_equal((unsigned)e.limit, limit);
        rows++;
    }
    assert_int_equal(rows, 17);
    (void)fclose(file);
}

/* The formula of DESIGN, by hand. */
static void test_gradient(void **state)
{
    (void)state;
    girt__estimate e;
    girt__estimate_init(&e, GIRT_CONCURRENCY_GRADIENT2, 100, 20, 200, 1);
    girt__sample s = {.took_ns = 1000, .on_the_way = 100};
    girt__estimate_add(&e, &s); /* long = now: gradient 1 */
    assert_true(e.limit > 100.799 && e.limit < 100.801);
    s.took_ns = 9000; /* long = 5000: 1.5 * 5 / 9 = 0.8333 */
    girt__estimate_add(&e, &s);
    double const want = 0.8 * 100.8 + 0.2 * (100.8 * 7.5 / 9 + 4);
    assert_true(e.limit > want - 1e-6 && e.limit < want + 1e-6);
    s.on_the_way = 10; /* hardly used */
    girt__estimate_add(&e, &s);
    assert_true(e.limit > want - 1e-6 && e.limit < want + 1e-6);
    s.dropped = true;
    girt__estimate_add(&e, &s);
    assert_true(e.limit < want * 0.9 + 1e-6);
    for (int i = 0; i < 1000; i++)
        girt__estimate_add(&e, &s);
    assert_true(e.limit >= 20);
}

/* A service that is slower for good: the least time is taken anew. */
static void test_vegas_forgets(void **state)
{
    (void)state;
    girt__estimate e;
    girt__estimate_init(&e, GIRT_CONCURRENCY_VEGAS, 100, 20, 200, 1);
    girt__sample s = {.took_ns = 1000, .on_the_way = 200};
    girt__estimate_add(&e, &s);
    s.took_ns = 5000;
    for (int i = 0; i < 10000; i++)
        girt__estimate_add(&e, &s);
    assert_true(e.least_ns > 4999 && e.limit > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_vegas_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

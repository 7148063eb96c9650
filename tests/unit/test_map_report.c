/* SPDX-License-Identifier: MIT */
/* Goal: maps tell a registry what they hold and how they grew.  Method: entries
 * of known number, enough for every kind of growth but spills, and for these
 * keys of one hash. */
#include "map/map_report.h"

#include <girt/map64.h>

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/fake_registry.h"

static fake_registry registry;

static double value_of(const char *series, const char *label)
{
    return fake_value(&registry, series, "m", label);
}

static void a_map_tells_what_it_holds(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    girt_map *map = NULL;
    check_status(
        girt_map_create(
            &map, &(girt_map_options){.value_size = 8,
                                      .name = "m",
                                      .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_map_entries", NULL) == 0);
    assert_true(value_of("girt_map_tables", NULL) == 1);
    assert_true(value_of("girt_map_growths_total", "enlarge") == 0);
    for (uint64_t key = 0; key < 10000; key++)
        check_status(girt_map_put(map, &key, sizeof key, &key), GIRT_OK);
    for (uint64_t key = 0; key < 10; key++)
        check_status(girt_map_remove(map, &key, sizeof key, NULL), GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_map_entries", NULL) == 9990);
    assert_true(value_of("girt_map_bytes", NULL) ==
                (double)girt_map_bytes(map));
    double const splits = value_of("girt_map_growths_total", "split");
    assert_true(splits >= 7);
    assert_true(value_of("girt_map_tables", NULL) == splits + 1);
    assert_true(value_of("girt_map_growths_total", "enlarge") >= 2);
    assert_true(value_of("girt_map_growths_total", "spill") == 0);
    girt_map_destroy(map);
    fake_registry_end(&registry);
}

static void a_map64_reports_when_told_to(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    struct girt_metrics *const metrics = fake_metrics(&registry);
    girt_map64 *map = NULL, *other = NULL;
    check_status(girt_map64_create(&map, 0, NULL), GIRT_OK);
    check_status(girt_map64_create(&other, 0, NULL), GIRT_OK);
    for (uint64_t key = 0; key < 10000; key++)
        check_status(girt_map64_put(map, key, key), GIRT_OK);
    check_status(girt_map64_report(NULL, metrics, "m"), GIRT_E_INVALID);
    check_status(girt_map64_report(map, NULL, "m"), GIRT_E_INVALID);
    check_status(girt_map64_report(map, metrics, NULL), GIRT_E_INVALID);
    check_status(girt_map64_report(map, metrics, ""), GIRT_E_INVALID);
    assert_int_equal(registry.attached, 0);
    check_status(girt_map64_report(map, metrics, "m"), GIRT_OK);
    check_status(girt_map64_report(map, metrics, "n"), GIRT_E_BUSY);
    check_status(girt_map64_report(other, metrics, "m"), GIRT_E_BUSY);
    check_status(girt_map64_report(other, metrics, "n"), GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_map64_entries", NULL) == 10000);
    assert_true(value_of("girt_map64_bytes", NULL) ==
                (double)girt_map64_bytes(map));
    assert_true(value_of("girt_map64_growths_total", "split") + 1 ==
                value_of("girt_map64_tables", NULL));
    assert_true(fake_value(&registry, "girt_map64_entries", "n", NULL) == 0);
    girt_map64_destroy(map);
    girt_map64_destroy(other);
    fake_registry_end(&registry);
}

/* The index alone, which takes the hashes that it is given. */
static void spills_are_told(void **state)
{
    (void)state;
    girt_allocator allocator;
    check_status(girt__allocator_resolve(&allocator, NULL), GIRT_OK);
    girt__index index;
    check_status(girt__index_init(&index, GIRT__WIDE, 0, 0, &allocator),
                 GIRT_OK);
    for (uint64_t i = 0; i < 3000; i++) {
        girt__place place;
        girt_status status;
        do { /* each turn makes room */
            place = girt__index_lock(&index, GIRT__WIDE, 1);
            status = girt__place_insert(&place, i);
        } while (status != GIRT_OK &&
                 girt__index_make_room(&index, &place, status) == GIRT_OK);
        girt__place_unlock(&place);
    }
    assert_true(girt_load_relaxed(&index.grown[GIRT__GROWTH_SPILL]) > 0);
    girt__index_destroy(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_tells_what_it_holds),
        cmocka_unit_test(a_map64_reports_when_told_to),
        cmocka_unit_test(spills_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: a ring tells a registry which nodes were asked for how often, and how
 * much its last change moved.  Method: lookups of known answers over changes of
 * the membership, on every kind; nodes beyond those that are counted alone. */
#include <girt/ring.h>

#include <math.h>

#include "support/check.h"
#include "support/failing.h"
#include "support/fake_registry.h"

static fake_registry registry;

static double value_of(const char *series, const char *node)
{
    return fake_value(&registry, series, "r", node);
}

static girt_ring *made(girt_ring_options options)
{
    girt_ring *ring = NULL;
    options.name = "r";
    options.metrics = fake_metrics(&registry);
    check_status(girt_ring_create(&ring, &options), GIRT_OK);
    return ring;
}

/* Adds to counts[] by the first letter of the node's name. */
static void find_many(girt_ring *ring, unsigned counts[])
{
    for (uint32_t key = 0; key < 1000; key++) {
        uint32_t id;
        char name[16];
        check_status(girt_ring_find(ring, &key, sizeof key, &id), GIRT_OK);
        check_status(girt_ring_name(ring, id, name, sizeof name), GIRT_OK);
        counts[name[0] - 'a']++;
    }
}

static void check_lookups(const unsigned counts[], const char *nodes)
{
    fake_registry_scrape(&registry);
    for (; *nodes != '\0'; nodes++)
        assert_true(
            value_of("girt_ring_lookups_total", (const char[]){*nodes, '\0'}) ==
            counts[*nodes - 'a']);
}

static void lookups_are_told_by_node(void **state)
{
    (void)state;
    for (int kind = 0; kind <= GIRT_RING_JUMP; kind++) {
        fake_registry_init(&registry);
        girt_ring *const ring =
            made((girt_ring_options){.kind = (girt_ring_kind)kind});
        uint32_t id;
        check_status(girt_ring_find(ring, "k", 1, &id), GIRT_MISSING);
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_ring_nodes", NULL) == 0);
        assert_true(value_of("girt_ring_changes_total", NULL) == 0);
        unsigned counts[26] = {0};
        static const girt_node nodes[] = {{"a", 1}, {"b", 1}, {"c", 1}};
        check_status(girt_ring_set(ring, nodes, 3), GIRT_OK);
        find_many(ring, counts);
        check_lookups(counts, "abc");
        assert_true(value_of("girt_ring_nodes", NULL) == 3);
        assert_true(value_of("girt_ring_moved_ratio", NULL) == 1);
        assert_null(fake_find(&registry, "girt_ring_load", "r", "a"));
        /* c's id is d's then: d starts at nothing. */
        check_status(girt_ring_remove(ring, "c"), GIRT_OK);
        check_status(girt_ring_add(ring, "d", 1), GIRT_OK);
        find_many(ring, counts);
        check_lookups(counts, "abd");
        assert_null(fake_find(&registry, "girt_ring_lookups_total", "r", "c"));
        assert_true(value_of("girt_ring_changes_total", NULL) == 3);
        check_status(girt_ring_add(ring, "d", 1), GIRT_EXISTS);
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_ring_changes_total", NULL) == 3);
        girt_ring_destroy(ring);
        fake_registry_end(&registry);
    }
}

static void every_kind_of_lookup_counts(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    girt_ring *const ring = made((girt_ring_options){.bound = 1.25});
    check_status(girt_ring_add(ring, "a", 1), GIRT_OK);
    uint32_t id, ids[4];
    size_t count = 4;
    check_status(girt_ring_find(ring, "k", 1, &id), GIRT_OK);
    check_status(girt_ring_find_n(ring, "k", 1, ids, &count), GIRT_OK);
    check_status(
        girt_ring_find_keys(ring, &(girt_keys){"k\0k\0k", 5, NULL, 3}, ids),
        GIRT_OK);
    for (int i = 0; i < 5; i++)
        check_status(girt_ring_acquire(ring, "k", 1, &id), GIRT_OK);
    girt_ring_release(ring, id);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_ring_lookups_total", "a") == 10);
    assert_true(value_of("girt_ring_load", "a") == 4);
    check_status(girt_ring_add(ring, "b", 1), GIRT_OK);
    count = 4;
    check_status(girt_ring_find_n(ring, "k", 1, ids, &count), GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_ring_lookups_total", "a") == 11);
    assert_true(value_of("girt_ring_lookups_total", "b") == 1);
    /* One that left with loads is none any more, and keeps its id. */
    check_status(girt_ring_remove(ring, "a"), GIRT_OK);
    fake_registry_scrape(&registry);
    assert_null(fake_find(&registry, "girt_ring_lookups_total", "r", "a"));
    assert_null(fake_find(&registry, "girt_ring_load", "r", "a"));
    girt_ring_destroy(ring);
    fake_registry_end(&registry);
}

static void names_that_are_not_text_stay_two(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    girt_ring *const ring = made((girt_ring_options){.kind = GIRT_RING_NATIVE});
    char longest[GIRT_RING_NAME_MAX + 1], label[4 * GIRT_RING_NAME_MAX + 1];
    memset(longest, 0xff, GIRT_RING_NAME_MAX);
    longest[GIRT_RING_NAME_MAX] = '\0';
    for (size_t i = 0; i < GIRT_RING_NAME_MAX; i++)
        memcpy(&label[4 * i], "\\xff", 5);
    const girt_node nodes[] = {
        {"\xfe", 1}, {"a\xc3\xbc\xe4z", 1}, {longest, 1}, {"\xff", 1}};
    check_status(girt_ring_set(ring, nodes, 4), GIRT_OK);
    fake_registry_scrape(&registry);
    const char *const labels[] = {"\\xfe", "a\xc3\xbc\\xe4z", label, "\\xff"};
    for (size_t i = 0; i < 4; i++)
        assert_true(value_of("girt_ring_lookups_total", labels[i]) == 0);
    girt_ring_destroy(ring);
    fake_registry_end(&registry);
}

/* A scrape in whose midst the ring changes. */
typedef struct nosy_sink {
    girt__sink sink;
    girt_ring *ring;
    unsigned seen_a, seen_others;
} nosy_sink;

static void see_lookups(girt__sink *sink, const girt__series *series,
                        const char *label_value, uint64_t value)
{
    nosy_sink *const n = (nosy_sink *)(void *)sink;
    (void)series;
    (void)value;
    if (label_value == NULL)
        return;
    n->seen_others += strcmp(label_value, "a") != 0;
    if (strcmp(label_value, "a") != 0 || n->seen_a++ != 0)
        return;
    /* a's id is e's now, and c's is a's: it comes by again. */
    check_status(girt_ring_remove(n->ring, "a"), GIRT_OK);
    check_status(girt_ring_add(n->ring, "e", 1), GIRT_OK);
    check_status(girt_ring_remove(n->ring, "c"), GIRT_OK);
    check_status(girt_ring_add(n->ring, "a", 1), GIRT_OK);
}

static void see_nothing(girt__sink *sink, const girt__series *series,
                        const char *label_value, double value)
{
    (void)sink;
    (void)series;
    (void)label_value;
    (void)value;
}

static void a_node_that_moves_is_told_once(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    girt_ring *const ring = made((girt_ring_options){.kind = GIRT_RING_NATIVE});
    static const girt_node nodes[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    check_status(girt_ring_set(ring, nodes, 3), GIRT_OK);
    nosy_sink n = {{see_lookups, see_nothing, NULL}, ring, 0, 0};
    const girt__source *const source = registry.first;
    source->collect(source->object, &n.sink);
    assert_int_equal(n.seen_a, 1);
    assert_int_equal(n.seen_others, 1); /* b: e joined too late, c is gone */
    girt_ring_destroy(ring);
    fake_registry_end(&registry);
}

static void what_moved_is_told(void **state)
{
    (void)state;
    static const girt_ring_kind kinds[] = {
        GIRT_RING_NATIVE, GIRT_RING_KETAMA, GIRT_RING_MAGLEV,
        GIRT_RING_RENDEZVOUS, GIRT_RING_JUMP};
    for (size_t k = 0; k < 5; k++) {
        fake_registry_init(&registry);
        girt_ring *const ring = made((girt_ring_options){.kind = kinds[k]});
        girt_node nodes[10];
        char names[10][8];
        for (int i = 0; i < 10; i++) {
            (void)snprintf(names[i], sizeof names[i], "n%d", i);
            nodes[i] = (girt_node){names[i], 1};
        }
        check_status(girt_ring_set(ring, nodes, 9), GIRT_OK);
        check_status(girt_ring_add(ring, "n9", 1), GIRT_OK);
        fake_registry_scrape(&registry);
        /* A tenth is n9's; ketama is uneven, maglev moves a few more. */
        double const moved = value_of("girt_ring_moved_ratio", NULL);
        assert_true(moved > 0.06 && moved < 0.16);
        check_status(girt_ring_set(ring, nodes, 10), GIRT_OK);
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_ring_moved_ratio", NULL) == 0);
        check_status(girt_ring_set(ring, NULL, 0), GIRT_OK);
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_ring_moved_ratio", NULL) == 1);
        girt_ring_destroy(ring);
        fake_registry_end(&registry);
    }
}

static void a_name_in_the_place_of_another_has_moved(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    girt_ring *const ring = made((girt_ring_options){.kind = GIRT_RING_JUMP});
    static const girt_node before[] = {{"a", 1}, {"b", 1}};
    static const girt_node after[] = {{"a", 1}, {"c", 1}}; /* b's id */
    check_status(girt_ring_set(ring, before, 2), GIRT_OK);
    check_status(girt_ring_set(ring, after, 2), GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(fabs(value_of("girt_ring_moved_ratio", NULL) - 0.5) < 0.02);
    girt_ring_destroy(ring);
    fake_registry_end(&registry);
}

static void many_nodes_are_told_together(void **state)
{
    (void)state;
    enum { NODES = 1100 };
    fake_registry_init(&registry);
    registry.check_twice = false;
    girt_ring *const ring = made((girt_ring_options){.kind = GIRT_RING_JUMP});
    static girt_node nodes[NODES];
    static char names[NODES][8];
    for (int i = 0; i < NODES; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%d", i);
        nodes[i] = (girt_node){names[i], 1};
    }
    check_status(girt_ring_set(ring, nodes, NODES), GIRT_OK);
    for (uint32_t key = 0; key < 20000; key++) {
        uint32_t id;
        check_status(girt_ring_find(ring, &key, sizeof key, &id), GIRT_OK);
    }
    fake_registry_scrape(&registry);
    size_t nodes_seen = 0;
    double sum = 0;
    for (size_t i = 0; i < registry.sample_count; i++) {
        const fake_sample *const s = &registry.samples[i];
        if (strcmp(s->series->name, "girt_ring_lookups_total") != 0)
            continue;
        nodes_seen++;
        sum += s->value;
    }
    assert_int_equal(nodes_seen, 1024 + 1);
    assert_true(sum == 20000);
    double const rest = value_of("girt_ring_lookups_total", "");
    assert_true(rest > 20000 * 60 / NODES && rest < 20000 * 90 / NODES);
    girt_ring_destroy(ring);
    fake_registry_end(&registry);
}

static void a_change_without_room_to_count_changes_nothing(void **state)
{
    (void)state;
    for (int bound = 0; bound < 2; bound++) {
        fake_registry_init(&registry);
        failing memory;
        failing_init(&memory);
        girt_ring *const ring = made((girt_ring_options){
            .bound = bound, .allocator = &memory.allocator});
        size_t refusals = 0;
        for (size_t k = 1;; k++) {
            memory.fail_at = memory.calls + k;
            girt_status const status = girt_ring_add(ring, "a", 1);
            if (status == GIRT_OK)
                break;
            check_status(status, GIRT_E_NOMEM);
            assert_int_equal(girt_ring_count(ring), 0);
            refusals++;
        }
        assert_true(refusals >= 4); /* the last one: the counts */
        memory.fail_at = 0;
        girt_ring_destroy(ring);
        assert_int_equal(memory.live_blocks, 0);
        fake_registry_end(&registry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_are_told_by_node),
        cmocka_unit_test(every_kind_of_lookup_counts),
        cmocka_unit_test(names_that_are_not_text_stay_two),
        cmocka_unit_test(a_node_that_moves_is_told_once),
        cmocka_unit_test(what_moved_is_told),
        cmocka_unit_test(a_name_in_the_place_of_another_has_moved),
        cmocka_unit_test(many_nodes_are_told_together),
        cmocka_unit_test(a_change_without_room_to_count_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: a ketama ring is libmemcached's, bit for bit.  Method: its placements
 * and full point lists from tables, original libketama's by names that keep the
 * port, the float rule by known counts, and, where libmemcached is installed,
 * random keys and weights against the library itself. */
#include <girt/epoch.h>
#include <girt/ring.h>

#include <dlfcn.h>

#include "ring/ring_internal.h"
#include "support/rng.h"
#include "unit/ring_tables.h"

#define SERVERS_MAX 128

typedef struct servers {
    girt_node nodes[SERVERS_MAX];
    char names[SERVERS_MAX][128];
    size_t count;
} servers;

static void server_add(servers *s, const char *format, const char *host,
                       const char *port, uint32_t weight)
{
    assert_true(s->count < SERVERS_MAX);
    snprintf(s->names[s->count], sizeof s->names[0], format, host, port);
    s->nodes[s->count] = (girt_node){s->names[s->count], weight};
    s->count++;
}

static girt_ring *ring_of(const servers *s)
{
    girt_ring *ring = NULL;
    check_status(
        girt_ring_create(&ring, &(girt_ring_options){.kind = GIRT_RING_KETAMA}),
        GIRT_OK);
    check_status(girt_ring_set(ring, s->nodes, s->count), GIRT_OK);
    return ring;
}

/* The first set gives ids in list order. */
static uint32_t owner(girt_ring *ring, const char *key)
{
    uint32_t id = UINT32_MAX;
    check_status(girt_ring_find(ring, key, strlen(key), &id), GIRT_OK);
    return id;
}

static const char *const tables[] = {
    "3eq", "5ports", "7skew", "8w", "100eq", "7w_minus_last", "8w_reversed"};

/* Reads the servers of a placement table, up to the line of titles. */
static FILE *open_placements(const char *table, servers *s)
{
    char path[128];
    snprintf(path, sizeof path, "vectors/ketama_weighted_%s.tsv", table);
    FILE *const file = shared_open(path);
    if (file == NULL)
        return NULL;
    s->count = 0;
    table_row row;
    while (table_read(file, &row) && strcmp(row.field[0], "#key") != 0)
        if (strcmp(row.field[0], "# server") == 0)
            server_add(s, "%s:%s", row.field[2], row.field[3],
                       (uint32_t)table_number(&row, 4));
    return file;
}

static void placements(void **state)
{
    (void)state;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        servers s;
        FILE *const file = open_placements(tables[t], &s);
        if (file == NULL)
            skip_because("no vectors/ketama_weighted_%s.tsv", tables[t]);
        girt_ring *const ring = ring_of(&s);
        table_row row;
        size_t rows = 0;
        while (table_read(file, &row)) {
            assert_int_equal(
                girt__ketama_key_hash(row.field[0], strlen(row.field[0])) >> 32,
                table_number(&row, 1));
            assert_int_equal(owner(ring, row.field[0]), table_number(&row, 2));
            rows++;
        }
        assert_int_equal(rows, 1000);
        fclose(file);
        girt_ring_destroy(ring);
    }
}

static void point_lists(void **state)
{
    (void)state;
    size_t lists = 0;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        servers s;
        FILE *const servers_file = open_placements(tables[t], &s);
        char path[128];
        snprintf(path, sizeof path, "vectors/continuum_%s.tsv", tables[t]);
        FILE *const file = shared_open(path);
        if (servers_file != NULL)
            fclose(servers_file);
        if (servers_file == NULL || file == NULL)
            continue;
        girt_ring *const ring = ring_of(&s);
        const girt__ring_table *const table = &ring->snapshot->table;
        table_row row;
        size_t point = 0;
        while (table_read(file, &row)) {
            if (row.field[0][0] == '#')
                continue;
            assert_true(point < table->count);
            assert_int_equal(table->hashes[point] >> 32, table_number(&row, 0));
            assert_int_equal(table->owners[point], table_number(&row, 1));
            point++;
        }
        assert_int_equal(point, table->count);
        fclose(file);
        girt_ring_destroy(ring);
        lists++;
    }
    if (lists == 0)
        skip_because("no vectors/continuum_*.tsv");
    assert_int_equal(lists, 6);
}

/* The eight servers that libmemcached's and libketama's own tests use. */
static void eight_servers(servers *s, const char *format)
{
    static const uint32_t weights[] = {600, 300, 200, 350, 1000, 800, 950, 100};
    s->count = 0;
    for (size_t i = 0; i < 8; i++) {
        char host[16];
        snprintf(host, sizeof host, "10.0.1.%zu", i + 1);
        server_add(s, format, host, "11211", weights[i]);
    }
}

/* Tables whose rows are key, hash, point, server: the owner's name begins with
 * the server's. */
static void points_and_names(const char *path, const char *format, size_t want,
                             bool has_points)
{
    FILE *const file = shared_open(path);
    if (file == NULL)
        skip_because("no %s", path);
    servers s;
    eight_servers(&s, format);
    girt_ring *const ring = ring_of(&s);
    const girt__ring_table *const table = &ring->snapshot->table;
    table_row row;
    size_t rows = 0;
    while (table_read(file, &row)) {
        if (strncmp(row.field[0], "# ", 2) == 0 ||
            strcmp(row.field[0], "#key") == 0)
            continue;
        uint64_t const hash =
            girt__ketama_key_hash(row.field[0], strlen(row.field[0]));
        assert_int_equal(hash >> 32, table_number(&row, 1));
        size_t point = girt__points_find(table, hash);
        if (point == table->count)
            point = 0;
        if (has_points)
            assert_int_equal(table->hashes[point] >> 32, table_number(&row, 2));
        char name[GIRT_RING_NAME_MAX + 1];
        check_status(
            girt_ring_name(ring, owner(ring, row.field[0]), name, sizeof name),
            GIRT_OK);
        const char *const at = name[0] == '/' ? name + 1 : name;
        assert_memory_equal(at, row.field[3], strlen(row.field[3]));
        assert_int_equal(at[strlen(row.field[3])], ':');
        rows++;
    }
    assert_int_equal(rows, want);
    fclose(file);
    girt_ring_destroy(ring);
}

static void libmemcached_fixture(void **state)
{
    (void)state;
    points_and_names("vectors/libmemcached_ketama99.tsv", "%s:%s", 99, true);
}

/* Its other way to name points, "/host:port-k", by names that keep the port.
 * The table's servers are of this way; its points are those of the table above.
 */
static void libmemcached_spy_fixture(void **state)
{
    (void)state;
    points_and_names("vectors/libmemcached_ketama99_spy.tsv", "/%s:%s:11211",
                     99, false);
}

static void original_libketama(void **state)
{
    (void)state;
    points_and_names("vectors/rj_ketama_first1000.tsv", "%s:%s:11211", 1000,
                     true);
}

static void a_key_past_the_last_point_wraps(void **state)
{
    (void)state;
    servers s;
    eight_servers(&s, "%s:%s");
    girt_ring *const ring = ring_of(&s);
    const girt__ring_table *const table = &ring->snapshot->table;
    uint64_t const hash = girt__ketama_key_hash("VDEAAAAA", 8);
    assert_true(hash > table->hashes[table->count - 1]);
    assert_int_equal(owner(ring, "VDEAAAAA"), table->owners[0]);
    girt_ring_destroy(ring);
}

static void float_rule(void **state)
{
    (void)state;
    assert_int_equal(girt__ketama_points(1, 1, 1), 160);
    assert_int_equal(girt__ketama_points(1, 3, 3), 160);
    assert_int_equal(girt__ketama_points(1, 100, 100), 156);
    assert_int_equal(girt__ketama_points(1, 1000000, 2), 0);
    assert_int_equal(girt__ketama_points(999999, 1000000, 2), 316);
    assert_int_equal(girt__ketama_points(UINT32_MAX, UINT32_MAX, 1), 160);
}

/* The default port is dropped once, at the end only, never the whole name. */
static void default_port(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"h", "h:11211", true},  {"h:11211", "h:11211:11211", false},
        {"h", "h:11212", false}, {"h:1121", "h:11211", false},
        {":11211", "h", false},
        {":11211", ":11211:11211", true},  {"h:11211x", "h", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        servers a = {.count = 0}, b = {.count = 0};
        server_add(&a, "%s%s", pairs[i].a, "", 1);
        server_add(&b, "%s%s", pairs[i].b, "", 1);
        girt_ring *const ring_a = ring_of(&a), *const ring_b = ring_of(&b);
        const girt__ring_table *const ta = &ring_a->snapshot->table;
        const girt__ring_table *const tb = &ring_b->snapshot->table;
        assert_int_equal(ta->count, 160);
        assert_int_equal(tb->count, 160);
        assert_int_equal(
            memcmp(ta->hashes, tb->hashes, 160 * sizeof *ta->hashes) == 0,
            pairs[i].same);
        girt_ring_destroy(ring_a);
        girt_ring_destroy(ring_b);
    }
}

static void a_server_of_tiny_weight_has_no_keys(void **state)
{
    (void)state;
    servers s = {.count = 0};
    server_add(&s, "%s:%s", "big", "1", 1000000);
    server_add(&s, "%s:%s", "tiny", "1", 1);
    girt_ring *const ring = ring_of(&s);
    assert_true(girt_ring_share(ring, "tiny:1") == 0.0);
    assert_true(girt_ring_share(ring, "big:1") == 1.0);
    uint32_t ids[2];
    size_t count = 2;
    check_status(girt_ring_find_n(ring, "k", 1, ids, &count), GIRT_OK);
    assert_int_equal(count, 1);
    girt_ring_destroy(ring);
}

#if __has_include(<libmemcached/memcached.h>)
#include <libmemcached/memcached.h>

/* Loaded, not linked: the test runs where the library is missing, too. */
static void agrees_with_libmemcached(void **state)
{
    (void)state;
    void *const library = dlopen("libmemcached.so.11", RTLD_NOW);
    if (library == NULL)
        skip_because("no libmemcached.so.11");
    __typeof__(&memcached_create) create;
    __typeof__(&memcached_free) release;
    __typeof__(&memcached_behavior_set) set;
    __typeof__(&memcached_server_add_with_weight) add;
    __typeof__(&memcached_generate_hash) place;
    *(void **)&create = dlsym(library, "memcached_create");
    *(void **)&release = dlsym(library, "memcached_free");
    *(void **)&set = dlsym(library, "memcached_behavior_set");
    *(void **)&add = dlsym(library, "memcached_server_add_with_weight");
    *(void **)&place = dlsym(library, "memcached_generate_hash");
    assert_true(create && release && set && add && place);

    rng r = {20};
    for (size_t round = 0; round < 20; round++) {
        memcached_st *const memc = create(NULL);
        set(memc, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
        set(memc, MEMCACHED_BEHAVIOR_KETAMA_HASH, MEMCACHED_HASH_MD5);
        servers s = {.count = 0};
        size_t const count = 1 + rng_below(&r, 60);
        for (size_t i = 0; i < count; i++) {
            char host[32], port[16];
            snprintf(host, sizeof host, "host-%u.example",
                     (unsigned)rng_below(&r, 1000000));
            uint32_t const number = rng_below(&r, 3) == 0
                                        ? 11211
                                        : 1 + (uint32_t)rng_below(&r, 65535);
            snprintf(port, sizeof port, "%u", number);
            uint32_t const weight =
                1 + (uint32_t)rng_below(&r, round % 2 != 0 ? 1000 : 3);
            server_add(&s, "%s:%s", host, port, weight);
            assert_int_equal(add(memc, host, (in_port_t)number, weight),
                             MEMCACHED_SUCCESS);
        }
        girt_ring *const ring = ring_of(&s);
        for (size_t k = 0; k < 500; k++) {
            char key[32];
            snprintf(key, sizeof key, "%llx", (unsigned long long)rng_next(&r));
            assert_int_equal(owner(ring, key), place(memc, key, strlen(key)));
        }
        girt_ring_destroy(ring);
        release(memc);
    }
    dlclose(library);
}
#else
static void agrees_with_libmemcached(void **state)
{
    (void)state;
    skip_because("no libmemcached/memcached.h");
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placements),
        cmocka_unit_test(point_lists),
        cmocka_unit_test(libmemcached_fixture),
        cmocka_unit_test(libmemcached_spy_fixture),
        cmocka_unit_test(original_libketama),
        cmocka_unit_test(a_key_past_the_last_point_wraps),
        cmocka_unit_test(float_rule),
        cmocka_unit_test(default_port),
        cmocka_unit_test(a_server_of_tiny_weight_has_no_keys),
        cmocka_unit_test(agrees_with_libmemcached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

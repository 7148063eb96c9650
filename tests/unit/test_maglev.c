/* SPDX-License-Identifier: MIT */
/* Goal: the maglev table is Envoy's.  Method: Envoy's own test tables with and
 * without weights, its hash points, the fill alone on another program's
 * permutations, and primes against trial division. */
#include <girt/ring.h>

#include "ring/ring_internal.h"
#include "unit/ring_tables.h"

/* The comma-separated parts of text, cut in place. */
static size_t cut(char *text, char *parts[], size_t room)
{
    size_t count = 0;
    for (char *save = NULL, *part = strtok_r(text, ",", &save);
         part != NULL && count < room; part = strtok_r(NULL, ",", &save))
        parts[count++] = part;
    return count;
}

static void envoy_tables(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/envoy_maglev.tsv");
    if (file == NULL)
        skip_because("no vectors/envoy_maglev.tsv");
    table_row row;
    size_t rows = 0;
    while (table_read(file, &row)) {
        if (row.field[0][0] == '#')
            continue;
        uint32_t const size = (uint32_t)table_number(&row, 1);
        char *names[8], *weights[8], *slots[32];
        size_t const count = cut(row.field[2], names, 8);
        assert_int_equal(cut(row.field[3], weights, 8), count);
        assert_int_equal(cut(row.field[4], slots, 32), size);
        girt_node nodes[8];
        /* Backwards: list order must not matter. */
        for (size_t i = 0; i < count; i++)
            nodes[count - 1 - i] =
                (girt_node){names[i], (uint32_t)strtoul(weights[i], NULL, 10)};
        girt_ring *ring = NULL;
        check_status(girt_ring_create(
                         &ring, &(girt_ring_options){.kind = GIRT_RING_MAGLEV,
                                                     .maglev_size = size}),
                     GIRT_OK);
        check_status(girt_ring_set(ring, nodes, count), GIRT_OK);
        for (size_t slot = 0; slot < size; slot++) {
            char name[GIRT_RING_NAME_MAX + 1];
            check_status(girt_ring_name(ring,
                                        ring->snapshot->table.owners[slot],
                                        name, sizeof name),
                         GIRT_OK);
            assert_string_equal(name, names[strtoul(slots[slot], NULL, 10)]);
        }
        girt_ring_destroy(ring);
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, 5);
}

/* A key's slot is XXH64(key, seed) % size. */
static void keys_go_to_their_slot(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        girt_ring *ring = NULL;
        check_status(girt_ring_create(
                         &ring, &(girt_ring_options){.kind = GIRT_RING_MAGLEV,
                                                     .seed = seed}),
                     GIRT_OK);
        static const girt_node nodes[] = {{"a", 1}, {"b", 2}, {"c", 3}};
        check_status(girt_ring_set(ring, nodes, 3), GIRT_OK);
        assert_int_equal(ring->snapshot->table.count, 65537);
        for (int k = 0; k < 1000; k++) {
            uint32_t id;
            check_status(girt_ring_find(ring, &k, sizeof k, &id), GIRT_OK);
            assert_int_equal(
                id, ring->snapshot->table
                        .owners[girt__ring_xxh64(&k, sizeof k, seed) % 65537]);
        }
        /* 65537 slots by weight: off by one turn at most. */
        assert_true(girt_ring_share(ring, "a") > 0.1666);
        assert_true(girt_ring_share(ring, "a") < 0.1668);
        assert_true(girt_ring_share(ring, "c") > 0.4999);
        girt_ring_destroy(ring);
    }
}

/* go-maglev hashes names with SipHash, which is no kind of ours; its fill is
 * the same, so its permutations give its tables. */
static void go_maglev_fill(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/go_maglev.tsv");
    if (file == NULL)
        skip_because("no vectors/go_maglev.tsv");
    char tables[2][64] = {"", ""};
    girt__maglev_entry all[3];
    size_t table_count = 0, entry_count = 0;
    table_row row;
    while (table_read(file, &row)) {
        if (row.count < 2)
            continue;
        char *parts[8];
        if (row.field[0][0] == '#' && row.field[0][1] >= '0' &&
            row.field[0][1] <= '9') {
            assert_true(entry_count < 3);
            assert_int_equal(cut(row.field[1], parts, 8), 7);
            uint64_t const first = strtoul(parts[0], NULL, 10);
            uint64_t const second = strtoul(parts[1], NULL, 10);
            all[entry_count] =
                (girt__maglev_entry){.position = first,
                                     .skip = (second + 7 - first) % 7,
                                     .weight = 1.0 / 3,
                                     .owner = (uint32_t)entry_count};
            entry_count++;
        } else if (row.field[0][0] != '#') {
            assert_true(table_count < 2);
            snprintf(tables[table_count++], sizeof tables[0], "%s",
                     row.field[1]);
        }
    }
    fclose(file);
    assert_int_equal(entry_count, 3);
    assert_int_equal(table_count, 2);
    for (size_t dead = 0; dead < 2; dead++) { /* none, then number 1 */
        girt__maglev_entry entries[3];
        size_t count = 0;
        for (size_t i = 0; i < 3; i++)
            if (dead == 0 || i != 1)
                entries[count++] = all[i];
        uint32_t filled[7];
        memset(filled, 0xff, sizeof filled);
        girt__maglev_fill(entries, count, filled, 7);
        char text[64] = "";
        for (size_t i = 0; i < 7; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u",
                     i == 0 ? "" : ",", filled[i]);
        assert_string_equal(text, tables[dead]);
    }
}

static void xxh64_known_answers(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/murmur3_siphash_xxh_known.tsv");
    if (file == NULL)
        skip_because("no vectors/murmur3_siphash_xxh_known.tsv");
    table_row row;
    size_t rows = 0;
    while (table_read(file, &row)) {
        if (strcmp(row.field[0], "xxh64") != 0)
            continue;
        assert_int_equal(girt__ring_xxh64(row.field[2], strlen(row.field[2]),
                                          table_number(&row, 1)),
                         strtoull(row.field[3], NULL, 16));
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, 32);
}

/* Envoy's ring_hash is no kind of ours; its points are XXH64 of a text, and its
 * lookup the next point: both as here. */
static void envoy_ring_hash_points(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/envoy_ring_hash.tsv");
    if (file == NULL)
        skip_because("no vectors/envoy_ring_hash.tsv");
    uint64_t points[16], hashes[17];
    uint32_t owners[16], sorted[17], starts[32];
    girt__ring_line lines[32];
    static const uint32_t ranks[6] = {0, 1, 2, 3, 4, 5};
    girt__ring_table table = {
        .hashes = hashes, .owners = sorted, .lines = lines};
    size_t count = 0, lookups = 0;
    table_row row;
    while (table_read(file, &row)) {
        if (strcmp(row.field[0], "point") == 0) {
            char text[64];
            int const size = snprintf(text, sizeof text, "%s_%s", row.field[1],
                                      row.field[2]);
            points[count] = table_number(&row, 3);
            owners[count++] =
                (uint32_t)(row.field[1][strlen(row.field[1]) - 1] - '0');
            assert_int_equal(girt__ring_xxh64(text, (size_t)size, 0),
                             points[count - 1]);
        } else if (strcmp(row.field[0], "lookup") == 0) {
            if (lookups++ == 0) {
                unsigned const bits = girt__points_bits(count);
                girt__points_sort(points, owners, count, ranks, bits, starts,
                                  hashes, sorted);
                table.count = count;
                girt__points_finish(&table, bits);
            }
            size_t const at = girt__points_find(&table, table_number(&row, 1));
            assert_int_equal(sorted[at],
                             row.field[2][strlen(row.field[2]) - 1] - '0');
        }
    }
    fclose(file);
    assert_int_equal(count, 12);
    assert_int_equal(lookups, 5);
}

static bool is_prime_slowly(uint32_t value)
{
    for (uint32_t d = 2; d < value; d++)
        if (value % d == 0)
            return false;
    return value >= 2;
}

static void primes(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 2000; n++)
        assert_int_equal(girt__is_prime(n), is_prime_slowly(n));
    assert_true(girt__is_prime(65537));
    assert_true(girt__is_prime(4294967291u));
    assert_false(girt__is_prime(4294967295u));
    assert_false(girt__is_prime(65537u * 3));
    assert_false(girt__is_prime(65521u * 65521u));
}

/* More nodes than slots: the first by name have one each, the rest none. */
static void more_nodes_than_slots(void **state)
{
    (void)state;
    static const girt_node nodes[] = {
        {"e", 1}, {"d", 1}, {"c", 1}, {"b", 1}, {"a", 1}};
    girt_ring *ring = NULL;
    check_status(
        girt_ring_create(&ring, &(girt_ring_options){.kind = GIRT_RING_MAGLEV,
                                                     .maglev_size = 3}),
        GIRT_OK);
    check_status(girt_ring_set(ring, nodes, 5), GIRT_OK);
    assert_true(girt_ring_share(ring, "a") > 0.33);
    assert_true(girt_ring_share(ring, "c") > 0.33);
    assert_true(girt_ring_share(ring, "d") == 0.0);
    uint32_t ids[5];
    size_t count = 5;
    check_status(girt_ring_find_n(ring, "k", 1, ids, &count), GIRT_OK);
    assert_int_equal(count, 3);
    girt_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envoy_tables),
        cmocka_unit_test(keys_go_to_their_slot),
        cmocka_unit_test(go_maglev_fill),
        cmocka_unit_test(xxh64_known_answers),
        cmocka_unit_test(envoy_ring_hash_points),
        cmocka_unit_test(primes),
        cmocka_unit_test(more_nodes_than_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

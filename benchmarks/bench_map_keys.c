/* SPDX-License-Identifier: MIT */
/* bench_map_keys.c - the keys that maps are asked for. */
#include "bench_map.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>

#include "../tests/support/rng.h"

enum { KEY_STRIDE = 40, ZIPF_COUNT = 1 << 20 };

static char *keys;
static size_t keys_made;

static size_t key_size(uint64_t index)
{
    return 16 + (index * 0x9e3779b97f4a7c15u >> 40) % 25;
}

void map_bytes_keys_prepare(size_t count)
{
    static const char path[] = "/users/profile/images/2026/collection/";
    if (count <= keys_made)
        return;
    free(keys);
    keys = malloc(count * KEY_STRIDE + KEY_STRIDE);
    for (size_t i = 0; keys != NULL && i < count; i++) {
        char number[17];
        snprintf(number, sizeof number, "%016zx", i);
        char *const key = keys + i * KEY_STRIDE;
        size_t const size = key_size(i);
        for (size_t k = 0; k < size; k++)
            key[k] = k < 16 ? number[15 - k] : path[k - 16];
    }
    keys_made = keys != NULL ? count : 0;
}

map_bytes_key map_bytes_key_at(uint64_t index)
{
    return (map_bytes_key){keys + index * KEY_STRIDE, key_size(index)};
}

/* By inversion of the cumulated weights: slow to make, exact. */
const uint32_t *map_zipf_table(size_t count, size_t *size)
{
    static uint32_t *table;
    static size_t made_for;
    *size = ZIPF_COUNT;
    if (made_for == count)
        return table;
    double *const sums = malloc(count * sizeof *sums);
    table = realloc(table, ZIPF_COUNT * sizeof *table);
    if (sums == NULL || table == NULL) {
        perror("girt-bench");
        exit(1);
    }
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sums[i] = sum += pow((double)(i + 1), -0.99);
    rng random = {1};
    for (size_t i = 0; i < ZIPF_COUNT; i++) {
        double const at =
            (double)(rng_next(&random) >> 11) / 9007199254740992.0 * sum;
        size_t low = 0, high = count - 1;
        while (low < high) {
            size_t const middle = low + (high - low) / 2;
            if (sums[middle] < at)
                low = middle + 1;
            else
                high = middle;
        }
        /* Ranks are scattered over the keys. */
        table[i] = (uint32_t)(low * 0x9e3779b1u % count);
    }
    free(sums);
    made_for = count;
    return table;
}

size_t map_bytes_held(void)
{
    struct mallinfo2 const info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

size_t map_bytes_resident(void)
{
    unsigned long total = 0, resident = 0;
    FILE *const file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return resident * 4096;
}

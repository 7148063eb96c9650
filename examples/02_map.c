/* SPDX-License-Identifier: MIT */
/* 02_map.c - count words from several threads, without a lock of your own.
 *
 * girt_map_update reads, changes and stores a value as one step, so that no
 * thread's count is lost; readers meanwhile take no lock at all. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <girt/map.h>

enum { THREADS = 4, ROUNDS = 1000 };

static const char text[] = "the wall stands on its columns and the columns "
                           "stand on the ground and the girt ties the columns";

static girt_map_action add_one(void *context, void *value, bool present)
{
    (void)context;
    (void)present; /* a word that is new starts at zero, which is right */
    ++*(uint64_t *)value;
    return GIRT_MAP_STORE;
}

static void *count_words(void *argument)
{
    girt_map *const words = argument;
    for (int round = 0; round < ROUNDS; round++) {
        for (const char *at = text; *at != '\0';) {
            size_t const size = strcspn(at, " ");
            girt_map_update(words, at, size, add_one, NULL);
            at += size;
            at += strspn(at, " ");
        }
    }
    return NULL;
}

static bool print_frequent(void *context, const void *key, size_t key_size,
                           const void *value)
{
    uint64_t const *const least = context;
    uint64_t const count = *(const uint64_t *)value;
    if (count >= *least)
        printf("%.*s: %" PRIu64 "\n", (int)key_size, (const char *)key, count);
    return true; /* go on */
}

int main(void)
{
    girt_map *words;
    if (girt_map_create(&words, &(girt_map_options){
                                    .value_size = sizeof(uint64_t)}) != GIRT_OK)
        return 1;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count_words, words);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    printf("%zu different words\n", girt_map_count(words));
    uint64_t least = 5 * THREADS * ROUNDS;
    girt_map_each(words, print_frequent, &least);
    uint64_t count;
    if (girt_map_get(words, "columns", 7, &count) == GIRT_OK)
        printf("columns: %" PRIu64 "\n", count);
    printf("roof: %s\n",
           girt_status_text(girt_map_get(words, "roof", 4, &count)));
    girt_map_destroy(words);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* threads.c - starting threads together. */
#include "support/threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "support/check.h"

typedef struct member {
    pthread_barrier_t *start;
    void (*body)(void *context, size_t index);
    void *context;
    size_t index;
    pthread_t thread;
} member;

static void *run_member(void *argument)
{
    member *const m = argument;
    (void)pthread_barrier_wait(m->start);
    m->body(m->context, m->index);
    return NULL;
}

void threads_run(size_t count, void (*body)(void *context, size_t index),
                 void *context)
{
    member *const members = calloc(count, sizeof *members);
    assert_non_null(members);
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)count), 0);
    for (size_t i = 0; i < count; i++) {
        members[i] = (member){&start, body, context, i, 0};
        assert_int_equal(
            pthread_create(&members[i].thread, NULL, run_member, &members[i]),
            0);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(members[i].thread, NULL), 0);
    (void)pthread_barrier_destroy(&start);
    free(members);
}

uint64_t test_seed(void)
{
    uint64_t seed = 0;
    const char *const wish = getenv("GIRT_TEST_SEED");
    if (wish != NULL)
        seed = strtoull(wish, NULL, 0);
    else if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        fail_msg("no random seed");
    printf("seed: GIRT_TEST_SEED=0x%llx\n", (unsigned long long)seed);
    return seed;
}

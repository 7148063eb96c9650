/* SPDX-License-Identifier: MIT */
/* queue_play.h - threads that push and pop at random, and the judgement of
 * what they were answered: for every queue with the verbs of mpmc.h. */
#ifndef GIRT_TESTS_QUEUE_PLAY_H
#define GIRT_TESTS_QUEUE_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/linearize.h"

#define PLAY_OPERATIONS_MAX 24 /* of a thread, a batch's items singly */
#define PLAY_BATCH_MAX      3

typedef struct queue_play {
    /* The object's, over `object`; batches may be NULL. */
    void *object;
    bool (*push)(void *object, void *item);
    bool (*pop)(void *object, void **item);
    size_t (*push_n)(void *object, void *const items[], size_t count);
    size_t (*pop_n)(void *object, void *items[], size_t count);
    size_t capacity;
    bool strict_full;
    /* push_n looks once how many will fit, then appends them one by one. */
    bool looks_first;
    /* pop_n with some but fewer than asked does not mean empty. */
    bool short_pop_says_nothing;
    /* Threads below the first count only push, those below the second only
     * pop, the others do both. */
    size_t pushers, poppers;
    size_t calls; /* of each thread */
    history h;
} queue_play;

void queue_play_init(queue_play *p);
void queue_play_free(queue_play *p);

/* In setup, body and check of a schedule. */
void queue_play_start(queue_play *p);
void queue_play_body(queue_play *p, size_t thread);
/* Takes what is left, then asks whether all of it is linearizable. */
void queue_play_judge(queue_play *p);

#endif /* GIRT_TESTS_QUEUE_PLAY_H */

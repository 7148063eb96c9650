/* SPDX-License-Identifier: MIT */
/* 06_epoch.c - replace a configuration while readers are looking at it.
 *
 * Readers take no lock: they enter, look, and exit. The writer publishes a new
 * version and retires the old one; it is freed once no reader can see it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <girt/epoch.h>

enum { READERS = 3, VERSIONS = 2000 };

typedef struct config {
    int version;
    int twice; /* always 2 * version, or a reader saw freed memory */
} config;

static _Atomic(config *) current;
static atomic_bool stop;
static atomic_int freed;
static atomic_int broken;

static config *make_config(int version)
{
    config *const c = malloc(sizeof *c);
    if (c == NULL)
        abort();
    *c = (config){.version = version, .twice = 2 * version};
    return c;
}

static void free_config(void *block)
{
    ((config *)block)->twice = -1; /* what a reader must never see */
    free(block);
    atomic_fetch_add(&freed, 1);
}

static void *read_config(void *argument)
{
    (void)argument;
    while (!atomic_load(&stop)) {
        girt_epoch_enter();
        const config *const c = atomic_load(&current);
        if (c->twice != 2 * c->version)
            atomic_fetch_add(&broken, 1);
        girt_epoch_exit(); /* from here on c may be freed */
    }
    return NULL;
}

int main(void)
{
    atomic_store(&current, make_config(0));
    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_config, NULL);
    for (int version = 1; version <= VERSIONS; version++) {
        config *const old = atomic_exchange(&current, make_config(version));
        girt_epoch_retire(old, free_config);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    girt_epoch_barrier(); /* all that was retired is freed now */

    printf("version %d is current\n", atomic_load(&current)->version);
    printf("%d old versions freed, %d reads of a broken one\n",
           atomic_load(&freed), atomic_load(&broken));
    free(atomic_load(&current));
    return 0;
}

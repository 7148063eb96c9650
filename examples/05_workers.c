/* SPDX-License-Identifier: MIT */
/* 05_workers.c - a bounded pool of threads: submit, drain, submit again.
 *
 * The queue before the pool is bounded too: submit waits for room as long as it
 * is told to, so that a flood of tasks cannot eat the memory. */
#include <stdatomic.h>
#include <stdio.h>

#include <girt/workers.h>

enum { TASKS = 1000 };

typedef struct task {
    unsigned start;
    unsigned steps; /* the answer */
} task;

static atomic_uint finished;

/* How many steps the Collatz sequence takes from here to 1. */
static void count_steps(void *argument)
{
    task *const t = argument;
    for (unsigned long n = t->start; n != 1; t->steps++)
        n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    atomic_fetch_add(&finished, 1);
}

int main(void)
{
    girt_workers *workers;
    if (girt_workers_create(&workers, &(girt_workers_options){
                                          .threads = 3,
                                          .queue_capacity = 16,
                                      }) != GIRT_OK)
        return 1;
    static task tasks[TASKS];
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i].start = i + 1;
        girt_workers_submit(workers, count_steps, &tasks[i], GIRT_FOREVER);
    }
    girt_workers_drain(workers, GIRT_FOREVER);

    unsigned longest = 0;
    for (unsigned i = 0; i < TASKS; i++)
        if (tasks[i].steps > tasks[longest].steps)
            longest = i;
    printf("%u tasks done\n", atomic_load(&finished));
    printf("from %u to 1 it takes %u steps\n", tasks[longest].start,
           tasks[longest].steps);
    girt_workers_destroy(workers);
    return 0;
}

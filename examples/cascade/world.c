/* SPDX-License-Identifier: MIT */
/* world.c - memory, and the names of the services. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

const char *const service_names[SERVICES] = {"front", "middle", "back"};

void *world_allocate(size_t size)
{
    void *const memory = calloc(1, size);
    if (memory == NULL) {
        fputs("cascade: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

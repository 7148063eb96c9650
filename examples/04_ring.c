/* SPDX-License-Identifier: MIT */
/* 04_ring.c - which server owns this key, while servers come and go.
 *
 * When a server leaves, only its own keys find a new owner; with hash % count
 * nearly all would. */
#include <stdio.h>
#include <string.h>

#include <girt/ring.h>

enum { KEYS = 30000 };

static uint32_t owners_before[KEYS];

static uint32_t owner_of(girt_ring *ring, int number)
{
    char key[16];
    int const size = snprintf(key, sizeof key, "user:%d", number);
    uint32_t owner = 0;
    girt_ring_find(ring, key, (size_t)size, &owner);
    return owner;
}

int main(void)
{
    girt_ring *ring;
    if (girt_ring_create(&ring, NULL) != GIRT_OK)
        return 1;
    girt_node const servers[] = {
        {.name = "red"}, {.name = "green"}, {.name = "blue", .weight = 2}};
    girt_ring_set(ring, servers, 3);

    for (int i = 0; i < KEYS; i++)
        owners_before[i] = owner_of(ring, i);
    for (int i = 0; i < 3; i++)
        printf("%-5s owns %2.0f %% of all keys\n", servers[i].name,
               100 * girt_ring_share(ring, servers[i].name));

    char name[16];
    girt_ring_name(ring, owner_of(ring, 1), name, sizeof name);
    printf("user:1 is on %s\n", name);

    /* Where to look next when that one does not answer. */
    uint32_t replicas[2];
    size_t count = 2;
    girt_ring_find_n(ring, "user:1", strlen("user:1"), replicas, &count);
    girt_ring_name(ring, replicas[1], name, sizeof name);
    printf("its second copy is on %s\n", name);

    girt_ring_remove(ring, "green");
    int moved = 0;
    int moved_needlessly = 0;
    for (int i = 0; i < KEYS; i++) {
        if (owner_of(ring, i) != owners_before[i]) {
            moved++;
            char who[16];
            /* A server that is still there had no reason to lose a key. */
            if (girt_ring_name(ring, owners_before[i], who, sizeof who) ==
                GIRT_OK)
                moved_needlessly++;
        }
    }
    printf("green leaves: %2.0f %% of the keys move, %d of them needlessly\n",
           100.0 * moved / KEYS, moved_needlessly);
    girt_ring_destroy(ring);
    return 0;
}

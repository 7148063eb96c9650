/* SPDX-License-Identifier: MIT */
/* worker.c - a worker, which may be killed at any instant, and the clerk.
 *
 * The protocol: a line with the client's name; the answer is "ok REMAINING" or
 * "wait MILLISECONDS". */
#include "prefork.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_A_CONNECTION = 32 };

/* A line without its end; -1: the client is gone or breaks the protocol. */
static int read_line(int socket, char *line, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t const got = recv(socket, line + used, 1, 0);
        if (got <= 0)
            return -1;
        if (line[used] == '\n')
            return (int)used;
        used++;
    }
    return -1;
}

static bool answer(common *c, int socket, const char *client, size_t size)
{
    girt_decision decision;
    char text[64];
    if (girt_keyed_limiter_take(c->clients, client, size, 1, &decision) ==
        GIRT_OK) {
        girt_counter_add(c->admitted, 1);
        girt_counter_add(c->offered, 1);
        if (girt_channel_send(c->jobs, client, size, 100000000) == GIRT_OK)
            girt_counter_add(c->accepted, 1);
        (void)snprintf(text, sizeof text, "ok %d\n", (int)decision.remaining);
    } else {
        girt_counter_add(c->limited, 1);
        (void)snprintf(text, sizeof text, "wait %d\n",
                       (int)(decision.retry_after_ns / 1000000 + 1));
    }
    size_t const length = strlen(text);
    return send(socket, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

void worker_run(common *c)
{
    for (;;) {
        int const socket = accept(c->listener, NULL, NULL);
        if (socket < 0 && errno != EINTR && errno != ECONNABORTED)
            _exit(1);
        char line[NAME_MAX_BYTES];
        int size;
        for (int i = 0; i < REQUESTS_A_CONNECTION &&
                        (size = read_line(socket, line, sizeof line)) > 0;
             i++)
            if (!answer(c, socket, line, (size_t)size))
                break;
        (void)close(socket);
    }
}

void clerk_run(common *c)
{
    char job[NAME_MAX_BYTES];
    size_t size;
    for (;;)
        if (girt_channel_receive(c->jobs, job, sizeof job, &size,
                                 GIRT_FOREVER) == GIRT_OK)
            girt_counter_add(c->done, 1);
}

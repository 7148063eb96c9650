/* SPDX-License-Identifier: MIT */
/* load.c - clients that ask all the time and come back when a worker dies. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "prefork.h"

static int connect_to(uint16_t port)
{
    int const socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in const address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (socket_ >= 0 && connect(socket_, (const struct sockaddr *)&address,
                                sizeof address) != 0) {
        (void)close(socket_);
        return -1;
    }
    return socket_;
}

/* One request; false: the connection is of no use any more. */
static bool ask(int connection, const char *request)
{
    char reply[64];
    size_t const size = strlen(request);
    if (send(connection, request, size, MSG_NOSIGNAL) != (ssize_t)size)
        return false;
    for (;;) { /* a reply is a line, and short */
        ssize_t const got = recv(connection, reply, sizeof reply, 0);
        if (got <= 0)
            return false;
        if (reply[got - 1] == '\n')
            return true;
    }
}

void load_run(uint16_t port, int64_t *served)
{
    struct timespec const pause = {.tv_nsec = 200000};
    for (unsigned turn = 0;; turn++) {
        int const connection = connect_to(port);
        char request[NAME_MAX_BYTES];
        (void)snprintf(request, sizeof request, "client-%u\n", turn % CLIENTS);
        while (connection >= 0 && ask(connection, request))
            (void)__atomic_fetch_add(served, 1, __ATOMIC_RELAXED);
        if (connection >= 0)
            (void)close(connection);
        else
            (void)nanosleep(&pause, NULL);
    }
}

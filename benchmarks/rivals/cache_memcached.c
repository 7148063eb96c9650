/* SPDX-License-Identifier: MIT */
/* cache_memcached.c - the round trip that an embedded cache saves: memcached's
 * text protocol on 127.0.0.1:11211, a connection a thread; left out where no
 * server listens there. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_cache.h"

enum { PORT = 11211, REPLY = 512 };

static _Thread_local int connection = -1;
static char present;

static int reach(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&where, sizeof where) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Reads until the reply ends with `end`, or an error. */
static size_t converse(const char *text, size_t size, const char *end,
                       char reply[static REPLY])
{
    size_t got = 0;
    const size_t tail = strlen(end);
    if (connection < 0)
        connection = reach();
    if (send(connection, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        return 0;
    while (got < tail || memcmp(reply + got - tail, end, tail) != 0) {
        const ssize_t n = recv(connection, reply + got, REPLY - got, 0);
        if (n <= 0)
            return 0;
        got += (size_t)n;
    }
    return got;
}

static void *make(size_t keys)
{
    (void)keys;
    if (connection < 0)
        connection = reach();
    return connection < 0 ? NULL : &present;
}

static void release(void *cache)
{
    (void)cache;
}

static void put(void *cache, map_bytes_key key, const map_bytes_value *value)
{
    char text[REPLY], reply[REPLY];
    (void)cache;
    int size = snprintf(text, sizeof text, "set %.*s 0 0 %zu\r\n",
                        (int)key.size, key.data, sizeof value->data);
    memcpy(text + size, value->data, sizeof value->data);
    size += (int)sizeof value->data;
    memcpy(text + size, "\r\n", 2);
    (void)converse(text, (size_t)size + 2, "\r\n", reply);
}

static bool get(void *cache, map_bytes_key key, uint64_t *first)
{
    char text[REPLY], reply[REPLY];
    (void)cache;
    const int size =
        snprintf(text, sizeof text, "get %.*s\r\n", (int)key.size, key.data);
    const size_t got = converse(text, (size_t)size, "END\r\n", reply);
    const char *const line = got == 0 ? NULL : memchr(reply, '\n', got);
    if (line == NULL || reply[0] != 'V')
        return false;
    memcpy(first, line + 1, sizeof *first);
    return true;
}

const cache_contestant cache_memcached = {make, release, put, get};

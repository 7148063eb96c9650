/* SPDX-License-Identifier: MIT */
/* cache_memcached.c - the round trip that an embedded cache saves: memcached's
 * text protocol on loopback, a connection a thread.
 *
 * A server of its own is started for each run, on a free port of 127.0.0.1,
 * and dies with the run at the latest; where no memcached is in PATH there is
 * no such row. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench_cache.h"

enum { REPLY = 512, TRIES = 2000 };

typedef struct server {
    pid_t process;
    in_port_t port; /* in the network's order */
} server;

static _Thread_local int connection = -1;
static server running;

/* ---- the server --------------------------------------------------------- */

static bool is_in_path(void)
{
    const char *at = getenv("PATH");
    while (at != NULL && *at != '\0') {
        char name[4096];
        const int size = (int)strcspn(at, ":");
        snprintf(name, sizeof name, "%.*s/memcached", size, at);
        if (access(name, X_OK) == 0)
            return true;
        at += size + (at[size] == ':');
    }
    return false;
}

/* 0: there is none.  Somebody may take it before the server does; the run is
 * then without it. */
static in_port_t free_port(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t size = sizeof where;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    if (bind(fd, (struct sockaddr *)&where, sizeof where) != 0 ||
        getsockname(fd, (struct sockaddr *)&where, &size) != 0)
        where.sin_port = 0;
    close(fd);
    return where.sin_port;
}

/* In the child: becomes the server, which ends when the bench does. */
static void become_server(pid_t bench, in_port_t port)
{
    char number[16];
    snprintf(number, sizeof number, "%u", (unsigned)ntohs(port));
    /* Of root it wants to be told whom to be instead. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == bench)
        (void)execlp("memcached", "memcached", "-l", "127.0.0.1", "-p", number,
                     "-U", "0", "-t", "2", geteuid() == 0 ? "-u" : NULL,
                     "nobody", NULL);
    _exit(127);
}

static int reach(in_port_t port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = port};
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

static void stop(void)
{
    (void)kill(running.process, SIGKILL);
    (void)waitpid(running.process, NULL, 0);
    running.process = 0;
}

static bool start(void)
{
    const pid_t bench = getpid();
    running.port = free_port();
    if (running.port == 0)
        return false;
    running.process = fork();
    if (running.process < 0)
        return false;
    if (running.process == 0)
        become_server(bench, running.port);
    /* It listens within milliseconds, or has ended. */
    for (int i = 0; i < TRIES; i++) {
        connection = reach(running.port);
        if (connection >= 0)
            return true;
        if (waitpid(running.process, NULL, WNOHANG) != 0)
            return false;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    stop();
    return false;
}

/* ---- what is measured --------------------------------------------------- */

/* Sends, and reads until the reply ends with `end`, or an error: 0. */
static size_t converse(const char *text, size_t size, const char *end,
                       char reply[static REPLY])
{
    size_t got = 0;
    const size_t tail = strlen(end);
    if (connection < 0)
        connection = reach(running.port);
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
    return is_in_path() && start() ? &running : NULL;
}

static void release(void *cache)
{
    (void)cache;
    stop();
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

/* SPDX-License-Identifier: MIT */
/* prefork.c - a forked server whose workers share a limit for each client,
 * counters, and a queue of jobs, and may be killed at any time.
 *
 * One worker is killed every second, under load, and replaced.  At the end the
 * numbers must fit: no client got more than its limit over all workers that
 * there ever were, and each job that was accepted was done. */
#include "prefork.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, LOADS = 2 };

int64_t now_ns(void)
{
    return girt_clock_monotonic.now_ns(NULL);
}

static bool make_counter(common *c, girt_counter **out, const char *name,
                         const char *help)
{
    return girt_counter_create(out, c->metrics, name, help, NULL) == GIRT_OK;
}

static bool open_common(common *c)
{
    girt_keyed_limiter_options const limit = {
        .rate = {CLIENT_PER_S, 1000000000, CLIENT_BURST}, .keys = 10000};
    return girt_shared_create(&c->shared, NULL, 8 << 20, 0) == GIRT_OK &&
           girt_keyed_limiter_shared(&c->clients, c->shared, "clients",
                                     &limit) == GIRT_OK &&
           girt_channel_open(&c->jobs, c->shared, "jobs", 1024,
                             NAME_MAX_BYTES) == GIRT_OK &&
           girt_metrics_shared(&c->metrics, c->shared, "metrics") == GIRT_OK &&
           make_counter(c, &c->admitted, "admitted", "Requests admitted.") &&
           make_counter(c, &c->limited, "limited", "Requests refused.") &&
           make_counter(c, &c->offered, "jobs_offered", "Jobs to be sent.") &&
           make_counter(c, &c->accepted, "jobs_accepted", "Jobs sent.") &&
           make_counter(c, &c->done, "jobs_done", "Jobs done.");
}

static bool listen_on(common *c, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->listener < 0 ||
        bind(c->listener, (const struct sockaddr *)&address, size) != 0 ||
        listen(c->listener, 128) != 0 ||
        getsockname(c->listener, (struct sockaddr *)&address, &size) != 0)
        return false;
    *port = ntohs(address.sin_port);
    return true;
}

/* A child that does not outlive this process. */
static pid_t start(void)
{
    pid_t const pid = fork();
    if (pid == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static pid_t start_worker(common *c)
{
    pid_t const pid = start();
    if (pid == 0)
        worker_run(c);
    return pid;
}

static void end(pid_t pid)
{
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
}

static void sleep_ms(long ms)
{
    struct timespec const span = {.tv_sec = ms / 1000,
                                  .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&span, NULL);
}

/* The clerk has a second to do what is still there. */
static void wait_for_clerk(const common *c)
{
    for (int i = 0; i < 100; i++) {
        if (girt_counter_value(c->done) >= girt_counter_value(c->accepted))
            break;
        sleep_ms(10);
    }
    sleep_ms(20); /* for jobs whose sender was killed before it counted */
}

/* Whether the numbers fit. */
static bool report(const common *c, double seconds, unsigned kills,
                   int64_t served)
{
    uint64_t const admitted = girt_counter_value(c->admitted);
    uint64_t const limited = girt_counter_value(c->limited);
    uint64_t const offered = girt_counter_value(c->offered);
    uint64_t const accepted = girt_counter_value(c->accepted);
    uint64_t const done = girt_counter_value(c->done);
    double const bound = CLIENTS * (CLIENT_BURST + CLIENT_PER_S * seconds);
    printf("%u workers killed and replaced in %.1f s\n", kills, seconds);
    printf("%lld answers, %llu admitted (bound %.0f), %llu told to wait\n",
           (long long)served, (unsigned long long)admitted, bound,
           (unsigned long long)limited);
    printf("%llu jobs accepted, %llu done\n", (unsigned long long)accepted,
           (unsigned long long)done);
    bool const fits = (double)admitted <= bound && served > 0 &&
                      done >= accepted && done <= offered;
    printf("%s\n", fits ? "all fits" : "something does not fit");
    return fits;
}

static void usage(FILE *file)
{
    fprintf(file, "usage: prefork [SECONDS [MS_BETWEEN_KILLS]]    10 1000\n");
}

int main(int count, char **words)
{
    long const seconds = count > 1 ? strtol(words[1], NULL, 10) : 10;
    long const between_ms = count > 2 ? strtol(words[2], NULL, 10) : 1000;
    if (count > 3 || seconds <= 0 || between_ms <= 0) {
        usage(stderr);
        return 2;
    }
    common c;
    uint16_t port;
    int64_t *const served = mmap(NULL, sizeof *served, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (served == MAP_FAILED || !open_common(&c) || !listen_on(&c, &port)) {
        fprintf(stderr, "prefork: cannot start\n");
        return 1;
    }
    int64_t const began_ns = now_ns();
    pid_t const clerk = start();
    if (clerk == 0)
        clerk_run(&c);
    pid_t workers[WORKERS], loads[LOADS];
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_worker(&c);
    for (int i = 0; i < LOADS; i++)
        if ((loads[i] = start()) == 0)
            load_run(port, served);

    unsigned kills = 0;
    int64_t const end_ns = began_ns + seconds * 1000000000;
    while (now_ns() + between_ms * 1000000 < end_ns) {
        sleep_ms(between_ms);
        pid_t *const victim = &workers[kills++ % WORKERS];
        end(*victim);
        *victim = start_worker(&c);
    }
    while (now_ns() < end_ns)
        sleep_ms(1);
    for (int i = 0; i < LOADS; i++)
        end(loads[i]);
    for (int i = 0; i < WORKERS; i++)
        end(workers[i]);
    double const took_s = (double)(now_ns() - began_ns) / 1e9;
    wait_for_clerk(&c);
    end(clerk);
    bool const fits = report(&c, took_s, kills, *served);
    girt_channel_close(c.jobs);
    girt_keyed_limiter_destroy(c.clients);
    girt_metrics_destroy(c.metrics);
    girt_shared_close(c.shared);
    return fits ? 0 : 1;
}

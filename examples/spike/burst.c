/* SPDX-License-Identifier: MIT */
/* burst.c - threads, clocks and the comparison of totals for burst.h. */
#include "burst.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <girt/clock.h>

#define WATCH_EVERY_NS 100000000

typedef struct run run;

typedef enum gate_state { GATE_SHUT, GATE_OPEN, GATE_CANCELLED } gate_state;

typedef struct role {
    run *of;
    pthread_t thread;
    bool is_worker;
    int64_t start_ns;
    int64_t end_ns;
    uint64_t unparsed; /* producers */
    girt_status status;
    spike_worker worker; /* workers */
} role;

struct run {
    const burst *burst;
    const spike_way *way;
    spike_config config; /* the burst's, within what the way allows */
    void *service;
    atomic_size_t next_line;
    atomic_size_t producers_left;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* the gate, or running */
    gate_state gate;        /* under the lock */
    size_t running;         /* under the lock */
    size_t role_count;
    role *roles;
    double cpu_ns; /* of all threads together */
};

int64_t spike_now_ns(void)
{
    return girt_clock_monotonic.now_ns(girt_clock_monotonic.context);
}

void spike_served(spike_worker *worker, spike_request *const requests[],
                  size_t count)
{
    int64_t const now_ns = spike_now_ns();
    for (size_t i = 0; i < count;) {
        /* Those that were pushed together entered together. */
        int64_t const entered_ns = requests[i]->entered_ns;
        size_t const first = i;
        while (i < count && requests[i]->entered_ns == entered_ns)
            i++;
        latency_record(&worker->latency, now_ns - entered_ns, i - first);
    }
    /* Only this thread writes it; the watcher may see it late. */
    __atomic_store_n(&worker->done, worker->done + count, __ATOMIC_RELAXED);
}

/* Parses lines [first, end) into their places. */
static size_t parse_lines(role *me, size_t first, size_t end,
                          spike_request *batch[])
{
    const burst *const b = me->of->burst;
    size_t count = 0;
    for (size_t i = first; i < end; i++) {
        size_t size;
        const char *const line = log_line(b->input, i, &size);
        spike_request *const request = &b->requests[i];
        if (access_parse(line, size, &request->entry) == ACCESS_FINE)
            batch[count++] = request;
        else
            me->unparsed++;
    }
    return count;
}

static void produce(role *me)
{
    run *const r = me->of;
    size_t const lines = r->burst->input->line_count;
    size_t const step = r->config.batch;
    spike_request *batch[SPIKE_BATCH_MAX];
    while (me->status == GIRT_OK) {
        size_t const first = atomic_fetch_add(&r->next_line, step);
        if (first >= lines)
            break;
        size_t const end = lines - first < step ? lines : first + step;
        size_t const count = parse_lines(me, first, end, batch);
        /* Before the push: waiting for room is time in the system too. */
        int64_t const now_ns = spike_now_ns();
        for (size_t i = 0; i < count; i++)
            batch[i]->entered_ns = now_ns;
        if (count > 0)
            me->status = r->way->push(r->service, batch, count);
    }
    if (atomic_fetch_sub(&r->producers_left, 1) == 1)
        r->way->close(r->service);
}

static bool pass_gate(run *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->gate == GATE_SHUT)
        pthread_cond_wait(&r->changed, &r->lock);
    bool const open = r->gate == GATE_OPEN;
    pthread_mutex_unlock(&r->lock);
    return open;
}

static void *play(void *argument)
{
    role *const me = argument;
    run *const r = me->of;
    if (!pass_gate(r))
        return NULL;
    me->start_ns = spike_now_ns();
    if (me->is_worker)
        me->status = r->way->work(r->service, &me->worker);
    else
        produce(me);
    me->end_ns = spike_now_ns();
    if (me->status != GIRT_OK)
        r->way->close(r->service); /* or the others would wait for ever */
    pthread_mutex_lock(&r->lock);
    if (--r->running == 0)
        pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static uint64_t count_done(const run *r)
{
    uint64_t done = 0;
    for (size_t i = 0; i < r->role_count; i++)
        done += __atomic_load_n(&r->roles[i].worker.done, __ATOMIC_RELAXED);
    return done;
}

static void wait_and_watch(run *r, burst_watch *watch, void *context)
{
    pthread_mutex_lock(&r->lock);
    while (r->running > 0) {
        if (watch == NULL) {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WATCH_EVERY_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&r->changed, &r->lock, &until);
        pthread_mutex_unlock(&r->lock);
        watch(context, count_done(r), r->burst->tally->requests);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

static double cpu_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void set_gate(run *r, gate_state gate)
{
    pthread_mutex_lock(&r->lock);
    r->gate = gate;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* Starts every role, lets all go at once, and joins them. */
static girt_status play_all(run *r, burst_watch *watch, void *context)
{
    size_t started = 0;
    while (started < r->role_count &&
           pthread_create(&r->roles[started].thread, NULL, play,
                          &r->roles[started]) == 0)
        started++;
    bool const all = started == r->role_count;
    double const cpu_before_ns = cpu_now_ns();
    set_gate(r, all ? GATE_OPEN : GATE_CANCELLED);
    if (all)
        wait_and_watch(r, watch, context);
    for (size_t i = 0; i < started; i++)
        pthread_join(r->roles[i].thread, NULL);
    r->cpu_ns = cpu_now_ns() - cpu_before_ns;
    girt_status status = all ? GIRT_OK : GIRT_E_SYSTEM;
    /* A failure explains the CLOSED that others got because of it. */
    for (size_t i = 0; i < r->role_count && status >= 0; i++)
        if (r->roles[i].status != GIRT_OK)
            status = r->roles[i].status;
    return status;
}

static void sum_roles(const run *r, burst_result *result)
{
    latency_histogram *const latency = calloc(1, sizeof *latency);
    int64_t start_ns = INT64_MAX;
    int64_t end_ns = INT64_MIN;
    for (size_t i = 0; i < r->role_count; i++) {
        const role *const one = &r->roles[i];
        if (one->start_ns < start_ns)
            start_ns = one->start_ns;
        if (one->end_ns > end_ns)
            end_ns = one->end_ns;
        result->unparsed += one->unparsed;
        result->admitted += one->worker.admitted;
        result->limited += one->worker.limited;
        if (latency != NULL)
            latency_merge(latency, &one->worker.latency);
    }
    result->seconds = (double)(end_ns - start_ns) / 1e9;
    double const served = (double)(result->admitted + result->limited);
    if (result->seconds > 0)
        result->rate = served / result->seconds;
    if (served > 0)
        result->cpu_ns = r->cpu_ns / served;
    if (latency != NULL) {
        result->p50_ns = latency_quantile(latency, 0.5);
        result->p99_ns = latency_quantile(latency, 0.99);
        result->p999_ns = latency_quantile(latency, 0.999);
        result->max_ns = latency->max_ns;
        free(latency);
    }
}

typedef struct comparison {
    const log_tally *tally;
    burst_result *result;
} comparison;

static bool compare_url(void *context, size_t shard, const char *url,
                        size_t url_size, uint64_t hits, uint64_t bytes)
{
    comparison *const c = context;
    const tally_entry *const e = tally_find(&c->tally->urls, url, url_size);
    if (e == NULL || e->hits != hits || e->bytes != bytes)
        c->result->wrong_urls++;
    c->result->urls++;
    c->result->shard_hits[shard] += hits;
    return true;
}

static girt_status compare_totals(const run *r, burst_result *result)
{
    const log_tally *const tally = r->burst->tally;
    uint64_t const admitted = log_tally_admitted(tally, r->burst->config.burst);
    comparison c = {tally, result};
    result->shard_count = r->way->sharded ? r->config.shards : 1;
    girt_status const status = r->way->each_url(r->service, compare_url, &c);
    /* Every URL seen equals its twin, and there are as many: the same set. */
    result->agrees = result->wrong_urls == 0 &&
                     result->urls == tally->urls.count &&
                     result->admitted == admitted &&
                     result->limited == tally->requests - admitted &&
                     result->unparsed == tally->unparsed;
    return status;
}

girt_status burst_run(const burst *b, const spike_way *way, size_t n,
                      burst_watch *watch, void *watch_context,
                      burst_result *result)
{
    run r = {.burst = b,
             .way = way,
             .config = b->config,
             .role_count = 2 * n,
             .running = 2 * n};
    if (way->batch_max != 0 && r.config.batch > way->batch_max)
        r.config.batch = way->batch_max;
    atomic_init(&r.next_line, 0);
    atomic_init(&r.producers_left, n);
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.changed, NULL);
    *result = (burst_result){.way = way, .n = n};

    girt_status status = way->create(&r.service, &r.config);
    r.roles = calloc(r.role_count, sizeof *r.roles);
    if (status == GIRT_OK && r.roles == NULL)
        status = GIRT_E_NOMEM;
    if (status == GIRT_OK) {
        for (size_t i = 0; i < r.role_count; i++) {
            r.roles[i].of = &r;
            r.roles[i].is_worker = i >= n;
        }
        status = play_all(&r, watch, watch_context);
        sum_roles(&r, result);
    }
    if (status == GIRT_OK)
        status = compare_totals(&r, result);
    free(r.roles);
    way->destroy(r.service);
    pthread_cond_destroy(&r.changed);
    pthread_mutex_destroy(&r.lock);
    return status;
}

bool burst_init(burst *b, const log_input *input, const log_tally *tally,
                const spike_config *config)
{
    *b = (burst){.input = input, .tally = tally, .config = *config};
    size_t const places = input->line_count + 1;
    b->requests = calloc(places, sizeof *b->requests);
    if (b->requests == NULL)
        return false;
    /* The first run must not be the one that pays for the pages. */
    memset(b->requests, 1, places * sizeof *b->requests);
    return true;
}

void burst_free(burst *b)
{
    free(b->requests);
    b->requests = NULL;
}

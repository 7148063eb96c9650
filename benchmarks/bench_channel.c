/* SPDX-License-Identifier: MIT */
/* bench_channel.c - the suite: messages of 100 bytes from one process to
 * another, beside what the kernel offers for that.
 *
 * A forked child sends until it is killed; this process receives, and looks at
 * each message; both sides find their batch framed.  Batches are 64 messages:
 * - girt_channel: one frame after the other, of any size, from many senders to
 *   many receivers;
 * - "pipe": one write and one read of 6,400 bytes.  All are 100 bytes by
 *   agreement, and there is one writer: more than PIPE_BUF (4,096) bytes at a
 *   time may be mixed with another's;
 * - "pipe, messages kept whole": what a program with several writers or sizes
 *   needs: each message behind its length, no write over PIPE_BUF, so two a
 *   batch; the reader reads what there is and walks the lengths;
 * - sockets: sendmmsg and recvmmsg; a message queue has no batches. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <girt/channel.h>
#include <girt/version.h>

#include "bench_team.h"

enum { MESSAGE = 100, BATCH = 64, CAPACITY = 4096 };

typedef struct channel_case {
    size_t batch;
} channel_case;

/* One way of sending, open at both ends. */
typedef struct wire {
    size_t batch;
    int ends[2]; /* read, write */
    girt_shared *shared;
    girt_channel *channel;
    char *bytes;   /* a batch, in or out */
    size_t size;   /* of it */
    size_t filled; /* bytes read and not looked at yet */
    struct mmsghdr *headers;
} wire;

typedef struct way {
    bool (*open)(wire *w);
    /* Messages sent or received by one call; 0: it failed. */
    size_t (*send)(wire *w);
    size_t (*receive)(wire *w, uint64_t *sum);
} way;

/* girt_channel */
static bool open_channel(wire *w)
{
    char message[MESSAGE];
    memset(message, 7, sizeof message);
    w->size = 0;
    for (size_t i = 0; i < w->batch; i++)
        (void)girt_channel_frame_put(w->bytes, BATCH * 2 * MESSAGE, &w->size,
                                     message, sizeof message);
    return girt_shared_create(&w->shared, NULL, 4 << 20, 0) == GIRT_OK &&
           girt_channel_open(&w->channel, w->shared, "c", CAPACITY, MESSAGE) ==
               GIRT_OK;
}

static size_t send_channel(wire *w)
{
    return girt_channel_send(w->channel, w->bytes, MESSAGE, GIRT_FOREVER) ==
           GIRT_OK;
}

static size_t receive_channel(wire *w, uint64_t *sum)
{
    size_t size;
    if (girt_channel_receive(w->channel, w->bytes, MESSAGE, &size,
                             GIRT_FOREVER) != GIRT_OK)
        return 0;
    *sum += (unsigned char)w->bytes[0];
    return 1;
}

static size_t send_channel_n(wire *w)
{
    size_t sent = 0;
    (void)girt_channel_send_n(w->channel, w->bytes, w->size, GIRT_FOREVER,
                              &sent);
    return sent;
}

static size_t receive_channel_n(wire *w, uint64_t *sum)
{
    size_t size, count = 0, at = 0, message_size;
    const void *message;
    if (girt_channel_receive_n(w->channel, w->bytes, w->size, GIRT_FOREVER,
                               &size, &count) != GIRT_OK)
        return 0;
    while (girt_channel_frame_next(w->bytes, size, &at, &message,
                                   &message_size) == GIRT_OK)
        *sum += *(const unsigned char *)message;
    return count;
}

/* Pipes: read and write of a whole batch. */
static bool open_pipe(wire *w)
{
    w->size = w->batch * MESSAGE;
    return pipe(w->ends) == 0;
}

static size_t send_pipe(wire *w)
{
    return write(w->ends[1], w->bytes, w->size) == (ssize_t)w->size ? w->batch
                                                                    : 0;
}

static size_t receive_pipe(wire *w, uint64_t *sum)
{
    size_t done = 0;
    while (done < w->size) { /* a read may end anywhere */
        ssize_t const got = read(w->ends[0], w->bytes + done, w->size - done);
        if (got <= 0)
            return 0;
        done += (size_t)got;
    }
    for (size_t i = 0; i < w->batch; i++)
        *sum += (unsigned char)w->bytes[i * MESSAGE];
    return w->batch;
}

/* Pipes that several may write to: a length, then the message. */
enum { LENGTH = sizeof(uint32_t), PIPE_WRITES = 2 };
_Static_assert(BATCH / PIPE_WRITES * (LENGTH + MESSAGE) <= PIPE_BUF,
               "a write is not mixed with another's");

static bool open_whole_pipe(wire *w)
{
    uint32_t const length = MESSAGE;
    w->size = BATCH / PIPE_WRITES * (LENGTH + MESSAGE);
    for (size_t at = 0; at < w->size; at += LENGTH + MESSAGE)
        memcpy(w->bytes + at, &length, sizeof length);
    return pipe(w->ends) == 0;
}

static size_t send_whole_pipe(wire *w)
{
    for (int i = 0; i < PIPE_WRITES; i++)
        if (write(w->ends[1], w->bytes, w->size) != (ssize_t)w->size)
            return 0;
    return BATCH;
}

static size_t receive_whole_pipe(wire *w, uint64_t *sum)
{
    size_t count = 0;
    while (count == 0) { /* a read may end anywhere */
        ssize_t const got = read(w->ends[0], w->bytes + w->filled,
                                 (size_t)BATCH * 2 * MESSAGE - w->filled);
        if (got <= 0)
            return 0;
        w->filled += (size_t)got;
        size_t at = 0;
        while (w->filled - at >= LENGTH) {
            uint32_t length;
            memcpy(&length, w->bytes + at, sizeof length);
            if (length > w->filled - at - LENGTH)
                break;
            *sum += (unsigned char)w->bytes[at + LENGTH];
            at += LENGTH + length;
            count++;
        }
        w->filled -= at;
        memmove(w->bytes, w->bytes + at, w->filled);
    }
    return count;
}

/* Sockets that keep messages apart. */
static bool open_socket(wire *w, int type)
{
    w->headers = calloc(w->batch, sizeof *w->headers);
    struct iovec *const pieces = calloc(w->batch, sizeof *pieces);
    if (w->headers == NULL || pieces == NULL)
        return false;
    for (size_t i = 0; i < w->batch; i++) {
        pieces[i] = (struct iovec){w->bytes + i * MESSAGE, MESSAGE};
        w->headers[i].msg_hdr =
            (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    return socketpair(AF_UNIX, type, 0, w->ends) == 0;
}

static bool open_datagrams(wire *w)
{
    return open_socket(w, SOCK_DGRAM);
}

static bool open_packets(wire *w)
{
    return open_socket(w, SOCK_SEQPACKET);
}

static size_t send_datagrams(wire *w)
{
    if (w->batch == 1)
        return send(w->ends[1], w->bytes, MESSAGE, 0) == MESSAGE;
    int const sent =
        sendmmsg(w->ends[1], w->headers, (unsigned)w->batch, MSG_NOSIGNAL);
    return sent > 0 ? (size_t)sent : 0;
}

static size_t receive_datagrams(wire *w, uint64_t *sum)
{
    int got = 1;
    if (w->batch == 1) {
        if (recv(w->ends[0], w->bytes, MESSAGE, 0) != MESSAGE)
            return 0;
    } else {
        got = recvmmsg(w->ends[0], w->headers, (unsigned)w->batch,
                       MSG_WAITFORONE, NULL);
    }
    for (int i = 0; i < got; i++)
        *sum += (unsigned char)w->bytes[i * MESSAGE];
    return got > 0 ? (size_t)got : 0;
}

/* POSIX message queues: 10 messages, the most that is allowed to all. */
static bool open_queue(wire *w)
{
    char name[64];
    (void)snprintf(name, sizeof name, "/girt-bench-%d", (int)getpid());
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = MESSAGE};
    mqd_t const queue =
        mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
    if (queue == (mqd_t)-1)
        return false;
    (void)mq_unlink(name);
    w->ends[0] = (int)queue;
    return true;
}

static size_t send_queue(wire *w)
{
    return mq_send((mqd_t)w->ends[0], w->bytes, MESSAGE, 0) == 0;
}

static size_t receive_queue(wire *w, uint64_t *sum)
{
    if (mq_receive((mqd_t)w->ends[0], w->bytes, MESSAGE, NULL) != MESSAGE)
        return 0;
    *sum += (unsigned char)w->bytes[0];
    return 1;
}

static void send_for_ever(const way *how, wire *w)
{
    bench_pin(0);
    while (how->send(w) != 0)
        continue;
    _exit(1);
}

/* Nanoseconds a message, after a fifth of the time to warm up. */
static double receive_for(const way *how, wire *w, double seconds)
{
    uint64_t sum = 0, count = 0, warm = 0;
    int64_t const began = bench_now();
    int64_t const warm_at = began + (int64_t)(seconds * 2e8);
    int64_t const end_at = began + (int64_t)(seconds * 1e9);
    int64_t now = began, warm_since = began;
    bench_pin(1);
    while (now < end_at) {
        for (size_t i = 0; i < 64; i += w->batch) {
            size_t const got = how->receive(w, &sum);
            if (got == 0)
                return BENCH_UNABLE;
            count += got;
        }
        now = bench_now();
        if (warm == 0 && now >= warm_at) {
            warm = count;
            warm_since = now;
        }
    }
    __asm__ __volatile__("" ::"r"(sum));
    return count == warm ? BENCH_STOOD_STILL
                         : (double)(now - warm_since) / (double)(count - warm);
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const way *const how = adapter;
    wire w = {.batch = ((const channel_case *)bench_case)->batch};
    w.bytes = calloc(BATCH * 2, MESSAGE);
    if (w.bytes == NULL || !how->open(&w))
        return BENCH_UNABLE;
    pid_t const sender = fork();
    if (sender < 0)
        return BENCH_UNABLE;
    if (sender == 0)
        send_for_ever(how, &w);
    double const cost = receive_for(how, &w, seconds);
    (void)kill(sender, SIGKILL);
    while (waitpid(sender, NULL, 0) < 0 && errno == EINTR)
        continue;
    return cost;
}

static const way channel_one = {open_channel, send_channel, receive_channel};
static const way channel_n = {open_channel, send_channel_n, receive_channel_n};
static const way pipes = {open_pipe, send_pipe, receive_pipe};
static const way datagrams = {open_datagrams, send_datagrams,
                              receive_datagrams};
static const way whole_pipes = {open_whole_pipe, send_whole_pipe,
                                receive_whole_pipe};
static const way packets = {open_packets, send_datagrams, receive_datagrams};
static const way queues = {open_queue, send_queue, receive_queue};

static void run(const bench_suite *suite, const bench_options *options)
{
    const bench_contestant one[] = {
        {"girt_channel", GIRT_VERSION, false, measure, &channel_one},
        {"pipe", "", true, measure, &pipes},
        {"unix datagram socket", "", true, measure, &datagrams},
        {"unix seqpacket socket", "", true, measure, &packets},
        {"POSIX message queue", "", true, measure, &queues},
    };
    const bench_contestant many[] = {
        {"girt_channel", GIRT_VERSION, false, measure, &channel_n},
        {"pipe", "", true, measure, &pipes},
        {"pipe, messages kept whole", "", true, measure, &whole_pipes},
        {"unix datagram socket", "", true, measure, &datagrams},
        {"unix seqpacket socket", "", true, measure, &packets},
    };
    channel_case c = {.batch = 1};
    bench_row(suite, options, "100 bytes, one by one: message", 2, "ns", one,
              sizeof one / sizeof *one, &c);
    c.batch = BATCH;
    bench_row(suite, options, "100 bytes, batches of 64: message", 2, "ns",
              many, sizeof many / sizeof *many, &c);
}

const bench_suite bench_channel_suite = {
    "channel", "messages from process to process", 10, run};

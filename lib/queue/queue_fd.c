/* SPDX-License-Identifier: MIT */
/* queue_fd.c - the eventfd that tells an event loop of items.
 *
 * Problem: readable while items wait, unreadable after a pop that said empty,
 * and no system call per item.
 *
 * Idea: WATCHED in a ring's tail is one more sleeper.  It is set while the
 * eventfd is unreadable; the push whose claim sees it writes.  A pop that
 * finds nothing and WATCHED clear reads the eventfd empty, sets WATCHED, and
 * looks again: a claim before the setting is seen by that look, one after it
 * sees WATCHED.
 *
 *   I1: under the lock, armed <=> WATCHED is set in every ring (or in a pair's
 *       alerts) <=> the eventfd is unreadable and the queue not closed.
 *   I2: after close it stays readable: CLOSED is set before the last write, and
 *       nobody reads a closed queue's eventfd.
 *
 * The system calls go through syscall(2), which is no cancellation point: a
 * thread that is cancelled does not leave the lock held. */
#include "queue/queue_internal.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

void girt__watch_init(girt__watch *watch)
{
    (void)pthread_mutex_init(&watch->lock, NULL);
    watch->fd = -1;
    watch->armed = false;
}

void girt__watch_release(girt__watch *watch)
{
    if (watch->fd >= 0)
        (void)syscall(SYS_close, watch->fd);
    (void)pthread_mutex_destroy(&watch->lock);
}

/* The counter holds 0 or 1, so neither of these two can be told to wait. */
static void make_readable(int fd)
{
    uint64_t const one = 1;
    (void)syscall(SYS_write, fd, &one, sizeof one);
}

static void make_unreadable(int fd)
{
    uint64_t count;
    (void)syscall(SYS_read, fd, &count, sizeof count);
}

/* Under the lock. */
static void disarm(girt_queue *queue)
{
    queue->watch.armed = false;
    if (girt__queue_is_pair(queue))
        girt__pair_unwatch(queue);
    for (uint32_t i = 0; i < queue->rings_count; i++)
        (void)girt_and_acq_rel(&queue->rings[i].tail, ~RING_WATCHED);
    make_readable(queue->watch.fd);
}

/* Under the lock, the eventfd unreadable.  False: there is an item, or the
 * queue is closed; the eventfd is readable again. */
static bool arm(girt_queue *queue)
{
    bool idle = !girt__queue_is_pair(queue) || girt__pair_watch(queue);
    queue->watch.armed = true;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        girt__ring *const ring = &queue->rings[i];
        uint64_t const tail = girt_or_acq_rel(&ring->tail, RING_WATCHED);
        uint64_t const head = girt_load_acquire(&ring->head);
        if (((tail ^ head) & RING_TICKET) != 0 || (tail & RING_CLOSED))
            idle = false;
    }
    if (!idle)
        disarm(queue);
    return idle;
}

void girt__watch_signal(girt_queue *queue, bool closed)
{
    (void)pthread_mutex_lock(&queue->watch.lock);
    if (queue->watch.armed)
        disarm(queue);
    else if (closed && queue->watch.fd >= 0)
        make_readable(queue->watch.fd);
    (void)pthread_mutex_unlock(&queue->watch.lock);
}

static bool is_closed(const girt_queue *queue)
{
    return girt__queue_is_pair(queue)
               ? girt__pair_is_closed(queue)
               : girt_load_acquire(&queue->rings[0].tail) & RING_CLOSED;
}

bool girt__watch_empty(girt_queue *queue)
{
    bool idle = !girt__queue_is_pair(queue) ||
                (girt__pair_is_watched(queue) && girt__pair_is_empty(queue));
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        const girt__ring *const ring = &queue->rings[i];
        uint64_t const head = girt_load_acquire(&ring->head);
        uint64_t const tail = girt_load_seq_cst(&ring->tail);
        if (((tail ^ head) & RING_TICKET) != 0 || !(tail & RING_WATCHED))
            idle = false;
    }
    if (idle)
        return true;
    (void)pthread_mutex_lock(&queue->watch.lock);
    if (queue->watch.armed) {
        idle = girt__queue_is_empty(queue);
    } else if (is_closed(queue)) {
        idle = false;
    } else {
        make_unreadable(queue->watch.fd);
        idle = arm(queue);
    }
    (void)pthread_mutex_unlock(&queue->watch.lock);
    return idle;
}

girt_status girt_queue_fd(girt_queue *queue, int *fd)
{
    if (queue == NULL || fd == NULL)
        return GIRT_E_INVALID;
    if (queue->inner != NULL)
        return girt_queue_fd(queue->inner, fd);
    girt_status status = GIRT_OK;
    (void)pthread_mutex_lock(&queue->watch.lock);
    if (queue->watch.fd < 0) {
        int const made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (made >= 0) {
            for (uint32_t i = 0; i < queue->rings_count; i++)
                girt__ring_note_all(&queue->rings[i]);
            girt_store_release(&queue->watch.fd, made);
            (void)arm(queue);
        } else {
            status = GIRT_E_SYSTEM;
        }
    }
    if (status == GIRT_OK)
        *fd = queue->watch.fd;
    (void)pthread_mutex_unlock(&queue->watch.lock);
    return status;
}

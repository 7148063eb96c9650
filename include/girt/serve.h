/* SPDX-License-Identifier: MIT */
/* serve.h - a registry over HTTP, in a library of its own: libgirt-serve, on
 * libmicrohttpd.
 *
 *   GET /metrics   the registry's text: OpenMetrics 1.0 where the request's
 *                  Accept prefers it, else Prometheus text 0.0.4
 *   GET /healthz   "ok"
 *   GET /          a page that plots every named object, each second
 *
 *                         port  serve  destroy
 *   metrics_server_port    -      -       X
 *   metrics_serve          -      -       -
 *   metrics_server_destroy X      -       X
 *
 *   X: the caller must keep the two from overlapping.
 *
 * A server has one thread, which answers all requests; a client that is slow
 * holds up no other. 64 connections at most, each of which must say or take
 * something every 10 seconds; requests of 16 KiB at most. Not encrypted and
 * asks for no password: what it says is for whoever reaches the address, which
 * by default is this host only. There it answers only requests that name this
 * host as theirs ("localhost", 127.0.0.1, [::1]), so that no web page reads it
 * by a name that it lets point here.
 *
 * After fork the child has no server: it must not use the handle. Signal
 * handlers: none of these calls. */
#ifndef GIRT_SERVE_H
#define GIRT_SERVE_H

#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/metrics.h>
#include <girt/status.h>

GIRT_BEGIN

/** A server of one registry. */
typedef struct girt_metrics_server girt_metrics_server;

/**
 * Serves a registry until the server is destroyed.
 *
 * @param out        where the handle goes; written only on GIRT_OK.
 * @param metrics    the registry; must live as long as the server.
 * @param address    where: "127.0.0.1:9464", "[::1]:9464", "0.0.0.0:9464",
 *                   "localhost:9464", or a port alone, which is one of
 *                   127.0.0.1.  Numbers, not names.  Port 0: any that is free.
 *                   NULL: "127.0.0.1:9464".
 * @param allocator  where memory comes from; NULL: the default.  Copied.
 * @return  GIRT_OK; GIRT_E_INVALID if out or metrics is NULL, the address is
 *          none, or the allocator incomplete; GIRT_E_BUSY: the address is in
 *          use; GIRT_E_SYSTEM: it is not this host's, not allowed, or there are
 *          no threads or descriptors left; GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: blocking (system calls).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_metrics_serve(girt_metrics_server **out,
                                        girt_metrics *metrics,
                                        const char *address,
                                        const girt_allocator *allocator);

/**
 * The port that a server listens at.
 *
 * @param server  the server.
 * @return  the address' port, or what was free for port 0.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API uint16_t girt_metrics_server_port(const girt_metrics_server *server);

/**
 * Ends a server and its connections; returns when its thread has ended.
 *
 * @param server  the server; NULL does nothing.
 *
 * Threads: any but the server's own.
 * Progress: blocking (the server's thread).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_metrics_server_destroy(girt_metrics_server *server);

GIRT_END

#endif /* GIRT_SERVE_H */

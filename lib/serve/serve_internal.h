/* SPDX-License-Identifier: MIT */
/* serve_internal.h - what a request asks for, judged without a socket. */
#ifndef GIRT_SERVE_SERVE_INTERNAL_H
#define GIRT_SERVE_SERVE_INTERNAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <girt/metrics.h>

typedef union girt__serve_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} girt__serve_address;

/* GIRT_E_INVALID: no address as serve.h has it. */
girt_status girt__serve_address_parse(girt__serve_address *out,
                                      const char *address);
bool girt__serve_address_is_loopback(const girt__serve_address *address);

/* What a request's Accept header (NULL: none) wants; RFC 9110, 12.5.1.
 * OpenMetrics only where it is named and not less wanted than text/plain. */
girt_metrics_format girt__serve_accept(const char *accept);

/* Does a Host header (NULL: none) name this host by what cannot be a name that
 * somebody else lets point here? */
bool girt__serve_host_is_local(const char *host);

/* The page at /. */
extern const char girt__serve_page[];
extern const char girt__serve_page_end[];

#endif /* GIRT_SERVE_SERVE_INTERNAL_H */

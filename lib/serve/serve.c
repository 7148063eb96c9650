/* SPDX-License-Identifier: MIT */
/* serve.c - three answers, from one thread of libmicrohttpd.
 *
 * A scrape is written whole into a block before its answer begins, so that it
 * is of one time and has a length, and so that the registry never waits for a
 * client. The block goes with the answer.
 *
 * I1: a block of text is released once: by the answer that has it, or here if
 *     there was none. */
#include <girt/serve.h>

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc_internal.h"
#include "serve/serve_internal.h"

enum {
    CONNECTIONS_MAX = 64,
    IDLE_S_MAX = 10,
    REQUEST_BYTES_MAX = 16 << 10,
    TEXT_BYTES_FIRST = 16 << 10,
    TEXT_BYTES_MAX = 1 << 30
};

struct girt_metrics_server {
    girt_allocator allocator;
    girt_metrics *metrics;
    struct MHD_Daemon *daemon;
    bool loopback;
    uint16_t port;
};

#if MHD_VERSION >= 0x00097002
typedef enum MHD_Result answer;
#else
typedef int answer;
#endif

/* ---- text --------------------------------------------------------------- */

typedef struct page_text {
    const girt_allocator *allocator;
    size_t used, capacity;
    char *data;
} page_text;

static bool keep(void *context, const char *text, size_t size)
{
    page_text *const page = context;
    if (size > page->capacity - page->used) {
        size_t const capacity =
            page->capacity == 0 ? TEXT_BYTES_FIRST : 2 * page->capacity;
        char *const data = capacity > TEXT_BYTES_MAX
                               ? NULL
                               : girt__allocate(page->allocator, capacity, 0);
        if (data == NULL)
            return false;
        if (page->used != 0)
            memcpy(data, page->data, page->used);
        girt__release(page->allocator, page->data, page->capacity);
        page->data = data;
        page->capacity = capacity;
    }
    memcpy(page->data + page->used, text, size);
    page->used += size;
    return true;
}

static void release_text(void *context)
{
    page_text *const page = context;
    const girt_allocator *const allocator = page->allocator;
    girt__release(allocator, page->data, page->capacity);
    girt__release(allocator, page, sizeof *page);
}

/* ---- answers ------------------------------------------------------------ */

/* NULL response: there was no memory for it; the connection is closed. */
static answer respond(struct MHD_Connection *connection, unsigned status,
                      const char *type, struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    answer done = MHD_YES;
    const char *const headers[][2] = {
        {MHD_HTTP_HEADER_CONTENT_TYPE, type},
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'unsafe-inline'; "
         "script-src 'unsafe-inline'; connect-src 'self'; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {status == MHD_HTTP_METHOD_NOT_ALLOWED ? MHD_HTTP_HEADER_ALLOW : NULL,
         "GET, HEAD"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        if (headers[i][0] != NULL &&
            MHD_add_response_header(response, headers[i][0], headers[i][1]) !=
                MHD_YES)
            done = MHD_NO;
    }
    if (done == MHD_YES)
        done = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return done;
}

static answer send_constant(struct MHD_Connection *connection, unsigned status,
                            const char *type, const char *text, size_t size)
{
    /* libmicrohttpd does not write to what is to persist. */
    void *const bytes = (void *)(uintptr_t)text;
    return respond(
        connection, status, type,
        MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_PERSISTENT));
}

static answer send_line(struct MHD_Connection *connection, unsigned status,
                        const char *line)
{
    return send_constant(connection, status, "text/plain; charset=utf-8", line,
                         strlen(line));
}

static answer send_metrics(girt_metrics_server *server,
                           struct MHD_Connection *connection)
{
    static const char *const types[] = {
        [GIRT_PROMETHEUS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
        [GIRT_OPENMETRICS_TEXT] =
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    girt_metrics_format const format =
        girt__serve_accept(MHD_lookup_connection_value(
            connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
    page_text *const page =
        girt__allocate_zeroed(&server->allocator, sizeof *page, 0);
    if (page == NULL)
        return MHD_NO;
    page->allocator = &server->allocator;
    struct MHD_Response *response = NULL;
    if (girt_metrics_write(server->metrics, format, keep, page) == GIRT_OK)
        response = MHD_create_response_from_buffer_with_free_callback_cls(
            page->used, page->data, release_text, page);
    if (response == NULL) {
        release_text(page);
        return send_line(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                         "no memory for the metrics\n");
    }
    return respond(connection, MHD_HTTP_OK, types[format], response);
}

static answer answer_request(void *context, struct MHD_Connection *connection,
                             const char *path, const char *method,
                             const char *version, const char *upload,
                             size_t *upload_size, void **request)
{
    static char seen;
    girt_metrics_server *const server = context;
    (void)version;
    (void)upload;
    /* The first call comes before the rest of the request is there; what is
     * uploaded is read and dropped, or the answer would not be. */
    if (*request == NULL) {
        *request = &seen;
        return MHD_YES;
    }
    if (*upload_size != 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (server->loopback &&
        !girt__serve_host_is_local(MHD_lookup_connection_value(
            connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST)))
        return send_line(connection, MHD_HTTP_FORBIDDEN,
                         "ask for localhost or 127.0.0.1\n");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return send_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                         "GET or HEAD\n");
    if (strcmp(path, "/metrics") == 0)
        return send_metrics(server, connection);
    if (strcmp(path, "/healthz") == 0)
        return send_line(connection, MHD_HTTP_OK, "ok\n");
    if (strcmp(path, "/") == 0)
        return send_constant(connection, MHD_HTTP_OK,
                             "text/html; charset=utf-8", girt__serve_page,
                             (size_t)(girt__serve_page_end - girt__serve_page));
    return send_line(connection, MHD_HTTP_NOT_FOUND,
                     "/, /metrics or /healthz\n");
}

/* ---- create and destroy ------------------------------------------------- */

/* Whether it can be bound, and if not, why: libmicrohttpd, which does it
 * again, does not tell. */
static girt_status try_address(const girt__serve_address *address)
{
    bool const v6 = address->any.sa_family == AF_INET6;
    int const one = 1;
    int const fd =
        socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return GIRT_E_SYSTEM;
    girt_status status = GIRT_OK;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, &address->any, v6 ? sizeof address->v6 : sizeof address->v4) !=
            0 ||
        listen(fd, 1) != 0)
        status = errno == EADDRINUSE ? GIRT_E_BUSY : GIRT_E_SYSTEM;
    (void)close(fd);
    return status;
}

static struct MHD_Daemon *start(girt_metrics_server *server,
                                girt__serve_address *address)
{
    unsigned const flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC;
    bool const v6 = address->any.sa_family == AF_INET6;
    return MHD_start_daemon(
        flags | (v6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL, answer_request, server,
        MHD_OPTION_SOCK_ADDR, &address->any, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)REQUEST_BYTES_MAX, MHD_OPTION_END);
}

girt_status girt_metrics_serve(girt_metrics_server **out, girt_metrics *metrics,
                               const char *address,
                               const girt_allocator *allocator)
{
    girt__serve_address parsed;
    girt_allocator own;
    if (out == NULL || metrics == NULL)
        return GIRT_E_INVALID;
    girt_status status = girt__serve_address_parse(&parsed, address);
    if (status == GIRT_OK)
        status = girt__allocator_resolve(&own, allocator);
    if (status != GIRT_OK)
        return status;
    girt_metrics_server *const server =
        girt__allocate_zeroed(&own, sizeof *server, 0);
    if (server == NULL)
        return GIRT_E_NOMEM;
    server->allocator = own;
    server->metrics = metrics;
    server->loopback = girt__serve_address_is_loopback(&parsed);
    status = try_address(&parsed);
    if (status != GIRT_OK)
        goto fail;
    server->daemon = start(server, &parsed);
    if (server->daemon == NULL) {
        status = GIRT_E_SYSTEM;
        goto fail;
    }
    const union MHD_DaemonInfo *const info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    server->port = info == NULL ? 0 : info->port;
    *out = server;
    return GIRT_OK;

fail:
    girt__release(&own, server, sizeof *server);
    return status;
}

uint16_t girt_metrics_server_port(const girt_metrics_server *server)
{
    return server->port;
}

void girt_metrics_server_destroy(girt_metrics_server *server)
{
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    girt_allocator const own = server->allocator;
    girt__release(&own, server, sizeof *server);
}

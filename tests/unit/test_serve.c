/* SPDX-License-Identifier: MIT */
/* Goal: three paths answer what they say, in the format that was asked for, and
 * nothing that a client does harms the others.  Method: tables of addresses and
 * headers; requests through sockets, whole, cut, and never ended; the format's
 * reader of this suite; failing memory. */
#include "support/check.h"

#ifndef GIRT_TEST_WITH_SERVE

static void no_library(void **state)
{
    (void)state;
    skip_because("built without libmicrohttpd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_library)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <girt/serve.h>

#include "serve/serve_internal.h"
#include "support/failing.h"
#include "support/scrape.h"
#include "support/threads.h"

/* ---- what a request asks for -------------------------------------------- */

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        int port;
        bool loopback;
    } table[] = {
        {NULL, "127.0.0.1", 9464, true},
        {"0", "127.0.0.1", 0, true},
        {"8080", "127.0.0.1", 8080, true},
        {"127.0.0.1:1", "127.0.0.1", 1, true},
        {"127.1.2.3:1", "127.1.2.3", 1, true},
        {"localhost:65535", "127.0.0.1", 65535, true},
        {"0.0.0.0:9464", "0.0.0.0", 9464, false},
        {"10.1.2.3:80", "10.1.2.3", 80, false},
        {"[::1]:80", "::1", 80, true},
        {"[::]:80", "::", 80, false},
        {"", NULL, 0, false},
        {":", NULL, 0, false},
        {":80", NULL, 0, false},
        {"host:80", NULL, 0, false},
        {"127.0.0.1", NULL, 0, false},
        {"127.0.0.1:", NULL, 0, false},
        {"127.0.0.1:65536", NULL, 0, false},
        {"127.0.0.1:-1", NULL, 0, false},
        {"127.0.0.1:8x", NULL, 0, false},
        {"127.0.0.1:99999999999999999999", NULL, 0, false},
        {"::1:80", NULL, 0, false},
        {"[::1]", NULL, 0, false},
        {"[::1:80", NULL, 0, false},
        {"[x]:80", NULL, 0, false},
        {"[]:80", NULL, 0, false},
        {"1234567890123456789012345678901234567890123456789012345:80", NULL, 0,
         false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        girt__serve_address a;
        memset(&a, 0x55, sizeof a);
        const girt_status status = girt__serve_address_parse(&a, table[i].text);
        check_status(status, table[i].host ? GIRT_OK : GIRT_E_INVALID);
        if (table[i].host == NULL)
            continue;
        char host[INET6_ADDRSTRLEN];
        const bool v6 = a.any.sa_family == AF_INET6;
        assert_non_null(
            inet_ntop(a.any.sa_family,
                      v6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr,
                      host, sizeof host));
        assert_string_equal(host, table[i].host);
        assert_int_equal(ntohs(v6 ? a.v6.sin6_port : a.v4.sin_port),
                         table[i].port);
        assert_int_equal(girt__serve_address_is_loopback(&a),
                         table[i].loopback);
    }
}

static void accept_headers(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        girt_metrics_format format;
    } table[] = {
        {NULL, GIRT_PROMETHEUS_TEXT},
        {"", GIRT_PROMETHEUS_TEXT},
        {"*/*", GIRT_PROMETHEUS_TEXT},
        {"text/html,application/xhtml+xml,*/*;q=0.8", GIRT_PROMETHEUS_TEXT},
        {"application/openmetrics-text", GIRT_OPENMETRICS_TEXT},
        {"Application/OpenMetrics-Text ; version=1.0.0", GIRT_OPENMETRICS_TEXT},
        {"application/openmetrics-text;version=1.0.0,application/"
         "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
         "*/*;q=0.1",
         GIRT_OPENMETRICS_TEXT},
        {"application/openmetrics-text; version=\"1.0.0\"",
         GIRT_OPENMETRICS_TEXT},
        {"application/openmetrics-text;version=0.0.1", GIRT_PROMETHEUS_TEXT},
        {"application/openmetrics-text;q=0", GIRT_PROMETHEUS_TEXT},
        {"application/openmetrics-text;q=0.000", GIRT_PROMETHEUS_TEXT},
        {"application/openmetrics-text;q=0.001", GIRT_OPENMETRICS_TEXT},
        {"application/openmetrics-text;q=0.5,text/plain", GIRT_PROMETHEUS_TEXT},
        {"text/plain;q=0.3 , application/openmetrics-text;q=0.4",
         GIRT_OPENMETRICS_TEXT},
        {"text/plain;q=0.5,application/openmetrics-text;q=0.5",
         GIRT_OPENMETRICS_TEXT},
        {"application/openmetrics-text;q=0.4,*/*;q=0.5", GIRT_PROMETHEUS_TEXT},
        {"application/openmetrics-textual", GIRT_PROMETHEUS_TEXT},
        {"x/application/openmetrics-text", GIRT_PROMETHEUS_TEXT},
        {",,,;;;q=,q=1;", GIRT_PROMETHEUS_TEXT},
        {"application/openmetrics-text;q=", GIRT_PROMETHEUS_TEXT},
        {"application/openmetrics-text;q=junk", GIRT_PROMETHEUS_TEXT},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (girt__serve_accept(table[i].accept) != table[i].format)
            fail_msg("%s", table[i].accept);
    }
}

static void host_headers(void **state)
{
    (void)state;
    static const char *const local[] = {
        NULL,        "localhost",    "LocalHost:9464",
        "127.0.0.1", "127.0.0.1:80", "[::1]:1"};
    static const char *const others[] = {"",
                                         "evil.example",
                                         "localhost.evil.example",
                                         "127.0.0.1.nip.io:80",
                                         "localhost:",
                                         "localhost:80x",
                                         "[::1]x"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        assert_true(girt__serve_host_is_local(local[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(girt__serve_host_is_local(others[i]));
}

/* ---- through sockets ---------------------------------------------------- */

static girt_metrics *metrics;
static girt_metrics_server *server;

static int start(void **state)
{
    (void)state;
    girt_counter *c;
    girt_histogram *h;
    check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
    check_status(girt_counter_create(&c, metrics, "hits", "Hits.", NULL),
                 GIRT_OK);
    girt_counter_add(c, 5);
    check_status(girt_histogram_create(&h, metrics, "wait_ns", "W.", NULL),
                 GIRT_OK);
    check_status(girt_metrics_serve(&server, metrics, "0", NULL), GIRT_OK);
    assert_true(girt_metrics_server_port(server) != 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    girt_metrics_server_destroy(server);
    girt_metrics_destroy(metrics);
    return 0;
}

static int connect_to(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void send_text(int fd, const char *text, size_t size)
{
    while (size != 0) {
        const ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        text += sent;
        size -= (size_t)sent;
    }
}

/* All that comes until the other side closes. */
static char *receive_all(int fd)
{
    size_t used = 0, room = 4096;
    char *text = malloc(room);
    for (;;) {
        assert_non_null(text);
        const ssize_t came = recv(fd, text + used, room - used - 1, 0);
        if (came <= 0)
            break;
        used += (size_t)came;
        if (room - used < 2)
            text = realloc(text, room *= 2);
    }
    text[used] = '\0';
    return text;
}

static char *ask(const char *method, const char *path, const char *headers)
{
    char request[1000];
    const int size = snprintf(request, sizeof request,
                              "%s %s HTTP/1.1\r\nConnection: close\r\n%s\r\n",
                              method, path, headers);
    const int fd = connect_to(girt_metrics_server_port(server));
    send_text(fd, request, (size_t)size);
    char *const answer = receive_all(fd);
    close(fd);
    return answer;
}

#define LOCAL "Host: localhost\r\n"

static void check_answer(const char *method, const char *path,
                         const char *headers, const char *status,
                         const char *part)
{
    char *const answer = ask(method, path, headers);
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0 ||
        strncmp(answer + 9, status, 3) != 0 || strstr(answer, part) == NULL)
        fail_msg("%s %s: %s", method, path, answer);
    free(answer);
}

static void metrics_in_both_formats(void **state)
{
    (void)state;
    for (int format = 0; format < 2; format++) {
        char *const answer =
            ask("GET", "/metrics",
                format == 0 ? LOCAL
                            : LOCAL "Accept: application/openmetrics-text\r\n");
        assert_int_equal(strncmp(answer, "HTTP/1.1 200", 12), 0);
        assert_non_null(strstr(
            answer, format == 0 ? "text/plain; version=0.0.4; charset=utf-8"
                                : "application/openmetrics-text; "
                                  "version=1.0.0; charset=utf-8"));
        char *const body = strstr(answer, "\r\n\r\n") + 4;
        scrape expected;
        scrape_take(&expected, metrics, (girt_metrics_format)format);
        assert_string_equal(body, expected.text);
        scrape_free(&expected);
        free(answer);
    }
}

static void the_other_paths(void **state)
{
    (void)state;
    check_answer("GET", "/healthz", LOCAL, "200", "\r\n\r\nok\n");
    check_answer("GET", "/", LOCAL, "200", "</html>");
    check_answer("GET", "/", LOCAL, "200", "Content-Security-Policy: default");
    check_answer("GET", "/?x=1", LOCAL, "200", "</html>");
    check_answer("GET", "/nothing", LOCAL, "404", "");
    check_answer("GET", "/metrics/", LOCAL, "404", "");
    check_answer("POST", "/metrics", LOCAL "Content-Length: 3\r\n\r\nabc",
                 "405", "Allow: GET, HEAD");
    check_answer("DELETE", "/", LOCAL, "405", "");
    char *const head = ask("HEAD", "/metrics", LOCAL);
    assert_int_equal(strncmp(head, "HTTP/1.1 200", 12), 0);
    assert_non_null(strstr(head, "Content-Length: "));
    assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
    free(head);
}

static void other_hosts(void **state)
{
    (void)state;
    check_answer("GET", "/metrics", "Host: evil.example\r\n", "403", "");
    check_answer("GET", "/", "Host: evil.example:80\r\n", "403", "");
    check_answer("GET", "/healthz", "Host: 127.0.0.1:80\r\n", "200", "ok");
}

static void held_up_by_none(void **state)
{
    (void)state;
    enum { IDLE = 20 };
    int idle[IDLE];
    for (int i = 0; i < IDLE; i++) {
        static const char cut[] = "GET /metrics HTTP/1.1\r\nHost: local";
        idle[i] = connect_to(girt_metrics_server_port(server));
        send_text(idle[i], cut, (size_t)i % sizeof cut);
    }
    /* One that asks and does not read. */
    const int lazy = connect_to(girt_metrics_server_port(server));
    for (int i = 0; i < 50; i++) {
        static const char whole[] = "GET /metrics HTTP/1.1\r\n" LOCAL "\r\n";
        if (send(lazy, whole, sizeof whole - 1, MSG_NOSIGNAL | MSG_DONTWAIT) <
            0)
            break;
    }
    for (int i = 0; i < 10; i++)
        check_answer("GET", "/healthz", LOCAL, "200", "ok");
    for (int i = 0; i < IDLE; i++)
        close(idle[i]);
    close(lazy);
    check_answer("GET", "/metrics", LOCAL, "200", "hits_total 5");
}

static void nonsense(void **state)
{
    (void)state;
    static char huge[40000];
    memset(huge, 'x', sizeof huge);
    static const char *const texts[] = {
        "\r\n\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00",
        "GET / HTTP/9.9\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost\r\n\r\n"};
    for (size_t i = 0; i <= sizeof texts / sizeof *texts; i++) {
        const bool last = i == sizeof texts / sizeof *texts;
        const int fd = connect_to(girt_metrics_server_port(server));
        (void)!send(fd, last ? huge : texts[i],
                    last ? sizeof huge : strlen(texts[i]), MSG_NOSIGNAL);
        close(fd); /* some of it would be waited for to go on */
    }
    check_answer("GET", "/healthz", LOCAL, "200", "ok");
}

static void ask_often(void *context, size_t index)
{
    (void)context;
    for (int i = 0; i < 20; i++) {
        girt_counter *c;
        char name[24];
        (void)snprintf(name, sizeof name, "m%zu_%d", index, i);
        check_status(girt_counter_create(&c, metrics, name, "h", NULL),
                     GIRT_OK);
        check_answer("GET", "/metrics", LOCAL, "200", name);
    }
}

static void from_threads(void **state)
{
    (void)state;
    threads_run(4, ask_often, NULL);
}

static void bad_arguments(void **state)
{
    (void)state;
    girt_metrics_server *other = NULL;
    failing f;
    failing_init(&f);
    girt_allocator half = f.allocator;
    half.release = NULL;
    check_status(girt_metrics_serve(NULL, metrics, "0", NULL), GIRT_E_INVALID);
    check_status(girt_metrics_serve(&other, NULL, "0", NULL), GIRT_E_INVALID);
    check_status(girt_metrics_serve(&other, metrics, "x", NULL),
                 GIRT_E_INVALID);
    check_status(girt_metrics_serve(&other, metrics, "0", &half),
                 GIRT_E_INVALID);
    char taken[16];
    (void)snprintf(taken, sizeof taken, "%u",
                   (unsigned)girt_metrics_server_port(server));
    check_status(girt_metrics_serve(&other, metrics, taken, NULL), GIRT_E_BUSY);
    check_status(girt_metrics_serve(&other, metrics, "192.0.2.1:0", NULL),
                 GIRT_E_SYSTEM);
    f.fail_at = 1;
    check_status(girt_metrics_serve(&other, metrics, "0", &f.allocator),
                 GIRT_E_NOMEM);
    assert_null(other);
    assert_int_equal(f.live_blocks, 0);
    girt_metrics_server_destroy(NULL);
}

/* A scrape without memory is told; the next one works. */
static void without_memory(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_metrics_server *const before = server;
    check_status(girt_metrics_serve(&server, metrics, "0", &f.allocator),
                 GIRT_OK);
    f.fail_at = 3; /* the server, what says where the text is, the text */
    check_answer("GET", "/metrics", LOCAL, "500", "no memory");
    check_answer("GET", "/metrics", LOCAL, "200", "hits_total 5");
    girt_metrics_server_destroy(server);
    assert_int_equal(f.live_blocks, 0);
    server = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(accept_headers),
        cmocka_unit_test(host_headers),
        cmocka_unit_test_setup_teardown(metrics_in_both_formats, start, stop),
        cmocka_unit_test_setup_teardown(the_other_paths, start, stop),
        cmocka_unit_test_setup_teardown(other_hosts, start, stop),
        cmocka_unit_test_setup_teardown(held_up_by_none, start, stop),
        cmocka_unit_test_setup_teardown(nonsense, start, stop),
        cmocka_unit_test_setup_teardown(from_threads, start, stop),
        cmocka_unit_test_setup_teardown(bad_arguments, start, stop),
        cmocka_unit_test_setup_teardown(without_memory, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

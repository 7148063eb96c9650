/* SPDX-License-Identifier: MIT */
/* serve_request.c - addresses, and the two headers that an answer depends on.
 */
#include "serve/serve_internal.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* ---- addresses ---------------------------------------------------------- */

static bool parse_port(const char *text, in_port_t *port)
{
    uint32_t value = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 6; digits++)
        value = value * 10 + (uint32_t)(text[digits] - '0');
    if (digits == 0 || text[digits] != '\0' || value > UINT16_MAX)
        return false;
    *port = htons((uint16_t)value);
    return true;
}

girt_status girt__serve_address_parse(girt__serve_address *out,
                                      const char *address)
{
    enum { DEFAULT_PORT = 9464 };
    girt__serve_address parsed;
    memset(&parsed, 0, sizeof parsed);
    parsed.v4.sin_family = AF_INET;
    parsed.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    parsed.v4.sin_port = htons(DEFAULT_PORT);
    if (address == NULL || parse_port(address, &parsed.v4.sin_port)) {
        *out = parsed;
        return GIRT_OK;
    }
    const char *const colon = strrchr(address, ':');
    char host[INET6_ADDRSTRLEN + 2];
    in_port_t port;
    if (colon == NULL || (size_t)(colon - address) >= sizeof host ||
        !parse_port(colon + 1, &port))
        return GIRT_E_INVALID;
    size_t const size = (size_t)(colon - address);
    memcpy(host, address, size);
    host[size] = '\0';
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        memset(&parsed, 0, sizeof parsed);
        parsed.v6.sin6_family = AF_INET6;
        parsed.v6.sin6_port = port;
        if (inet_pton(AF_INET6, host + 1, &parsed.v6.sin6_addr) != 1)
            return GIRT_E_INVALID;
    } else {
        parsed.v4.sin_port = port;
        if (strcmp(host, "localhost") != 0 &&
            inet_pton(AF_INET, host, &parsed.v4.sin_addr) != 1)
            return GIRT_E_INVALID;
    }
    *out = parsed;
    return GIRT_OK;
}

bool girt__serve_address_is_loopback(const girt__serve_address *address)
{
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* ---- headers ------------------------------------------------------------ */

bool girt__serve_host_is_local(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    if (host == NULL)
        return true; /* HTTP/1.0; no browser */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t const size = strlen(names[i]);
        in_port_t port;
        if (strncasecmp(host, names[i], size) == 0 &&
            (host[size] == '\0' ||
             (host[size] == ':' && parse_port(host + size + 1, &port))))
            return true;
    }
    return false;
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* Does the item up to `end` begin with the word, and end or go on with a
 * parameter there? */
static bool is_type(const char *item, const char *end, const char *type)
{
    size_t const size = strlen(type);
    if ((size_t)(end - item) < size || strncasecmp(item, type, size) != 0)
        return false;
    item += size;
    return item == end || strchr("; \t", *item) != NULL;
}

/* Its parameter's value; NULL: it has none. */
static const char *parameter(const char *item, const char *end,
                             const char *name)
{
    size_t const size = strlen(name);
    for (const char *at = item; at < end; at++) {
        if (*at != ';')
            continue;
        const char *const word = skip_space(at + 1);
        if (word + size < end && strncasecmp(word, name, size) == 0 &&
            word[size] == '=')
            return word + size + 1;
    }
    return NULL;
}

/* A thousandth: 0 .. 1000; 1000 where there is none. */
static int weight(const char *item, const char *end)
{
    const char *at = parameter(item, end, "q");
    if (at == NULL)
        return 1000;
    if (at >= end || (*at != '0' && *at != '1'))
        return 0;
    if (*at == '1')
        return 1000;
    int value = 0, unit = 100;
    at++;
    if (at < end && *at == '.')
        at++;
    for (; at < end && unit > 0 && *at >= '0' && *at <= '9'; at++) {
        value += (*at - '0') * unit;
        unit /= 10;
    }
    return value;
}

/* Version 1.0.0, or none named. */
static bool is_our_version(const char *item, const char *end)
{
    const char *const version = parameter(item, end, "version");
    return version == NULL || strncmp(version, "1.0.0", 5) == 0 ||
           strncmp(version, "\"1.0.0\"", 7) == 0;
}

girt_metrics_format girt__serve_accept(const char *accept)
{
    int openmetrics = 0, text = 0, rest = 0;
    for (const char *item = accept; item != NULL && *item != '\0';) {
        item = skip_space(item);
        const char *const end = item + strcspn(item, ",");
        int const q = weight(item, end);
        if (is_type(item, end, "application/openmetrics-text")) {
            if (is_our_version(item, end) && q > openmetrics)
                openmetrics = q;
        } else if (is_type(item, end, "text/plain")) {
            text = q > text ? q : text;
        } else if (is_type(item, end, "text/*") || is_type(item, end, "*/*")) {
            rest = q > rest ? q : rest;
        }
        item = *end == ',' ? end + 1 : end;
    }
    if (text == 0)
        text = rest;
    return openmetrics > 0 && openmetrics >= text ? GIRT_OPENMETRICS_TEXT
                                                  : GIRT_PROMETHEUS_TEXT;
}

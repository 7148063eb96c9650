/* SPDX-License-Identifier: MIT */
/* zipf_stream.c - the generator of zipf_stream.h.
 *
 * A table holds the cumulative probabilities; a uniform number finds its rank
 * by binary search. Ranks are scattered over names, so that neither the order
 * of names nor their hash knows what is popular. */
#include "zipf_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define URL_EXPONENT    0.9
#define CLIENT_EXPONENT 0.8
#define LINE_MAX_SIZE   160
#define LOG_LENGTH_S    86000 /* the whole stream covers about a day */

/* splitmix64 */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* One to one over 64-bit numbers: the same rank always gives the same. */
static uint64_t scatter(uint64_t value)
{
    uint64_t state = value;
    return random_next(&state);
}

static double *cumulative(size_t ranks, double exponent)
{
    double *const table = malloc(ranks * sizeof *table);
    double sum = 0;
    for (size_t i = 0; table != NULL && i < ranks; i++) {
        sum += pow((double)(i + 1), -exponent);
        table[i] = sum;
    }
    return table;
}

static size_t draw(const double *table, size_t ranks, uint64_t *state)
{
    double const uniform = (double)(random_next(state) >> 11) * 0x1p-53;
    double const wanted = uniform * table[ranks - 1];
    size_t low = 0;
    size_t high = ranks - 1;
    while (low < high) {
        size_t const middle = low + (high - low) / 2;
        if (table[middle] > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static size_t write_line(char *at, size_t client, size_t url, size_t second)
{
    static const char *const places[] = {"/item/",     "/images/",
                                         "/search?q=", "/api/v1/orders/",
                                         "/history/",  "/static/js/"};
    uint64_t const c = scatter(client);
    uint64_t const u = scatter(url + (UINT64_C(1) << 32));
    unsigned const when = (unsigned)second + 1;
    /* About log-uniform between 100 bytes and 0.8 MB, fixed for a URL. */
    unsigned const bytes = (100u << (u >> 40) % 14) + (unsigned)(u >> 50);
    int const size = snprintf(
        at, LINE_MAX_SIZE,
        "10.%u.%u.%u - - [01/Aug/1995:%02u:%02u:%02u -0400] "
        "\"GET %s%x HTTP/1.0\" 200 %u\n",
        (unsigned)(client >> 8) & 255u, (unsigned)client & 255u,
        (unsigned)(c & 255u), when / 3600 % 24, when / 60 % 60, when % 60,
        places[u % 6], (unsigned)(u >> 16) & 0xffffffu, bytes);
    return (size_t)size;
}

char *zipf_stream(size_t lines, uint64_t seed, size_t *size)
{
    double *const urls = cumulative(ZIPF_URLS, URL_EXPONENT);
    double *const clients = cumulative(ZIPF_CLIENTS, CLIENT_EXPONENT);
    /* A line has at most 96 bytes by the widths of their fields. */
    char *text = lines > (SIZE_MAX - LINE_MAX_SIZE) / 96
                     ? NULL
                     : malloc(lines * 96 + LINE_MAX_SIZE);
    *size = 0;
    if (urls != NULL && clients != NULL && text != NULL) {
        uint64_t state = seed;
        for (size_t i = 0; i < lines; i++) {
            size_t const client = draw(clients, ZIPF_CLIENTS, &state);
            size_t const url = draw(urls, ZIPF_URLS, &state);
            size_t const second =
                (size_t)((double)i / (double)lines * LOG_LENGTH_S);
            *size += write_line(text + *size, client, url, second);
        }
    } else {
        free(text);
        text = NULL;
    }
    free(urls);
    free(clients);
    return text;
}

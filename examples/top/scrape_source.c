/* SPDX-License-Identifier: MIT */
/* scrape_source.c - scrapes over HTTP by libcurl's multi interface, or from
 * files. */
#include "scrape_source.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ANSWER_WITHIN_MS = 5000, WHY_MAX = CURL_ERROR_SIZE + 64 };

struct scrape_source {
    const top_options *options;
    scrape_text text;
    double time_s;
    bool asked;
    size_t next_file;
    CURLM *multi; /* these three NULL where files are read */
    CURL *easy;
    struct curl_slist *headers;
    char curl_why[CURL_ERROR_SIZE];
    char why[WHY_MAX];
};

static double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- over HTTP ---- */

/* Fewer bytes than came: libcurl ends the transfer. */
static size_t take_bytes(char *bytes, size_t one, size_t size, void *context)
{
    (void)one; /* 1 */
    return scrape_text_append(context, bytes, size) ? size : 0;
}

static bool set_options(scrape_source *s)
{
    const top_options *const o = s->options;
    CURL *const e = s->easy;
    return curl_easy_setopt(e, CURLOPT_URL, o->url) == CURLE_OK &&
           (o->socket == NULL || curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH,
                                                  o->socket) == CURLE_OK) &&
#if LIBCURL_VERSION_NUM >= 0x075500
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") ==
               CURLE_OK &&
#endif
           curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTPHEADER, s->headers) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USERAGENT, "girt-top") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)ANSWER_WITHIN_MS) ==
               CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->curl_why) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_bytes) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, &s->text) == CURLE_OK;
}

static bool open_http(scrape_source *s)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return false;
    s->multi = curl_multi_init();
    s->easy = curl_easy_init();
    s->headers = curl_slist_append(NULL, "Accept: text/plain;version=0.0.4");
    return s->multi != NULL && s->easy != NULL && s->headers != NULL &&
           set_options(s);
}

static scrape_result finish_http(scrape_source *s, CURLcode code)
{
    curl_multi_remove_handle(s->multi, s->easy);
    s->asked = false;
    s->time_s = clock_s();
    long status = 0;
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status == 200)
        return SCRAPE_READY;
    if (code == CURLE_OK) { /* one that moved elsewhere is not followed */
        snprintf(s->why, sizeof s->why, "answers with status %ld", status);
        return SCRAPE_FAILED;
    }
    const char *const why = code == CURLE_WRITE_ERROR
                                ? "more than 16 MiB, or no memory"
                            : s->curl_why[0] != '\0' ? s->curl_why
                                                     : curl_easy_strerror(code);
    snprintf(s->why, sizeof s->why, "%s", why);
    return SCRAPE_FAILED;
}

static scrape_result step_http(scrape_source *s)
{
    int running, left;
    const CURLMsg *message;
    if (curl_multi_perform(s->multi, &running) != CURLM_OK)
        return finish_http(s, CURLE_OUT_OF_MEMORY);
    while ((message = curl_multi_info_read(s->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            return finish_http(s, message->data.result);
    return SCRAPE_NOT_YET;
}

/* ---- from files ---- */

static scrape_result read_file(scrape_source *s)
{
    const top_options *const o = s->options;
    const bool again = s->next_file == o->file_count;
    const char *const path = o->files[again ? o->file_count - 1 : s->next_file];
    s->asked = false;
    s->time_s += o->interval_s;
    if (!again)
        s->next_file++;
    else if (strcmp(path, "-") == 0)
        return SCRAPE_READY; /* it has ended: the same once more */
    const char *const why = scrape_text_load(&s->text, path);
    if (why == NULL)
        return SCRAPE_READY;
    snprintf(s->why, sizeof s->why, "%s", why);
    return SCRAPE_FAILED;
}

/* ---- either ---- */

scrape_source *scrape_source_create(const top_options *options)
{
    scrape_source *const s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->options = options;
    if (options->file_count == 0 && !open_http(s)) {
        scrape_source_destroy(s);
        return NULL;
    }
    return s;
}

void scrape_source_destroy(scrape_source *s)
{
    if (s == NULL)
        return;
    if (s->asked && s->easy != NULL)
        curl_multi_remove_handle(s->multi, s->easy);
    if (s->easy != NULL)
        curl_easy_cleanup(s->easy);
    if (s->multi != NULL)
        curl_multi_cleanup(s->multi);
    curl_slist_free_all(s->headers);
    scrape_text_free(&s->text);
    free(s);
    curl_global_cleanup();
}

void scrape_source_start(scrape_source *s)
{
    s->asked = true;
    if (s->easy == NULL)
        return;
    s->text.size = 0;
    s->curl_why[0] = '\0';
    curl_multi_add_handle(s->multi, s->easy); /* is not in it: cannot fail */
}

scrape_result scrape_source_wait(scrape_source *s, int keys, int timeout_ms)
{
    if (s->asked && s->easy == NULL)
        return read_file(s);
    scrape_result result = s->asked ? step_http(s) : SCRAPE_NOT_YET;
    if (result != SCRAPE_NOT_YET)
        return result;
    if (s->easy == NULL) {
        struct pollfd input = {.fd = keys, .events = POLLIN};
        (void)poll(&input, 1, timeout_ms); /* a signal ends it too */
        return SCRAPE_NOT_YET;
    }
    struct curl_waitfd input = {.fd = keys, .events = CURL_WAIT_POLLIN};
    (void)curl_multi_poll(s->multi, &input, keys >= 0, timeout_ms, NULL);
    return s->asked ? step_http(s) : SCRAPE_NOT_YET;
}

const scrape_text *scrape_source_text(const scrape_source *source)
{
    return &source->text;
}

double scrape_source_time(const scrape_source *source)
{
    return source->time_s;
}

const char *scrape_source_error(const scrape_source *source)
{
    return source->why;
}

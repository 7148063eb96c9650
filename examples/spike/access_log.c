/* SPDX-License-Identifier: MIT */
/* access_log.c - the two line forms of access_log.h.
 *
 * A cursor walks the line; every step either moves it forward inside
 * [at, end] or says that the line does not fit (I1: at <= end always). */
#include "access_log.h"

#include <string.h>

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static size_t left(const cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* The first `byte` at or after the cursor, else NULL. */
static const char *find(const cursor *c, char byte)
{
    return left(c) == 0 ? NULL : memchr(c->at, byte, left(c));
}

static bool accept(cursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte)
        return false;
    c->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One or more digits that fit in 64 bits. */
static bool accept_number(cursor *c, uint64_t *value)
{
    uint64_t sum = 0;
    const char *const start = c->at;
    for (; c->at != c->end && is_digit(*c->at); c->at++) {
        uint64_t const digit = (uint64_t)(*c->at - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (c->at == start)
        return false;
    *value = sum;
    return true;
}

/* Exactly `digits` digits, at most 9. */
static bool accept_digits(cursor *c, unsigned digits, int *value)
{
    int sum = 0;
    for (unsigned i = 0; i < digits; i++, c->at++) {
        if (c->at == c->end || !is_digit(*c->at))
            return false;
        sum = sum * 10 + (*c->at - '0');
    }
    *value = sum;
    return true;
}

static bool accept_month(cursor *c, int *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (left(c) < 3)
        return false;
    for (int i = 0; i < 12; i++) {
        if (memcmp(c->at, names + (size_t)i * 3, 3) == 0) {
            c->at += 3;
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, year >= 1. */
static int64_t days_from_epoch(int year, int month, int day)
{
    /* Count from March, so that the leap day is the last of its year. */
    int64_t const y = month > 2 ? year : year - 1;
    int64_t const m = month > 2 ? month - 3 : month + 9;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 -
           719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* 01/Aug/1995:00:00:01 -0400] */
static bool accept_time(cursor *c, int64_t *time_s)
{
    int day, month, year, hour, minute, second, zone_hour, zone_minute;
    bool const shape = accept_digits(c, 2, &day) && accept(c, '/') &&
                       accept_month(c, &month) && accept(c, '/') &&
                       accept_digits(c, 4, &year) && accept(c, ':') &&
                       accept_digits(c, 2, &hour) && accept(c, ':') &&
                       accept_digits(c, 2, &minute) && accept(c, ':') &&
                       accept_digits(c, 2, &second) && accept(c, ' ');
    if (!shape)
        return false;
    bool const west = accept(c, '-');
    if (!west && !accept(c, '+'))
        return false;
    if (!accept_digits(c, 2, &zone_hour) ||
        !accept_digits(c, 2, &zone_minute) || !accept(c, ']'))
        return false;
    /* 60: a leap second. */
    if (year < 1 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 60 || zone_minute > 59)
        return false;
    int64_t const zone_s = zone_hour * 3600 + zone_minute * 60;
    *time_s = days_from_epoch(year, month, day) * 86400 + hour * 3600 +
              minute * 60 + second + (west ? zone_s : -zone_s);
    return true;
}

/* Finds " [time]": the user before it may hold spaces and brackets. */
static bool skip_to_time(cursor *c, int64_t *time_s)
{
    const char *space;
    while ((space = find(c, ' ')) != NULL) {
        c->at = space + 1;
        cursor attempt = *c;
        if (accept(&attempt, '[') && accept_time(&attempt, time_s)) {
            *c = attempt;
            return true;
        }
    }
    return false;
}

/* The text up to the quote that is not escaped; the cursor ends after it. */
static bool accept_quoted(cursor *c, cursor *inside)
{
    if (!accept(c, '"'))
        return false;
    const char *const start = c->at;
    for (; c->at != c->end; c->at++) {
        if (*c->at == '\\' && c->at + 1 != c->end) {
            c->at++; /* whatever it is, it does not end the field */
        } else if (*c->at == '"') {
            *inside = (cursor){start, c->at};
            c->at++;
            return true;
        }
    }
    return false;
}

static void trim(cursor *c)
{
    while (c->at != c->end && *c->at == ' ')
        c->at++;
    while (c->at != c->end && c->end[-1] == ' ')
        c->end--;
}

/* The URL of "METHOD URL PROTOCOL": all between the first space and the
 * protocol, spaces included; a request of one word is its own URL ("-"). */
static bool url_of_request(cursor request, access_entry *entry)
{
    trim(&request);
    const char *const space = find(&request, ' ');
    if (space != NULL) {
        request.at = space;
        const char *last = request.end;
        while (last != request.at && last[-1] != ' ')
            last--;
        /* last: the start of the last word, after the first space at least. */
        if (request.end - last >= 5 && memcmp(last, "HTTP/", 5) == 0 &&
            last - 1 != space)
            request.end = last;
        trim(&request);
    }
    if (left(&request) == 0)
        return false;
    entry->url = request.at;
    entry->url_size = (uint32_t)left(&request);
    return true;
}

static bool accept_status(cursor *c, access_entry *entry)
{
    int status;
    if (!accept_digits(c, 3, &status) || status < 100)
        return false;
    entry->status = (uint32_t)status;
    return true;
}

static bool accept_bytes(cursor *c, access_entry *entry)
{
    if (accept(c, '-')) {
        entry->bytes = 0;
        return true;
    }
    return accept_number(c, &entry->bytes) &&
           entry->bytes <= ACCESS_BYTES_MAX;
}

static access_fault parse_common(cursor c, access_entry *entry)
{
    const char *const space = find(&c, ' ');
    if (space == NULL || space == c.at)
        return ACCESS_NO_CLIENT;
    entry->client = c.at;
    entry->client_size = (uint32_t)(space - c.at);
    c.at = space;
    if (!skip_to_time(&c, &entry->time_s))
        return ACCESS_NO_TIME;
    cursor request;
    if (!accept(&c, ' ') || !accept_quoted(&c, &request) ||
        !url_of_request(request, entry))
        return ACCESS_NO_REQUEST;
    if (!accept(&c, ' ') || !accept_status(&c, entry))
        return ACCESS_NO_STATUS;
    if (!accept(&c, ' ') || !accept_bytes(&c, entry) ||
        (c.at != c.end && *c.at != ' '))
        return ACCESS_NO_BYTES;
    return ACCESS_FINE;
}

/* The next field; the cursor ends after its tab, or at the end. */
static cursor next_field(cursor *c)
{
    const char *const tab = find(c, '\t');
    cursor const field = {c->at, tab == NULL ? c->end : tab};
    c->at = tab == NULL ? c->end : tab + 1;
    return field;
}

static access_fault parse_tabbed(cursor c, access_entry *entry)
{
    cursor const host = next_field(&c);
    (void)next_field(&c); /* logname */
    cursor time = next_field(&c);
    (void)next_field(&c); /* method */
    cursor const url = next_field(&c);
    cursor status = next_field(&c);
    cursor bytes = next_field(&c);

    uint64_t time_s;
    if (left(&host) == 0)
        return ACCESS_NO_CLIENT;
    if (!accept_number(&time, &time_s) || left(&time) != 0 ||
        time_s > INT64_MAX)
        return ACCESS_NO_TIME;
    if (left(&url) == 0)
        return ACCESS_NO_REQUEST;
    if (!accept_status(&status, entry) || left(&status) != 0)
        return ACCESS_NO_STATUS;
    if (!accept_bytes(&bytes, entry) || left(&bytes) != 0)
        return ACCESS_NO_BYTES;
    entry->client = host.at;
    entry->client_size = (uint32_t)left(&host);
    entry->time_s = (int64_t)time_s;
    entry->url = url.at;
    entry->url_size = (uint32_t)left(&url);
    return ACCESS_FINE;
}

/* A server writes a tab inside a field as \t, so that a raw tab right after
 * the first word means the tabbed form. */
static bool is_tabbed(const cursor *c)
{
    const char *const tab = find(c, '\t');
    return tab != NULL && memchr(c->at, ' ', (size_t)(tab - c->at)) == NULL;
}

access_fault access_parse(const char *line, size_t size, access_entry *entry)
{
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        size--;
    if (size == 0)
        return ACCESS_BLANK;
    if (size > ACCESS_LINE_MAX)
        return ACCESS_TOO_LONG;
    if (memchr(line, '\0', size) != NULL)
        return ACCESS_BINARY;
    cursor const c = {line, line + size};
    access_entry found = {0};
    access_fault const fault =
        is_tabbed(&c) ? parse_tabbed(c, &found) : parse_common(c, &found);
    if (fault == ACCESS_FINE)
        *entry = found;
    return fault;
}

const char *access_fault_text(access_fault fault)
{
    static const char *const texts[] = {
#define ACCESS_FAULT_ENTRY(name, text) text,
        ACCESS_FAULT_MAP(ACCESS_FAULT_ENTRY)
#undef ACCESS_FAULT_ENTRY
    };
    return (unsigned)fault < ACCESS_FAULTS ? texts[fault] : "unknown";
}

bool access_is_header(const char *line, size_t size)
{
    static const char header[] =
        "host\tlogname\ttime\tmethod\turl\tresponse\tbytes";
    return size >= sizeof header - 1 &&
           memcmp(line, header, sizeof header - 1) == 0;
}

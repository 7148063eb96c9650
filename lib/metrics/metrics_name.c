/* SPDX-License-Identifier: MIT */
/* metrics_name.c - grammars, UTF-8, and labels in their one written form.
 *
 * Everything is judged here, once, before anything is made: what is stored can
 * be written as it is. */
#include "metrics/metrics_name.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/utf8.h"

/* ---- names -------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static girt_status check_name(const char *name, bool colons, size_t *size)
{
    if (name == NULL)
        return GIRT_E_INVALID;
    size_t const length = strnlen(name, GIRT_METRICS_NAME_MAX + 1);
    for (size_t i = 0; i < length; i++) {
        bool const digit = i > 0 && name[i] >= '0' && name[i] <= '9';
        if (!is_letter(name[i]) && !digit && !(colons && name[i] == ':'))
            return GIRT_E_INVALID;
    }
    if (length == 0)
        return GIRT_E_INVALID;
    if (length > GIRT_METRICS_NAME_MAX)
        return GIRT_E_TOO_LARGE;
    *size = length;
    return GIRT_OK;
}

girt_status girt__metric_name_check(const char *name, size_t *size)
{
    return check_name(name, true, size);
}

girt_status girt__label_name_check(const char *name, size_t *size)
{
    size_t length;
    girt_status const status = check_name(name, false, &length);
    if (status != GIRT_OK)
        return status;
    /* "__" is Prometheus' own, __name__ among them; the other two are what
     * histograms and summaries write. */
    if (strncmp(name, "__", 2) == 0 || strcmp(name, "le") == 0 ||
        strcmp(name, "quantile") == 0)
        return GIRT_E_INVALID;
    *size = length;
    return GIRT_OK;
}

/* ---- texts -------------------------------------------------------------- */

static girt_status check_text(const char *text, size_t *size)
{
    if (text == NULL)
        return GIRT_E_INVALID;
    size_t const length = strnlen(text, GIRT_METRICS_TEXT_MAX + 1);
    if (length > GIRT_METRICS_TEXT_MAX)
        return GIRT_E_TOO_LARGE;
    if (!girt__utf8_is_valid(text, length))
        return GIRT_E_INVALID;
    *size = length;
    return GIRT_OK;
}

girt_status girt__help_check(const char *help, size_t *size)
{
    return check_text(help == NULL ? "" : help, size);
}

/* ---- names that collide ------------------------------------------------- */

static const char *const endings[][6] = {
    [GIRT__METRIC_COUNTER] = {"", "_total", "_created", NULL},
    [GIRT__METRIC_GAUGE] = {"", NULL},
    [GIRT__METRIC_HISTOGRAM] = {"", "_bucket", "_sum", "_count", "_created",
                                NULL},
};
enum { ENDING_MAX = 8 };

size_t girt__metric_base(girt__metric_kind kind, const char *name, size_t size)
{
    enum { TOTAL = sizeof "_total" - 1 };
    if (kind == GIRT__METRIC_COUNTER && size >= TOTAL &&
        memcmp(name + size - TOTAL, "_total", TOTAL) == 0)
        return size - TOTAL;
    return size;
}

bool girt__metrics_clash(girt__metric_kind a_kind, const char *a, size_t a_size,
                         girt__metric_kind b_kind, const char *b, size_t b_size)
{
    if (a_size > b_size)
        return girt__metrics_clash(b_kind, b, b_size, a_kind, a, a_size);
    size_t const more = b_size - a_size;
    if (more > ENDING_MAX || memcmp(a, b, a_size) != 0)
        return false;
    /* b is a and `more` bytes: an ending of a is those and an ending of b? */
    for (const char *const *x = endings[a_kind]; *x != NULL; x++) {
        if (strncmp(*x, b + a_size, more) != 0)
            continue;
        for (const char *const *y = endings[b_kind]; *y != NULL; y++) {
            if (strcmp(*x + more, *y) == 0)
                return true;
        }
    }
    return false;
}

/* ---- labels ------------------------------------------------------------- */

typedef struct pair {
    const char *name, *value;
    size_t name_size, value_size;
} pair;

/* Inserted where it belongs among those before it. */
static girt_status insert(pair sorted[], size_t count, pair added)
{
    size_t at = count;
    while (at > 0) {
        int const order = strcmp(sorted[at - 1].name, added.name);
        if (order == 0)
            return GIRT_E_INVALID;
        if (order < 0)
            break;
        sorted[at] = sorted[at - 1];
        at--;
    }
    sorted[at] = added;
    return GIRT_OK;
}

static girt_status read_pairs(const char *const labels[], pair sorted[],
                              size_t *count)
{
    *count = 0;
    for (size_t i = 0; labels != NULL && labels[i] != NULL; i += 2) {
        if (*count == GIRT_METRICS_LABELS_MAX)
            return GIRT_E_TOO_LARGE;
        pair added = {.name = labels[i], .value = labels[i + 1]};
        girt_status status =
            girt__label_name_check(added.name, &added.name_size);
        if (status == GIRT_OK)
            status = check_text(added.value, &added.value_size);
        if (status == GIRT_OK)
            status = insert(sorted, *count, added);
        if (status != GIRT_OK)
            return status;
        ++*count;
    }
    return GIRT_OK;
}

static char *append(char *to, const char *bytes, size_t size)
{
    memcpy(to, bytes, size);
    return to + size;
}

static char *append_escaped(char *to, const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (value[i]) {
        case '\\':
            to = append(to, "\\\\", 2);
            break;
        case '"':
            to = append(to, "\\\"", 2);
            break;
        case '\n':
            to = append(to, "\\n", 2);
            break;
        default:
            *to++ = value[i];
        }
    }
    return to;
}

girt_status girt__labels_init(girt__labels *labels, const char *const pairs[],
                              const girt_allocator *allocator)
{
    pair sorted[GIRT_METRICS_LABELS_MAX];
    size_t count;
    girt_status const status = read_pairs(pairs, sorted, &count);
    if (status != GIRT_OK)
        return status;
    /* Every byte may need another before it; 32 of 255 and 4096 bytes at most
     * are far from overflow. */
    size_t bound = 0;
    for (size_t i = 0; i < count; i++)
        bound += sorted[i].name_size + 2 * sorted[i].value_size + 4;
    labels->text = labels->buffer;
    labels->bytes = bound;
    if (bound > sizeof labels->buffer) {
        labels->text = girt__allocate(allocator, bound, 0);
        if (labels->text == NULL)
            return GIRT_E_NOMEM;
    }
    char *end = labels->text;
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            *end++ = ',';
        end = append(end, sorted[i].name, sorted[i].name_size);
        end = append(end, "=\"", 2);
        end = append_escaped(end, sorted[i].value, sorted[i].value_size);
        *end++ = '"';
    }
    labels->size = (size_t)(end - labels->text);
    return GIRT_OK;
}

void girt__labels_destroy(girt__labels *labels, const girt_allocator *allocator)
{
    if (labels->text != labels->buffer)
        girt__release(allocator, labels->text, labels->bytes);
}

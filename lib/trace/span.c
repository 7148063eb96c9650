/* SPDX-License-Identifier: MIT */
/* span.c - from start to end of a span.
 *
 * A span that is not recorded copies a context and reads no clock; the word
 * that tells it is span->tracer, NULL. */
#include <string.h>

#include "core/atomic.h"
#include "core/clock_internal.h"
#include "core/trace_current.h"
#include "trace/trace_ids.h"
#include "trace/trace_internal.h"

/* The record in a span: words of its own, so that the header shows none of it.
 */
static girt__span_record *record_of(girt_span *span)
{
    return (girt__span_record *)(void *)span->record;
}

/* A context as words: the ids are bytes in order, whatever the machine. */
typedef struct context_words {
    uint64_t trace[2];
    uint64_t span;
    uint64_t flags;
} context_words;
_Static_assert(sizeof(context_words) == sizeof(girt_trace_context),
               "a context is four words");

static inline context_words words_of(const girt_trace_context *context)
{
    const char *const from = (const char *)context;
    context_words words;
    memcpy(&words.trace[0], from, 8);
    memcpy(&words.trace[1], from + 8, 8);
    memcpy(&words.span, from + 16, 8);
    memcpy(&words.flags, from + 24, 8);
    return words;
}

static inline void put_words(girt_trace_context *context, context_words words)
{
    char *const to = (char *)context;
    memcpy(to, &words.trace[0], 8);
    memcpy(to + 8, &words.trace[1], 8);
    memcpy(to + 16, &words.span, 8);
    memcpy(to + 24, &words.flags, 8);
}

/* Ratios are taken of the low half, as other implementations do; its bytes
 * stand in network order. */
static bool is_sampled(const girt_tracer *tracer, uint64_t low_half)
{
    uint64_t const number = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                                ? __builtin_bswap64(low_half)
                                : low_half;
    return number >> 1 < tracer->threshold;
}

/* The flags stand in the first byte of their word. */
static inline uint64_t flags_word(bool sampled)
{
    uint64_t const flag = sampled ? GIRT_TRACE_SAMPLED : 0;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? flag : flag << 56;
}

/* Apart, so that a span without a record saves no registers for it. */
static __attribute__((noinline)) void begin_record(girt_span *span,
                                                   girt_tracer *tracer,
                                                   const char *name,
                                                   uint64_t parent)
{
    context_words const words = words_of(&span->context);
    girt__span_record *const record = record_of(span);
    record->trace[0] = words.trace[0];
    record->trace[1] = words.trace[1];
    record->id = words.span;
    record->parent = parent;
    record->name = name != NULL ? name : "";
    record->kind = GIRT_SPAN_INTERNAL;
    record->failed = false;
    record->sampled = words.flags == flags_word(true);
    record->attributes = 0;
    record->types = 0;
    record->text_used = 0;
    record->reserved = 0;
    record->start = girt__clock_now(&tracer->clock);
}

/* A thread's first one. */
static __attribute__((cold, noinline)) void start_seeded(
    girt_span *span, girt_tracer *tracer, const char *name,
    const girt_trace_context *parent)
{
    girt__trace_ids_seed();
    girt_span_start(span, tracer, name, parent);
}

/* All its calls are its last, so that little lives across one. */
void girt_span_start(girt_span *span, girt_tracer *tracer, const char *name,
                     const girt_trace_context *parent)
{
    if (span == NULL)
        return;
    if (tracer != NULL && !girt__trace_ids_are_seeded()) {
        start_seeded(span, tracer, name, parent);
        return;
    }
    /* Words, in registers: what is stored in smaller pieces than it is read
     * again costs more than all the rest (this file is compiled without
     * vectors for straight code: 16 -> 5 ns a span). */
    context_words const previous = words_of(&girt__trace_current);
    put_words(&span->previous, previous);
    context_words words = parent == NULL ? previous : words_of(parent);
    bool const has_parent =
        (words.trace[0] | words.trace[1]) != 0 && words.span != 0;
    uint64_t const parent_id = has_parent ? words.span : 0;
    bool sampled = (words.flags & flags_word(true)) != 0;
    if (girt_likely(!has_parent)) {
        if (tracer == NULL) {
            words = (context_words){{0, 0}, 0, 0};
        } else {
            girt__trace_pair const pair = girt__trace_pair_next();
            words.trace[0] = pair.word[0];
            words.trace[1] = pair.word[0] + pair.word[1];
            words.span = pair.word[1] != 0 ? pair.word[1] : 1;
            sampled = is_sampled(tracer, words.trace[1]);
            words.flags = flags_word(sampled);
        }
    }
    bool const records = tracer != NULL && (sampled || tracer->keep_errors);
    if (records && has_parent)
        words.span = girt__trace_id();
    put_words(&span->context, words);
    put_words(&girt__trace_current, words);
    span->tracer = records ? tracer : NULL;
    if (records)
        begin_record(span, tracer, name, parent_id);
}

void girt_span_set_kind(girt_span *span, girt_span_kind kind)
{
    if (span != NULL && span->tracer != NULL &&
        (unsigned)kind <= GIRT_SPAN_CONSUMER)
        record_of(span)->kind = (uint8_t)kind;
}

/* Where an attribute goes: a key that is there already is set anew, for a span
 * must not have one twice. false: nowhere. */
static bool find_place(const girt_span *span, const char *key, unsigned *at)
{
    if (span == NULL || span->tracer == NULL || key == NULL)
        return false;
    const girt__span_record *const record =
        (const girt__span_record *)(const void *)span->record;
    for (*at = 0; *at < record->attributes; (*at)++) {
        const char *const other = record->attribute[*at].key;
        if (other == key || strcmp(other, key) == 0)
            return true;
    }
    return *at < GIRT_SPAN_ATTRIBUTES_MAX;
}

static void put_attribute(girt__span_record *record, unsigned at,
                          const char *key, girt__attribute_type type,
                          uint64_t value)
{
    if (at == record->attributes)
        record->attributes++;
    record->attribute[at].key = key;
    record->attribute[at].value = value;
    unsigned const others = record->types & ~(3u << (2 * at));
    record->types = (uint8_t)(others | (unsigned)type << (2 * at));
}

void girt_span_set_int(girt_span *span, const char *key, int64_t value)
{
    unsigned at;
    if (find_place(span, key, &at))
        put_attribute(record_of(span), at, key, GIRT__ATTRIBUTE_INT,
                      (uint64_t)value);
}

void girt_span_set_double(girt_span *span, const char *key, double value)
{
    unsigned at;
    if (!find_place(span, key, &at))
        return;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_attribute(record_of(span), at, key, GIRT__ATTRIBUTE_DOUBLE, bits);
}

void girt_span_set_text(girt_span *span, const char *key, const char *text,
                        size_t size)
{
    unsigned at;
    if ((text == NULL && size != 0) || !find_place(span, key, &at))
        return;
    girt__span_record *const record = record_of(span);
    size_t const room = GIRT__SPAN_TEXT_BYTES - record->text_used;
    size_t used = size < room ? size : room;
    /* A cut between characters: 10xxxxxx goes on with one. */
    while (used < size && used > 0 &&
           ((unsigned char)text[used] & 0xc0) == 0x80)
        used--;
    if (used != 0)
        memcpy(record->text + record->text_used, text, used);
    put_attribute(record, at, key, GIRT__ATTRIBUTE_TEXT,
                  (uint64_t)record->text_used << 32 | used);
    record->text_used = (uint8_t)(record->text_used + used);
}

void girt_span_fail(girt_span *span)
{
    if (span != NULL && span->tracer != NULL)
        record_of(span)->failed = true;
}

void girt_span_end(girt_span *span)
{
    if (span == NULL)
        return;
    put_words(&girt__trace_current, words_of(&span->previous));
    girt_tracer *const tracer = span->tracer;
    if (tracer == NULL)
        return;
    span->tracer = NULL; /* once */
    girt__span_record *const record = record_of(span);
    record->end = girt__clock_now(&tracer->clock);
    if (record->end < record->start) /* a clock that went back */
        record->end = record->start;
    girt__span_ring *const ring = girt__tracer_ring(tracer);
    if (ring != NULL)
        girt__span_ring_push(ring, record);
    else
        (void)girt_add_relaxed(&tracer->homeless, 1);
}

bool girt_trace_current(girt_trace_context *context)
{
    if (context != NULL)
        *context = girt__trace_current;
    return girt__trace_context_is_set(&girt__trace_current);
}

bool girt_trace_received(girt_trace_context *context)
{
    if (context != NULL)
        *context = girt__trace_received;
    return girt__trace_context_is_set(&girt__trace_received);
}

void girt_trace_attach(const girt_trace_context *context,
                       girt_trace_context *previous)
{
    girt_trace_context const next =
        context != NULL ? *context : (girt_trace_context){{0}, {0}, 0, {0}};
    if (previous != NULL)
        *previous = girt__trace_current;
    girt__trace_current = next;
}

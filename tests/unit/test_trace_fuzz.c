/* SPDX-License-Identifier: MIT */
/* Goal: headers of strangers break nothing: what is refused changes nothing,
 * and what is taken is a state that reads back as itself.  Method: random texts
 * of the letters that the grammar turns on, and good headers with bytes
 * changed, cut and repeated; each in a block of its own size, for ASan. */
#include <girt/trace.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static const char letters[] = "abz019_-*/@==,,,,  \t\n\xff~Z;\"";

/* A text of its own block, so that a read behind it is seen. */
static char *make_text(rng *r, size_t *size)
{
    static const char *const starts[] = {
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1, b@c=2 ,, d=3",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    char text[1500];
    size_t n = 0;
    size_t const pieces = rng_next(r) % 40;
    for (size_t i = 0; i < pieces; i++) {
        uint64_t const what = rng_next(r) % 8;
        const char *const start = starts[rng_next(r) % 3];
        size_t const most = sizeof text - n;
        size_t length = what == 0 ? strlen(start) : 1 + rng_next(r) % 20;
        length = length < most ? length : most;
        for (size_t k = 0; k < length; k++)
            text[n + k] = what == 0
                              ? start[k]
                              : letters[rng_next(r) % (sizeof letters - 1)];
        if (what == 0 && length != 0 && rng_next(r) % 2 == 0)
            text[n + rng_next(r) % length] = (char)rng_next(r);
        n += length;
    }
    char *const block = malloc(n + (n == 0));
    assert_non_null(block);
    memcpy(block, text, n);
    *size = n;
    return block;
}

static size_t members_of(const girt_tracestate *state)
{
    size_t count = state->size != 0;
    for (size_t i = 0; i < state->size; i++)
        count += state->text[i] == ',';
    return count;
}

static void tracestates(void **state)
{
    (void)state;
    rng r = {test_seed()};
    size_t taken = 0, refused = 0;
    for (size_t i = 0; i < scaled(40000); i++) {
        girt_tracestate now = {0}, before, again = {0};
        for (int headers = 0; headers < 3; headers++) {
            size_t size;
            char *const text = make_text(&r, &size);
            before = now;
            girt_status const status = girt_tracestate_parse(&now, text, size);
            free(text);
            if (status != GIRT_OK) {
                check_status(status, GIRT_E_PROTOCOL);
                assert_memory_equal(&now, &before, sizeof now);
                refused++;
                continue;
            }
            taken++;
            assert_true(now.size <= GIRT_TRACESTATE_MAX);
            assert_int_equal(strlen(now.text), now.size);
            assert_true(members_of(&now) <= 32);
        }
        check_status(girt_tracestate_parse(&again, now.text, now.size),
                     GIRT_OK);
        assert_memory_equal(&again, &now, sizeof now);
        check_status(girt_tracestate_set(&now, "girt", "7"), GIRT_OK);
        assert_memory_equal(now.text, "girt=7", 6);
        assert_true(members_of(&now) <= 32);
    }
    printf("%zu taken, %zu refused\n", taken, refused);
    assert_true(taken > 50 && refused > 50);
}

static void traceparents(void **state)
{
    (void)state;
    rng r = {test_seed()};
    size_t taken = 0;
    for (size_t i = 0; i < scaled(200000); i++) {
        char text[] =
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x";
        size_t const size = rng_next(&r) % 4 == 0 ? rng_next(&r) % sizeof text
                                                  : GIRT_TRACEPARENT_SIZE;
        for (uint64_t changes = rng_next(&r) % 3; changes > 0; changes--)
            text[rng_next(&r) % GIRT_TRACEPARENT_SIZE] =
                rng_next(&r) % 2 == 0 ? "0123456789abcdef-"[rng_next(&r) % 17]
                                      : (char)rng_next(&r);
        char *const block = malloc(size + (size == 0));
        assert_non_null(block);
        memcpy(block, text, size);
        girt_trace_context const nobody = {{9}, {9}, 9, {9}};
        girt_trace_context context = nobody, again;
        girt_status const status =
            girt_traceparent_parse(block, size, &context);
        free(block);
        if (status != GIRT_OK) {
            check_status(status, GIRT_E_PROTOCOL);
            assert_memory_equal(&context, &nobody, sizeof context);
            continue;
        }
        taken++;
        char written[GIRT_TRACEPARENT_SIZE + 1];
        check_status(girt_traceparent_write(&context, written), GIRT_OK);
        check_status(
            girt_traceparent_parse(written, GIRT_TRACEPARENT_SIZE, &again),
            GIRT_OK);
        assert_memory_equal(&again, &context, sizeof context);
        assert_memory_equal(written + 3, text + 3, 49); /* both ids */
    }
    assert_true(taken > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tracestates),
        cmocka_unit_test(traceparents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

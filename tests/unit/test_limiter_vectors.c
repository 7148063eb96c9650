/* SPDX-License-Identifier: MIT */
/* Goal: girt_limiter answers as golang.org/x/time/rate and governor do.
 * Method: every row of their tables is played on a manual clock; the rows in
 * which the clock goes back are named here, with what girt answers instead. */
#include <girt/limiter.h>

#include <inttypes.h>

#include "support/check.h"
#include "support/shared.h"

#define STEP_NS   INT64_C(100000000) /* the tables' 100 ms */
#define MS_NS     INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)

enum { LABELS = 26 };

typedef struct play {
    int64_t now_ns;
    girt_rate rate;
    girt_limiter *limiter;
    char name[64];
    girt_reservation labelled[LABELS];
} play;

static void play_start(play *p, const char *name, uint64_t limit,
                       uint64_t burst)
{
    if (p->limiter != NULL && strcmp(p->name, name) == 0)
        return;
    girt_limiter_destroy(p->limiter);
    memset(p, 0, sizeof *p);
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    p->rate = (girt_rate){limit, SECOND_NS, burst};
    girt_limiter_options options = {.rate = p->rate};
    girt_clock_manual(&options.clock, &p->now_ns);
    check_status(girt_limiter_create(&p->limiter, &options), GIRT_OK);
}

static bool next_row(FILE *file, char *line, size_t size)
{
    while (fgets(line, (int)size, file) != NULL)
        if (line[0] != '#' && line[0] != '\n')
            return true;
    return false;
}

static void test_go_allow(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/go_rate_allow.tsv");
    if (file == NULL)
        skip_because("go_rate_allow.tsv is not here");
    /* jump_backwards starts at 100 ms and then asks at 0.  golang hands out
     * the rest of the burst there; girt knows that the bucket was counted from
     * 100 ms, 100 ms of rate less is there at 0: one token, not two.  The
     * second refusal leaves one more for 100 ms and 200 ms. */
    static const char back[] = {1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0};
    size_t back_row = 0, rows = 0;
    play p = {0};
    char line[256];
    while (next_row(file, line, sizeof line)) {
        char name[32];
        uint64_t limit, burst, before, tokens;
        int64_t at;
        int allowed;
        assert_int_equal(sscanf(line,
                                "%31s %" SCNu64 " %" SCNu64 " %" SCNd64
                                " %" SCNu64 " %" SCNu64 " %d",
                                name, &limit, &burst, &at, &before, &tokens,
                                &allowed),
                         7);
        play_start(&p, name, limit, burst);
        p.now_ns = at * STEP_NS;
        girt_decision d;
        (void)girt_limiter_peek(p.limiter, 1, &d);
        if (strcmp(name, "jump_backwards") == 0)
            allowed = back[back_row++];
        else
            assert_int_equal(d.remaining, before);
        girt_status const want = allowed          ? GIRT_OK
                                 : tokens > burst ? GIRT_NEVER
                                                  : GIRT_LIMITED;
        check_status(girt_limiter_take_at(p.limiter, tokens, p.now_ns, NULL),
                     want);
        rows++;
    }
    assert_int_equal(back_row, sizeof back);
    assert_true(rows > 20);
    girt_limiter_destroy(p.limiter);
    (void)fclose(file);
}

/* The rows in which the clock goes back, and what girt answers: steps to act
 * at, or -1 when refused.  The tables' counterparts hand out tokens twice. */
typedef struct exception {
    const char *name;
    int row; /* within the case, from 0 */
    int act;
} exception;

static const exception exceptions[] = {
    /* One more at 0 after two at 1: 2 at 1 emptied the bucket, the next
     * token is there at 2. */
    {"ReserveJumpBack", 1, 2},
    {"ReserveJumpBack", 2, 4}, /* two more on top of it */
    {"ReserveJumpBack", 4, 5},
    {"ReserveJumpBack", 6, 6},
    /* Cancelling at 0 what was reserved at 1 gives one token back; golang's
     * clock then runs from 0 to 1 a second time and brings another. */
    {"ReserveJumpBackCancel", 4, 5},
    /* The burst becomes 4 at 3 with a debt of half a token; four more are
     * there when 4.5 have come, at 12; golang counts the 9 steps from 0. */
    {"ReserveSetBurst", 3, 12},
};

static int expected_act(const char *name, int row, int act)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (strcmp(exceptions[i].name, name) == 0 && exceptions[i].row == row)
            return exceptions[i].act;
    return act;
}

static void reserve_row(play *p, int row, uint64_t tokens, int64_t max_wait_ns,
                        char label, const char *act, int ok)
{
    girt_reservation r = {0};
    girt_status const status =
        girt_limiter_reserve(p->limiter, tokens, max_wait_ns, &r);
    int const want =
        expected_act(p->name, row, ok && act[0] != '-' ? atoi(act) : -1);
    if (status != GIRT_OK)
        assert_true(!ok && r.tokens == 0);
    else
        assert_int_equal(r.act_at_ns, want * STEP_NS);
    if (label != '-')
        p->labelled[label - 'a'] = r;
}

static void play_row(play *p, const char *op, int row, const char *n,
                     const char *arg, char label, const char *act,
                     const char *ok)
{
    uint64_t const tokens = strtoull(n, NULL, 10);
    if (strcmp(op, "R") == 0) {
        reserve_row(p, row, tokens, GIRT_FOREVER, label, act, ok[0] == '1');
    } else if (strcmp(op, "Rmax") == 0) {
        reserve_row(p, row, tokens, atoi(arg) * STEP_NS, label, act,
                    ok[0] == '1');
    } else if (strcmp(op, "X") == 0) {
        girt_limiter_cancel(p->limiter, &p->labelled[arg[0] - 'a']);
    } else if (strcmp(op, "A") == 0) {
        check_status(girt_limiter_take(p->limiter, tokens, NULL),
                     ok[0] == '1' ? GIRT_OK : GIRT_LIMITED);
    } else {
        if (strcmp(op, "SL") == 0)
            p->rate.limit = strtoull(arg, NULL, 10);
        else if (strcmp(op, "SB") == 0)
            p->rate.burst = strtoull(arg, NULL, 10);
        else
            fail_msg("unknown operation %s", op);
        check_status(girt_limiter_set_rate(p->limiter, p->rate), GIRT_OK);
    }
}

static void test_go_reserve(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/go_rate_reserve.tsv");
    if (file == NULL)
        skip_because("go_rate_reserve.tsv is not here");
    play p = {0};
    char line[256];
    int row = 0, rows = 0;
    while (next_row(file, line, sizeof line)) {
        char name[64], op[8], n[8], arg[8], label[8], act[8], ok[8];
        uint64_t limit, burst;
        int64_t at;
        assert_int_equal(sscanf(line,
                                "%63s %" SCNu64 " %" SCNu64 " %7s %" SCNd64
                                " %7s %7s %7s %7s %7s",
                                name, &limit, &burst, op, &at, n, arg, label,
                                act, ok),
                         10);
        row = strcmp(p.name, name) == 0 ? row + 1 : 0;
        play_start(&p, name, limit, burst);
        p.now_ns = at * STEP_NS;
        play_row(&p, op, row, n, arg, label[0], act, ok);
        rows++;
    }
    assert_true(rows > 60);
    girt_limiter_destroy(p.limiter);
    (void)fclose(file);
}

static void test_governor(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/governor_direct.tsv");
    if (file == NULL)
        skip_because("governor_direct.tsv is not here");
    play p = {0};
    char line[256];
    int rows = 0;
    while (next_row(file, line, sizeof line)) {
        char name[64], result[32];
        uint64_t quota, tokens;
        int64_t at_ms;
        assert_int_equal(sscanf(line,
                                "%63s %" SCNu64 " %" SCNd64 " %" SCNu64 " %31s",
                                name, &quota, &at_ms, &tokens, result),
                         5);
        play_start(&p, name, quota, quota);
        girt_status const want = result[0] == 'o'   ? GIRT_OK
                                 : result[0] == 'd' ? GIRT_LIMITED
                                                    : GIRT_NEVER;
        check_status(
            girt_limiter_take_at(p.limiter, tokens, at_ms * MS_NS, NULL), want);
        rows++;
    }
    assert_true(rows > 25);
    girt_limiter_destroy(p.limiter);
    (void)fclose(file);
}

/* go_rate_special.tsv is prose; each row has its own check. */
static void special(play *p, uint64_t limit, int64_t period_ns, uint64_t burst)
{
    memset(p, 0, sizeof *p);
    p->rate = (girt_rate){limit, period_ns, burst};
    girt_limiter_options options = {.rate = p->rate};
    girt_clock_manual(&options.clock, &p->now_ns);
    check_status(girt_limiter_create(&p->limiter, &options), GIRT_OK);
}

static void test_go_special_limits(void **state)
{
    (void)state;
    play p;
    special(&p, 0, SECOND_NS, 1); /* zero_limit, zero_then_10 */
    check_status(girt_limiter_take(p.limiter, 1, NULL), GIRT_OK);
    girt_decision d;
    check_status(girt_limiter_take(p.limiter, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, INT64_MAX);
    check_status(girt_limiter_wait(p.limiter, 1, GIRT_FOREVER), GIRT_TIMEOUT);
    check_status(
        girt_limiter_set_rate(p.limiter, (girt_rate){10, SECOND_NS, 1}),
        GIRT_OK);
    check_status(girt_limiter_peek(p.limiter, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, 100 * MS_NS); /* what wait waits */
    check_status(girt_limiter_wait(p.limiter, 1, 100 * MS_NS - 1),
                 GIRT_TIMEOUT);
    girt_limiter_destroy(p.limiter);

    special(&p, 1, 1000000000 * SECOND_NS, 1); /* 1e-9 per s */
    check_status(girt_limiter_take(p.limiter, 1, NULL), GIRT_OK);
    check_status(girt_limiter_take(p.limiter, 1, NULL), GIRT_LIMITED);
    girt_limiter_destroy(p.limiter);
    /* tiny_limit is 1e-10/s: a period of 317 years, more than an int64_t. The
     * longest period stands for it. */
    special(&p, 1, INT64_MAX, 1);
    check_status(girt_limiter_take(p.limiter, 1, NULL), GIRT_OK);
    check_status(girt_limiter_take(p.limiter, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, INT64_MAX);
    girt_limiter_destroy(p.limiter);

    special(&p, 10, 13 * SECOND_NS, 1); /* no_truncation: 10 per 13 s */
    check_status(girt_limiter_take(p.limiter, 1, NULL), GIRT_OK);
    girt_limiter_destroy(p.limiter);

    /* inf: there is no infinite rate, and burst 0 is refused; who wants no
     * limit asks no limiter. The highest rate lets 3 through at once. */
    special(&p, GIRT_RATE_LIMIT_MAX, INT64_C(1) << 36, 3);
    check_status(girt_limiter_wait(p.limiter, 3, GIRT_NOW), GIRT_OK);
    p.now_ns++;
    check_status(girt_limiter_wait(p.limiter, 3, GIRT_NOW), GIRT_OK);
    girt_limiter_destroy(p.limiter);
}

static void test_go_special_runs(void **state)
{
    (void)state;
    play p;
    special(&p, 100, SECOND_NS, 100); /* long_run */
    int admitted = 0;
    for (int64_t at = 0; at < 5 * SECOND_NS; at += 2 * MS_NS)
        admitted += girt_limiter_take_at(p.limiter, 1, at, NULL) == GIRT_OK;
    /* At 4.998 s 599.8 have come; golang's 0.999 * 600 is cut to 599. */
    assert_int_equal(admitted, 599);
    check_status(girt_limiter_take_at(p.limiter, 1, 5 * SECOND_NS, NULL),
                 GIRT_OK);
    girt_limiter_destroy(p.limiter);

    special(&p, 10, SECOND_NS, 3); /* wait_simple, wait_deadline_100ms */
    check_status(girt_limiter_wait(p.limiter, 4, GIRT_FOREVER), GIRT_NEVER);
    check_status(girt_limiter_wait(p.limiter, 2, GIRT_NOW), GIRT_OK);
    girt_decision d;
    check_status(girt_limiter_peek(p.limiter, 3, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, 200 * MS_NS);
    check_status(girt_limiter_wait(p.limiter, 3, 100 * MS_NS), GIRT_TIMEOUT);
    check_status(girt_limiter_peek(p.limiter, 1, &d), GIRT_OK);
    assert_int_equal(d.remaining, 1); /* nothing was consumed */
    girt_limiter_destroy(p.limiter);

    /* wait_cancel: a wait that can be called off is a reservation. */
    special(&p, 10, SECOND_NS, 3);
    check_status(girt_limiter_wait(p.limiter, 2, GIRT_NOW), GIRT_OK);
    girt_reservation r;
    check_status(girt_limiter_reserve(p.limiter, 3, GIRT_FOREVER, &r), GIRT_OK);
    p.now_ns = 100 * MS_NS;
    girt_limiter_cancel(p.limiter, &r);
    check_status(girt_limiter_wait(p.limiter, 2, GIRT_NOW), GIRT_OK);
    girt_limiter_destroy(p.limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_go_allow),
        cmocka_unit_test(test_go_reserve),
        cmocka_unit_test(test_governor),
        cmocka_unit_test(test_go_special_limits),
        cmocka_unit_test(test_go_special_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

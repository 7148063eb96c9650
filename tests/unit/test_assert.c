/* SPDX-License-Identifier: MIT */
/* Goal: a failed assertion aborts, and one that is off is not even evaluated.
 * Method: children that fail each level, looked at by how they ended. */
#include "core/assert.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static int ending_signal(void (*body)(void))
{
    pid_t const child = fork();
    if (child == 0) {
        struct rlimit const no_core = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        body();
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static bool yes = true, no;

static void check_what_holds(void)
{
    girt__check(yes);
    girt_require(yes);
    girt_assert(yes);
    girt_audit(yes);
}

static void fail_check(void)
{
    girt__check(no);
}

static void fail_require(void)
{
    girt_require(no);
}

static void fail_assert(void)
{
    girt_assert(no);
}

static void fail_audit(void)
{
    girt_audit(no);
}

static void failures_abort(void **state)
{
    (void)state;
    assert_int_equal(ending_signal(check_what_holds), 0);
    assert_int_equal(ending_signal(fail_check), SIGABRT);
    assert_int_equal(ending_signal(fail_require), SIGABRT);
}

static void levels_are_on_by_build(void **state)
{
    (void)state;
#if defined(GIRT_DEBUG) || defined(GIRT_AUDIT)
    assert_int_equal(ending_signal(fail_assert), SIGABRT);
#else
    assert_int_equal(ending_signal(fail_assert), 0);
#endif
#ifdef GIRT_AUDIT
    assert_int_equal(ending_signal(fail_audit), SIGABRT);
#else
    assert_int_equal(ending_signal(fail_audit), 0);
#endif
}

static int evaluations;

static bool evaluate(void)
{
    evaluations++;
    return false;
}

static void what_is_off_is_not_evaluated(void **state)
{
    (void)state;
    girt__unchecked(evaluate());
    assert_int_equal(evaluations, 0);
    assert_false(evaluate());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_abort),
        cmocka_unit_test(levels_are_on_by_build),
        cmocka_unit_test(what_is_off_is_not_evaluated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

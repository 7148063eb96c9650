/* SPDX-License-Identifier: MIT */
#include "support/kill_steps.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static void stop_here(void)
{
    /* Not raise(), which would end in more of libc's instructions. */
    (void)kill(getpid(), SIGSTOP);
}

static bool wait_stopped(pid_t child, int *signal)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status))
        return false;
    *signal = WSTOPSIG(status);
    return true;
}

kill_outcome kill_after(size_t k, void (*prepare)(void *context),
                        void (*act)(void *context), void *context)
{
    fflush(NULL);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        if (prepare != NULL)
            prepare(context);
        stop_here();
        act(context);
        stop_here();
        _exit(0);
    }
    int signal;
    if (!wait_stopped(child, &signal))
        return CANNOT_TRACE;
    assert_int_equal(signal, SIGSTOP);
    kill_outcome outcome = KILLED;
    for (size_t i = 0; i < k && outcome == KILLED; i++) {
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 ||
            !wait_stopped(child, &signal))
            outcome = CANNOT_TRACE;
        else if (signal == SIGSTOP)
            outcome = ACT_RETURNED;
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    return outcome;
}

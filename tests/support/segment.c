/* SPDX-License-Identifier: MIT */
#include "support/segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

const char *segment_name(char *buffer, size_t size)
{
    static unsigned count;
    (void)snprintf(buffer, size, "girt-test-%d-%u", (int)getpid(), count++);
    return buffer;
}

pid_t child_start(int (*body)(void *context), void *context)
{
    fflush(NULL);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(body(context));
    return child;
}

int child_wait(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

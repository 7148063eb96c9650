/* SPDX-License-Identifier: MIT */
/* gnuplot.c - a child process that draws.
 *
 * No shell sees anything: gnuplot is started directly, reads its commands from
 * a pipe, and draws into memory.  This program writes the file, since gnuplot
 * does not say when it could not.  A file's name appears in no command. */
#include "gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool in_path(const char *program)
{
    const char *at = getenv("PATH");
    while (at != NULL) {
        char file[4096];
        size_t const size = strcspn(at, ":");
        if (snprintf(file, sizeof file, "%.*s/%s", (int)size, at, program) <
                (int)sizeof file &&
            access(file, X_OK) == 0)
            return true;
        at = at[size] == ':' ? at + size + 1 : NULL;
    }
    return false;
}

int gnuplot_open(const char *program, const char *path)
{
    if (!in_path("gnuplot")) {
        fprintf(stderr,
                "%s: --svg needs gnuplot, which is not installed (Debian: "
                "apt-get install gnuplot-nox)\n",
                program);
        return -1;
    }
    int const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
    return fd;
}

FILE *gnuplot_start(gnuplot *g, int fd)
{
    *g = (gnuplot){.fd = fd, .drawing = memfd_create("plot", MFD_CLOEXEC)};
    /* A gnuplot that dies must end in a message, not in a signal. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, &g->before);
    int ends[2];
    if (g->drawing < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, g->drawing, STDOUT_FILENO);
    /* -d: no settings of the user's; -: commands from standard input. */
    char name[] = "gnuplot";
    char defaults[] = "-d";
    char from_stdin[] = "-";
    char *arguments[] = {name, defaults, from_stdin, NULL};
    int const error =
        posix_spawnp(&g->child, name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    g->commands = error == 0 ? fdopen(ends[1], "w") : NULL;
    if (g->commands == NULL)
        close(ends[1]);
    return g->commands;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t const written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static bool copy(int from, int to)
{
    char bytes[65536];
    off_t at = 0;
    ssize_t got;
    while ((got = pread(from, bytes, sizeof bytes, at)) > 0) {
        if (!write_all(to, bytes, (size_t)got))
            return false;
        at += got;
    }
    return got == 0 && at > 0;
}

bool gnuplot_finish(gnuplot *g)
{
    bool drawn = false;
    if (g->commands != NULL) {
        bool const written = fclose(g->commands) == 0;
        int status;
        while (waitpid(g->child, &status, 0) < 0 && errno == EINTR)
            ;
        drawn = written && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
                copy(g->drawing, g->fd);
    }
    sigaction(SIGPIPE, &g->before, NULL);
    if (g->drawing >= 0)
        (void)close(g->drawing);
    return close(g->fd) == 0 && drawn;
}

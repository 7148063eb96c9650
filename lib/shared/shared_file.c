/* SPDX-License-Identifier: MIT */
/* shared_file.c - the memory under a segment: a file of /dev/shm, or one that
 * has no name at all.
 *
 * A named file is made without a name (O_TMPFILE), filled, and then linked to
 * its name in one step that fails where the name is taken.  Nobody meets half a
 * segment, and one whose maker was killed was never there.
 *
 * The pages of a named file are claimed at once: /dev/shm has a limit of its
 * own, and a page that is not to be had later is a SIGBUS.  An unnamed one is
 * the kernel's memory like any other; it is sealed, so that nobody can cut it
 * short under the others' mappings. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/alloc_internal.h"
#include "shared/shared_internal.h"

#define DIRECTORY "/dev/shm/"
enum { PATH_BYTES = sizeof DIRECTORY + GIRT__SHARED_NAME_MAX };

size_t girt__shared_file_name_size(const char *name)
{
    if (name == NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    size_t const size = strnlen(name, GIRT__SHARED_NAME_MAX + 1);
    return size > GIRT__SHARED_NAME_MAX || memchr(name, '/', size) != NULL
               ? 0
               : size;
}

static void path_of(const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s%s", DIRECTORY, name);
}

static girt_status refused(int error)
{
    switch (error) {
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
        return GIRT_E_NOMEM;
    case EFBIG:
    case EOVERFLOW:
        return GIRT_E_TOO_LARGE;
    case EEXIST:
        return GIRT_EXISTS;
    case ENOENT:
        return GIRT_MISSING;
    case ELOOP:  /* a symlink */
    case EACCES: /* another user's */
    case EPERM:
    case EISDIR:
    case ENXIO:
    case ENAMETOOLONG:
        return GIRT_E_INVALID;
    default:
        return GIRT_E_SYSTEM;
    }
}

static girt_status reserve(int file, size_t bytes)
{
    struct statvfs space;
    if (fstatvfs(file, &space) != 0)
        return GIRT_E_SYSTEM;
    /* 0 blocks: a file system without a limit. */
    if (space.f_blocks != 0 && space.f_frsize != 0) {
        size_t const blocks = bytes / space.f_frsize;
        if (blocks > space.f_blocks)
            return GIRT_E_TOO_LARGE;
        if (blocks > space.f_bavail)
            return GIRT_E_NOMEM;
    }
    int error;
    do
        error = posix_fallocate(file, 0, (off_t)bytes);
    while (error == EINTR); /* a signal each */
    return error == 0 ? GIRT_OK : refused(error);
}

static girt_status make_named(size_t bytes, unsigned mode, int *out)
{
    int const file = open(DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR);
    if (file < 0) /* no such place, or not for us */
        return errno == ENOMEM || errno == ENOSPC ? GIRT_E_NOMEM
                                                  : GIRT_E_SYSTEM;
    girt_status status = reserve(file, bytes);
    if (status == GIRT_OK && fchmod(file, (mode_t)mode) != 0)
        status = GIRT_E_SYSTEM;
    if (status != GIRT_OK) {
        (void)close(file);
        return status;
    }
    *out = file;
    return GIRT_OK;
}

static girt_status make_unnamed(size_t bytes, int *out)
{
    int const file = memfd_create("girt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return refused(errno);
    if (ftruncate(file, (off_t)bytes) != 0 ||
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
            0) {
        girt_status const status = refused(errno);
        (void)close(file);
        return status;
    }
    *out = file;
    return GIRT_OK;
}

girt_status girt__shared_file_make(const char *name, size_t bytes,
                                   unsigned mode, int *file)
{
    if (bytes > INT64_MAX || !girt__machine_holds(bytes, 1))
        return GIRT_E_TOO_LARGE;
    return name == NULL ? make_unnamed(bytes, file)
                        : make_named(bytes, mode, file);
}

girt_status girt__shared_file_publish(const char *name, int file)
{
    char source[64], path[PATH_BYTES];
    (void)snprintf(source, sizeof source, "/proc/self/fd/%d", file);
    path_of(name, path);
    if (linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
        return errno == ENOENT ? GIRT_E_SYSTEM : refused(errno);
    return GIRT_OK;
}

girt_status girt__shared_file_open(const char *name, int *out, size_t *bytes)
{
    char path[PATH_BYTES];
    path_of(name, path);
    int const file =
        open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return refused(errno);
    struct stat found;
    girt_status status = GIRT_OK;
    if (fstat(file, &found) != 0)
        status = GIRT_E_SYSTEM;
    else if (!S_ISREG(found.st_mode) ||
             (found.st_uid != geteuid() && found.st_uid != 0))
        status = GIRT_E_INVALID;
    else if (found.st_size < (off_t)sizeof(girt__shared_header))
        status = GIRT_E_CORRUPT;
    if (status != GIRT_OK) {
        (void)close(file);
        return status;
    }
    *bytes = (size_t)found.st_size;
    *out = file;
    return GIRT_OK;
}

girt_status girt_shared_unlink(const char *name)
{
    if (girt__shared_file_name_size(name) == 0)
        return GIRT_E_INVALID;
    char path[PATH_BYTES];
    path_of(name, path);
    return unlink(path) == 0 ? GIRT_OK : refused(errno);
}

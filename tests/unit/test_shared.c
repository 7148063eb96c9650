/* SPDX-License-Identifier: MIT */
/* Goal: segments are made, opened, closed and unlinked as shared.h says, and
 * what is not a segment of ours is refused with the status it says.
 * Method: each argument out of range, files of /dev/shm that are no segments or
 * are damaged, and children that share one. */
#include <girt/hash.h>
#include <girt/shared.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/atomic.h"
#include "shared/shared_internal.h"
#include "support/check.h"
#include "support/segment.h"

static char name[64];

static void path_of(char path[128])
{
    (void)snprintf(path, 128, "/dev/shm/%s", name);
}

static void test_named(void **state)
{
    (void)state;
    girt_shared *made, *opened;
    segment_name(name, sizeof name);
    check_status(girt_shared_open(&opened, name), GIRT_MISSING);
    check_status(girt_shared_unlink(name), GIRT_MISSING);
    check_status(girt_shared_create(&made, name, 1, 0), GIRT_OK);
    girt_shared *unset = (girt_shared *)(void *)&made;
    check_status(girt_shared_create(&unset, name, 1, 0), GIRT_EXISTS);
    assert_ptr_equal(unset, &made);
    check_status(girt_shared_open(&opened, name), GIRT_OK);
    assert_int_equal(opened->bytes, made->bytes);
    assert_int_equal(made->bytes, made->parts_at + made->page);
    char path[128];
    path_of(path);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    /* Without its name it stays what it is. */
    check_status(girt_shared_unlink(name), GIRT_OK);
    check_status(girt_shared_open(&unset, name), GIRT_MISSING);
    girt_store_relaxed(&made->header->parts[0].offset, UINT64_C(77));
    assert_int_equal(girt_load_relaxed(&opened->header->parts[0].offset), 77);
    girt_shared_close(made);
    girt_shared_close(opened);
    girt_shared_close(NULL);
}

static void test_mode(void **state)
{
    (void)state;
    girt_shared *made;
    mode_t const before = umask(0777);
    check_status(
        girt_shared_create(&made, segment_name(name, sizeof name), 5, 0640),
        GIRT_OK);
    (void)umask(before);
    char path[128];
    path_of(path);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0640);
    girt_shared_close(made);
    check_status(girt_shared_unlink(name), GIRT_OK);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    girt_shared *const untouched = (girt_shared *)(void *)name;
    girt_shared *out = untouched;
    char longest[257];
    memset(longest, 'n', 256);
    longest[256] = '\0';
    static const char *const bad[] = {"", "/a", "a/b", "a/", ".", ".."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_status(girt_shared_create(&out, bad[i], 4096, 0), GIRT_E_INVALID);
        check_status(girt_shared_open(&out, bad[i]), GIRT_E_INVALID);
        check_status(girt_shared_unlink(bad[i]), GIRT_E_INVALID);
    }
    check_status(girt_shared_create(&out, longest, 4096, 0), GIRT_E_INVALID);
    check_status(girt_shared_open(&out, longest), GIRT_E_INVALID);
    check_status(girt_shared_unlink(longest), GIRT_E_INVALID);
    check_status(girt_shared_open(&out, NULL), GIRT_E_INVALID);
    check_status(girt_shared_unlink(NULL), GIRT_E_INVALID);
    check_status(girt_shared_create(NULL, NULL, 4096, 0), GIRT_E_INVALID);
    check_status(girt_shared_open(NULL, "a"), GIRT_E_INVALID);
    static const unsigned modes[] = {0700, 01600, 0400, 066, 010600, ~0u};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        check_status(girt_shared_create(&out, NULL, 4096, modes[i]),
                     GIRT_E_INVALID);
    segment_name(name, sizeof name);
    check_status(girt_shared_create(&out, name, 0, 0), GIRT_E_INVALID);
    check_status(girt_shared_create(&out, NULL, 0, 0), GIRT_E_INVALID);
    static const size_t sizes[] = {SIZE_MAX,          SIZE_MAX - 4096,
                                   SIZE_MAX - 100000, (size_t)1 << 63,
                                   (size_t)INT64_MAX, (size_t)1 << 60};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_status(girt_shared_create(&out, name, sizes[i], 0),
                     GIRT_E_TOO_LARGE);
        check_status(girt_shared_create(&out, NULL, sizes[i], 0),
                     GIRT_E_TOO_LARGE);
    }
    assert_ptr_equal(out, untouched);
    check_status(girt_shared_open(&out, name), GIRT_MISSING);
    /* The longest name that may be. */
    longest[255] = '\0';
    check_status(girt_shared_create(&out, longest, 4096, 0), GIRT_OK);
    girt_shared_close(out);
    check_status(girt_shared_unlink(longest), GIRT_OK);
}

/* A file of that name with these bytes at these places. */
static void make_file(const void *bytes, size_t size, off_t at, off_t length)
{
    char path[128];
    path_of(path);
    int const file = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(file >= 0);
    if (size != 0)
        assert_int_equal(pwrite(file, bytes, size, at), (ssize_t)size);
    if (length >= 0)
        assert_int_equal(ftruncate(file, length), 0);
    (void)close(file);
}

static void expect(girt_status expected)
{
    girt_shared *out = NULL;
    check_status(girt_shared_open(&out, name), expected);
    assert_null(out);
}

static void test_foreign(void **state)
{
    (void)state;
    char path[128];
    segment_name(name, sizeof name);
    path_of(path);
    make_file(NULL, 0, 0, 0);
    expect(GIRT_E_CORRUPT);
    make_file("girtshm", 8, 0, 8);
    expect(GIRT_E_CORRUPT);
    make_file("\0\0\0\0\0\0\0", 8, 0, 1 << 20); /* zeros */
    expect(GIRT_E_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect(GIRT_E_INVALID);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(GIRT_E_INVALID); /* and nobody waits for the other end */
    assert_int_equal(unlink(path), 0);
    /* A symlink to a good segment is a symlink. */
    girt_shared *made;
    check_status(girt_shared_create(&made, name, 4096, 0), GIRT_OK);
    char link[160];
    (void)snprintf(link, sizeof link, "%s-link", path);
    assert_int_equal(symlink(path, link), 0);
    girt_shared *out = NULL;
    check_status(girt_shared_open(&out, strrchr(link, '/') + 1),
                 GIRT_E_INVALID);
    check_status(girt_shared_create(&out, strrchr(link, '/') + 1, 4096, 0),
                 GIRT_EXISTS);
    assert_null(out);
    assert_int_equal(unlink(link), 0);
    girt_shared_close(made);
    check_status(girt_shared_unlink(name), GIRT_OK);
}

/* A segment whose facts were changed, with a check that fits or not. */
static void expect_facts(void (*change)(girt__shared_facts *facts), bool seal,
                         girt_status expected)
{
    girt_shared *made;
    check_status(
        girt_shared_create(&made, segment_name(name, sizeof name), 4096, 0),
        GIRT_OK);
    girt__shared_facts *const facts = &made->header->facts;
    change(facts);
    if (seal) { /* the hash, as whoever wrote it would have made it */
        facts->check = girt_hash(facts, offsetof(girt__shared_facts, check),
                                 UINT64_C(0x6769727420736567));
    }
    expect(expected);
    girt_shared_close(made);
    check_status(girt_shared_unlink(name), GIRT_OK);
}

static void no_change(girt__shared_facts *f)
{
    (void)f;
}
static void other_version(girt__shared_facts *f)
{
    f->version++;
}
static void older_version(girt__shared_facts *f)
{
    f->version--;
}
static void other_layout(girt__shared_facts *f)
{
    f->layout++;
}
static void other_boot(girt__shared_facts *f)
{
    f->boot[3] ^= 1;
}
static void other_spaces(girt__shared_facts *f)
{
    f->spaces += 2;
}
static void larger(girt__shared_facts *f)
{
    f->bytes += 4096;
}
static void odd_page(girt__shared_facts *f)
{
    f->page = 0;
}
static void parts_early(girt__shared_facts *f)
{
    f->parts_at = 0;
}
static void parts_late(girt__shared_facts *f)
{
    f->parts_at = UINT64_MAX & ~UINT64_C(4095);
}
static void other_creator(girt__shared_facts *f)
{
    f->creator += 1;
}

static void test_facts(void **state)
{
    (void)state;
    expect_facts(other_version, true, GIRT_E_INVALID);
    expect_facts(older_version, true, GIRT_E_INVALID);
    expect_facts(other_layout, true, GIRT_E_INVALID);
    expect_facts(other_boot, true, GIRT_E_INVALID);
    expect_facts(other_spaces, true, GIRT_E_INVALID);
    expect_facts(larger, true, GIRT_E_CORRUPT);
    expect_facts(odd_page, true, GIRT_E_CORRUPT);
    expect_facts(parts_early, true, GIRT_E_CORRUPT);
    expect_facts(parts_late, true, GIRT_E_CORRUPT);
    expect_facts(other_layout, false, GIRT_E_CORRUPT);
    expect_facts(other_creator, false, GIRT_E_CORRUPT);
    /* The seal above is the right one. */
    girt_shared *made, *out;
    check_status(
        girt_shared_create(&made, segment_name(name, sizeof name), 4096, 0),
        GIRT_OK);
    no_change(&made->header->facts);
    check_status(girt_shared_open(&out, name), GIRT_OK);
    girt_shared_close(out);
    girt_shared_close(made);
    check_status(girt_shared_unlink(name), GIRT_OK);
}

static void test_truncated(void **state)
{
    (void)state;
    girt_shared *made;
    check_status(
        girt_shared_create(&made, segment_name(name, sizeof name), 8192, 0),
        GIRT_OK);
    char path[128];
    path_of(path);
    static const long lengths[] = {40959, 36864, 4096, 100, 80, 1, 0};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_int_equal(truncate(path, lengths[i]), 0);
        expect(GIRT_E_CORRUPT);
    }
    girt_shared_close(made);
    check_status(girt_shared_unlink(name), GIRT_OK);
}

static void test_other_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("only root can give a file away");
    girt_shared *made;
    check_status(
        girt_shared_create(&made, segment_name(name, sizeof name), 8192, 0666),
        GIRT_OK);
    char path[128];
    path_of(path);
    assert_int_equal(chown(path, 12345, 12345), 0);
    expect(GIRT_E_INVALID);
    girt_shared_close(made);
    check_status(girt_shared_unlink(name), GIRT_OK);
}

static int drop_and_open(void *context)
{
    (void)context;
    if (setegid(12345) != 0 || seteuid(12345) != 0)
        return 1;
    girt_shared *out = NULL;
    girt_status const status = girt_shared_open(&out, name);
    return status == GIRT_OK ? 0 : status == GIRT_E_INVALID ? 2 : 3;
}

/* A worker that gave its rights up uses what root made, if root let it. */
static void test_of_root(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("only root can become another");
    for (unsigned open_to_all = 0; open_to_all <= 1; open_to_all++) {
        girt_shared *made;
        check_status(girt_shared_create(&made, segment_name(name, sizeof name),
                                        8192, open_to_all ? 0666 : 0),
                     GIRT_OK);
        assert_int_equal(child_wait(child_start(drop_and_open, NULL)),
                         open_to_all ? 0 : 2);
        girt_shared_close(made);
        check_status(girt_shared_unlink(name), GIRT_OK);
    }
}

static int write_in_child(void *context)
{
    girt_shared *const shared = context;
    girt_store_release(&shared->header->parts[7].offset, UINT64_C(99));
    girt_shared_close(shared);
    return 0;
}

static void test_unnamed(void **state)
{
    (void)state;
    girt_shared *shared;
    check_status(girt_shared_create(&shared, NULL, 100, 0), GIRT_OK);
    pid_t const child = child_start(write_in_child, shared);
    assert_int_equal(child_wait(child), 0);
    assert_int_equal(girt_load_acquire(&shared->header->parts[7].offset), 99);
    /* Sealed: nobody can cut it short. */
    assert_int_equal(ftruncate(shared->file, 4096), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(shared->file, 1 << 20), -1);
    assert_int_equal(fcntl(shared->file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    girt_shared_close(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named),         cmocka_unit_test(test_mode),
        cmocka_unit_test(test_bad_arguments), cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_facts),         cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_other_user),    cmocka_unit_test(test_of_root),
        cmocka_unit_test(test_unnamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Goal: memory comes from the heap that it goes back to, whatever jemalloc is
 * to the process.  Method: the functions alone, then this program again as a
 * child with jemalloc absent, preloaded, or opened late beside libc's malloc,
 * and libgirt.so opened by Python. */
#include <girt/alloc.h>

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/scale.h"

#define JEMALLOC "libjemalloc.so.2"

static void defaults_are_resolved(void **state)
{
    (void)state;
    girt_allocator none = {NULL, NULL, NULL}, out = none;
    check_status(girt__allocator_resolve(&out, NULL), GIRT_OK);
    assert_non_null(out.allocate);
    assert_non_null(out.release);
    girt_allocator again = none;
    check_status(girt__allocator_resolve(&again, &none), GIRT_OK);
    assert_true(again.allocate == out.allocate);
    assert_true(again.release == out.release);
}

static void half_an_allocator_is_refused(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_allocator half = f.allocator, out = {NULL, NULL, &f};
    half.release = NULL;
    check_status(girt__allocator_resolve(&out, &half), GIRT_E_INVALID);
    half = f.allocator;
    half.allocate = NULL;
    check_status(girt__allocator_resolve(&out, &half), GIRT_E_INVALID);
    assert_null(out.allocate);
    assert_ptr_equal(out.context, &f);
}

static void use_allocator(const girt_allocator *a)
{
    static const size_t sizes[] = {0, 1, 7, 100, 4096, 5000, 300000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t alignment = 0; alignment <= 4096;
             alignment = alignment == 0 ? 1 : alignment * 2) {
            void *const block = girt__allocate(a, sizes[s], alignment);
            assert_non_null(block);
            if (alignment != 0)
                assert_int_equal((uintptr_t)block % alignment, 0);
            memset(block, 0xff, sizes[s]);
            girt__release(a, block, sizes[s]);
            char *const zeroed = girt__allocate_zeroed(a, sizes[s], alignment);
            assert_non_null(zeroed);
            for (size_t i = 0; i < sizes[s]; i++)
                assert_int_equal(zeroed[i], 0);
            girt__release(a, zeroed, sizes[s]);
        }
    }
    assert_null(girt__allocate(a, SIZE_MAX, 0));
    assert_null(girt__allocate(a, (size_t)PTRDIFF_MAX + 1, 0));
    girt__release(a, NULL, 1);
}

/* Some allocators promise more than there is, and touching it kills. */
static void more_than_the_machine_has_is_not_asked_for(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    size_t const machine = girt__machine_bytes();
    if (machine == SIZE_MAX)
        skip_because("the machine does not tell its memory");
    assert_null(girt__allocate(&f.allocator, machine + 1, 0));
    assert_null(girt__allocate_zeroed(&f.allocator, machine * 2, 0));
    assert_int_equal(f.calls, 0);
}

static void the_default_serves_all_sizes(void **state)
{
    (void)state;
    girt_allocator a;
    check_status(girt__allocator_resolve(&a, NULL), GIRT_OK);
    use_allocator(&a);
}

static void own_allocators_are_called(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_allocator a;
    check_status(girt__allocator_resolve(&a, &f.allocator), GIRT_OK);
    use_allocator(&a);
    assert_true(f.calls > 0);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.live_bytes, 0);
    f.fail_at = f.calls + 1;
    assert_null(girt__allocate_zeroed(&a, 100, 0));
}

static void products_and_sums_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t out = 7;
    assert_false(girt__size_multiply(SIZE_MAX, 2, &out));
    assert_false(girt__size_multiply((size_t)1 << 32, (size_t)1 << 32, &out));
    assert_false(girt__size_add(SIZE_MAX, 1, &out));
    assert_int_equal(out, 7);
    assert_true(girt__size_multiply(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(girt__size_add(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
}

static void arenas_need_their_arguments(void **state)
{
    (void)state;
    check_status(girt_allocator_jemalloc_arena(NULL), GIRT_E_INVALID);
    girt_allocator standard;
    check_status(girt__allocator_resolve(&standard, NULL), GIRT_OK);
    size_t bytes = 7;
    check_status(girt_allocator_bytes(NULL, &bytes), GIRT_E_INVALID);
    check_status(girt_allocator_bytes(&standard, &bytes), GIRT_E_INVALID);
    check_status(girt_allocator_bytes(&standard, NULL), GIRT_E_INVALID);
    assert_int_equal(bytes, 7);
}

static void without_jemalloc_there_are_no_arenas(void **state)
{
    (void)state;
    if (girt__jemalloc() == GIRT__JEMALLOC_ACTIVE)
        skip_because("jemalloc is this program's malloc");
    girt_allocator a = {NULL, NULL, &a};
    check_status(girt_allocator_jemalloc_arena(&a), GIRT_MISSING);
    assert_null(a.allocate);
    assert_ptr_equal(a.context, &a);
}

static void arenas_count_their_bytes(void **state)
{
    (void)state;
    if (girt__jemalloc() != GIRT__JEMALLOC_ACTIVE)
        skip_because("jemalloc is not this program's malloc");
    enum { BLOCKS = 1000 };
    void *blocks[BLOCKS];
    girt_allocator one, two;
    size_t bytes = 1;
    check_status(girt_allocator_jemalloc_arena(&one), GIRT_OK);
    check_status(girt_allocator_jemalloc_arena(&two), GIRT_OK);
    use_allocator(&one);
    check_status(girt_allocator_bytes(&one, &bytes), GIRT_OK);
    assert_int_equal(bytes, 0);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = girt__allocate(&one, 100, 0);
        assert_non_null(blocks[i]);
        free(malloc(100)); /* the other heap does not count */
    }
    check_status(girt_allocator_bytes(&one, &bytes), GIRT_OK);
    assert_int_equal(bytes, BLOCKS * 112);
    check_status(girt_allocator_bytes(&two, &bytes), GIRT_OK);
    assert_int_equal(bytes, 0);
    for (int i = 0; i < BLOCKS; i++)
        girt__release(&one, blocks[i], 100);
    check_status(girt_allocator_bytes(&one, &bytes), GIRT_OK);
    assert_int_equal(bytes, 0);
}

/* ---- what jemalloc is to a child ---------------------------------------- */

static char self_path[PATH_MAX], library_path[PATH_MAX];

static void find_paths(void)
{
    ssize_t const size = readlink("/proc/self/exe", self_path, PATH_MAX - 1);
    if (size < 0)
        return;
    char folder[PATH_MAX];
    memcpy(folder, self_path, sizeof folder);
    (void)snprintf(library_path, sizeof library_path,
                   "%.4000s/../lib/libgirt.so", dirname(folder));
}

/* The exit code of a child with these in its environment. */
static int run_child(const char *preload, char *const arguments[])
{
    pid_t const child = fork();
    if (child == 0) {
        if (preload != NULL)
            (void)setenv("LD_PRELOAD", preload, 1);
        /* jemalloc's thread-local storage, when it is opened late. */
        (void)setenv("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384",
                     1);
        (void)execvp(arguments[0], arguments);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool jemalloc_is_installed(void)
{
    char *const arguments[] = {self_path, (char[]){"--installed"}, NULL};
    return run_child(NULL, arguments) == 0;
}

static void need_jemalloc(void)
{
    if (under_sanitizer())
        skip_because("a sanitizer has its own malloc");
    if (!jemalloc_is_installed())
        skip_because(JEMALLOC " is not installed");
}

static void preloaded_jemalloc_is_active(void **state)
{
    (void)state;
    need_jemalloc();
    char *const arguments[] = {self_path, (char[]){"--active"}, NULL};
    assert_int_equal(run_child(JEMALLOC, arguments), 0);
}

static void a_plain_program_has_none(void **state)
{
    (void)state;
    char *const arguments[] = {self_path, (char[]){"--absent"}, NULL};
    assert_int_equal(run_child(NULL, arguments), 0);
}

static void jemalloc_opened_late_is_not_used(void **state)
{
    (void)state;
    need_jemalloc();
    if (access(library_path, R_OK) != 0)
        skip_because("no %s", library_path);
    char *const globally[] = {self_path, (char[]){"--late-global"}, NULL};
    assert_int_equal(run_child(NULL, globally), 0);
    char *const locally[] = {self_path, (char[]){"--late-local"}, NULL};
    assert_int_equal(run_child(NULL, locally), 0);
}

static void python_can_open_the_library(void **state)
{
    (void)state;
    if (under_sanitizer())
        skip_because("a sanitizer must be loaded first");
    if (access(library_path, R_OK) != 0)
        skip_because("no %s", library_path);
    static char script[] = "import ctypes, sys\n"
                           "girt = ctypes.CDLL(sys.argv[1])\n"
                           "a = (ctypes.c_void_p * 3)()\n"
                           "s = girt.girt_allocator_jemalloc_arena(a)\n"
                           "girt.girt_epoch_enter(); girt.girt_epoch_exit()\n"
                           "girt.girt_epoch_barrier()\n"
                           "sys.exit(0 if s == int(sys.argv[2]) else 1)\n";
    char *const without[] = {(char[]){"python3"}, (char[]){"-c"}, script,
                             library_path,        (char[]){"5"},  NULL};
    int const code = run_child(NULL, without);
    if (code == 127)
        skip_because("no python3");
    assert_int_equal(code, 0);
    need_jemalloc();
    char *const with[] = {(char[]){"python3"}, (char[]){"-c"}, script,
                          library_path,        (char[]){"0"},  NULL};
    assert_int_equal(run_child(JEMALLOC, with), 0);
}

static const struct CMUnitTest in_every_case[] = {
    cmocka_unit_test(defaults_are_resolved),
    cmocka_unit_test(half_an_allocator_is_refused),
    cmocka_unit_test(more_than_the_machine_has_is_not_asked_for),
    cmocka_unit_test(the_default_serves_all_sizes),
    cmocka_unit_test(own_allocators_are_called),
    cmocka_unit_test(products_and_sums_that_overflow_are_refused),
    cmocka_unit_test(arenas_need_their_arguments),
    cmocka_unit_test(without_jemalloc_there_are_no_arenas),
    cmocka_unit_test(arenas_count_their_bytes),
};

static int expect(girt__jemalloc_state wanted)
{
    if (girt__jemalloc() != wanted)
        return 1;
    return cmocka_run_group_tests(in_every_case, NULL, NULL);
}

/* jemalloc beside libc's malloc, then a libgirt that can see it. */
static int open_late(int flags)
{
    if (dlopen(JEMALLOC, RTLD_NOW | flags) == NULL)
        return 2;
    void *const girt = dlopen(library_path, RTLD_NOW);
    if (girt == NULL)
        return 3;
    union {
        void *symbol;
        girt_status (*call)(girt_allocator *allocator);
    } make = {dlsym(girt, "girt_allocator_jemalloc_arena")};
    girt_allocator a;
    if (make.symbol == NULL || make.call(&a) != GIRT_MISSING)
        return 4;
    union {
        void *symbol;
        void (*call)(void *block, void (*release)(void *block));
    } retire = {dlsym(girt, "girt_epoch_retire")};
    union {
        void *symbol;
        void (*call)(void);
    } barrier = {dlsym(girt, "girt_epoch_barrier")};
    retire.call(malloc(10), free);
    barrier.call();
    /* Stays mapped: threads will end through it. */
    (void)dlclose(girt);
    return dlopen(library_path, RTLD_NOW | RTLD_NOLOAD) != NULL ? 0 : 5;
}

static int as_child(const char *mode)
{
    if (strcmp(mode, "--installed") == 0)
        return dlopen(JEMALLOC, RTLD_NOW) == NULL;
    if (strcmp(mode, "--absent") == 0)
        return expect(GIRT__JEMALLOC_ABSENT);
    if (strcmp(mode, "--active") == 0)
        return expect(GIRT__JEMALLOC_ACTIVE);
    if (strcmp(mode, "--late-global") == 0)
        return open_late(RTLD_GLOBAL);
    if (strcmp(mode, "--late-local") == 0)
        return open_late(RTLD_LOCAL);
    return 1;
}

int main(int count, char **arguments)
{
    find_paths();
    if (count > 1)
        return as_child(arguments[1]);
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_plain_program_has_none),
        cmocka_unit_test(preloaded_jemalloc_is_active),
        cmocka_unit_test(jemalloc_opened_late_is_not_used),
        cmocka_unit_test(python_can_open_the_library),
    };
    int const failed = cmocka_run_group_tests(in_every_case, NULL, NULL);
    return failed + cmocka_run_group_tests(cases, NULL, NULL);
}

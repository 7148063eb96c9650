/* SPDX-License-Identifier: MIT */
/* Goal: parts are found or made once, whoever comes first and whoever is killed
 * in the middle; a broken directory is refused.
 * Method: children that make parts at once, children that kill themselves while
 * they make one, and entries with nonsense in them. */
#include "shared/shared_internal.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/process.h"
#include "support/check.h"
#include "support/segment.h"

enum { BYTES = 5000 };

static void fill(void *block, size_t bytes, const void *context)
{
    assert_int_equal(bytes, 8192);
    const unsigned char *const zeros = block;
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(zeros[i], 0);
    memset(block, *(const char *)context, BYTES);
}

static void die(void *block, size_t bytes, const void *context)
{
    (void)context;
    memset(block, 'x', bytes);
    (void)raise(SIGKILL);
}

static girt_status find(girt_shared *shared, const char *name, char content,
                        girt__shared_part *part)
{
    girt__shared_plan const plan = {
        GIRT__SHARED_LIMITER, name, strlen(name), BYTES, 0, fill, &content};
    return girt__shared_find_or_make(shared, &plan, part);
}

static girt_shared *make_segment(size_t parts)
{
    girt_shared *shared;
    check_status(girt_shared_create(&shared, NULL, parts * 8192, 0), GIRT_OK);
    return shared;
}

static void test_found_again(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(3);
    girt__shared_part a, b, again;
    check_status(find(shared, "a", 'a', &a), GIRT_OK);
    check_status(find(shared, "b", 'b', &b), GIRT_OK);
    check_status(find(shared, "a", 'c', &again), GIRT_OK);
    assert_int_equal(again.offset, a.offset);
    assert_int_equal(again.bytes, 8192);
    assert_int_equal(b.offset, a.offset + 8192);
    assert_int_equal(*(char *)girt__shared_block(shared, &a), 'a');
    assert_int_equal(*(char *)girt__shared_block(shared, &b), 'b');
    /* The name is taken by another kind; a lane has names of its own. */
    girt__shared_plan plan = {
        GIRT__SHARED_CHANNEL, "a", 1, BYTES, 0, fill, "c"};
    check_status(girt__shared_find_or_make(shared, &plan, &again),
                 GIRT_E_INVALID);
    plan.kind = GIRT__SHARED_LANE;
    check_status(girt__shared_find_or_make(shared, &plan, &again), GIRT_OK);
    assert_int_equal(again.offset, b.offset + 8192);
    check_status(find(shared, "d", 'd', &again), GIRT_E_NOMEM);
    girt_shared_close(shared);
}

static void test_entries_run_out(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(GIRT_SHARED_PARTS + 1);
    girt__shared_part part;
    char name[16];
    for (int i = 0; i < GIRT_SHARED_PARTS; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        check_status(find(shared, name, (char)i, &part), GIRT_OK);
    }
    check_status(find(shared, "one more", 'x', &part), GIRT_E_NOMEM);
    check_status(find(shared, "99", 'x', &part), GIRT_OK);
    assert_int_equal(*(char *)girt__shared_block(shared, &part), 99);
    girt_shared_close(shared);
}

static int make_and_die(void *context)
{
    girt__shared_plan const plan = {
        GIRT__SHARED_LIMITER, "half", 4, BYTES, 0, die, NULL};
    girt__shared_part part;
    return (int)girt__shared_find_or_make(context, &plan, &part);
}

static void test_killed_maker(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(2);
    girt__shared_part part;
    for (int i = 0; i < 3; i++) {
        pid_t const child = child_start(make_and_die, shared);
        assert_int_equal(child_wait(child), 1000 + SIGKILL);
        assert_int_not_equal(shared->header->making, 0);
    }
    check_status(find(shared, "half", 'h', &part), GIRT_OK);
    assert_int_equal(*(char *)girt__shared_block(shared, &part), 'h');
    assert_int_equal(shared->header->making, 0);
    /* Its room was used again. */
    assert_int_equal(part.offset, shared->parts_at);
    check_status(find(shared, "next", 'n', &part), GIRT_OK);
    girt_shared_close(shared);
}

static void test_stopped_maker(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(2);
    girt__shared_part part;
    check_status(find(shared, "a", 'a', &part), GIRT_OK);
    /* As if another thread of this process stood in the middle. */
    assert_true(girt__process_try_lock(&shared->header->making));
    check_status(find(shared, "b", 'b', &part), GIRT_E_BUSY);
    check_status(find(shared, "a", 'a', &part), GIRT_OK);
    girt__process_unlock(&shared->header->making);
    check_status(find(shared, "b", 'b', &part), GIRT_OK);
    girt_shared_close(shared);
}

typedef struct crowd {
    girt_shared *shared;
    size_t *offsets; /* shared; where each child found each part */
} crowd;

enum { CHILDREN = 6, PARTS = 20 };

static int make_all(void *context)
{
    const crowd *const c = ((crowd *)context);
    size_t *const offsets = c->offsets;
    int const me = (int)girt_add_relaxed(&offsets[0], (size_t)1);
    for (int i = 0; i < PARTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        girt__shared_part part;
        if (find(c->shared, name, (char)(i + 1), &part) != GIRT_OK)
            return 1;
        if (*(char *)girt__shared_block(c->shared, &part) != i + 1)
            return 2;
        offsets[1 + me * PARTS + i] = part.offset;
    }
    return 0;
}

static void test_crowd(void **state)
{
    (void)state;
    crowd c = {make_segment(PARTS), NULL};
    size_t const bytes = (1 + CHILDREN * PARTS) * sizeof *c.offsets;
    c.offsets = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(c.offsets != MAP_FAILED);
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = child_start(make_all, &c);
    for (int i = 0; i < CHILDREN; i++)
        assert_int_equal(child_wait(children[i]), 0);
    for (int i = 1; i < CHILDREN; i++)
        assert_memory_equal(c.offsets + 1, c.offsets + 1 + i * PARTS,
                            PARTS * sizeof *c.offsets);
    assert_int_equal(munmap(c.offsets, bytes), 0);
    girt_shared_close(c.shared);
}

static void test_broken_entries(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(3);
    girt__shared_part part;
    check_status(find(shared, "a", 'a', &part), GIRT_OK);
    girt__shared_entry *const entry = &shared->header->parts[0];
    unsigned char *const bytes = (unsigned char *)entry;
    for (size_t i = 0; i < sizeof *entry; i++) {
        bytes[i] ^= 0x40;
        girt_status const status = find(shared, "b", 'b', &part);
        /* Only the four bytes that nobody reads may change. */
        if (i < offsetof(girt__shared_entry, unused) ||
            i >= offsetof(girt__shared_entry, name))
            check_status(status, GIRT_E_CORRUPT);
        else
            check_status(status, GIRT_OK);
        bytes[i] ^= 0x40;
    }
    check_status(find(shared, "a", 'a', &part), GIRT_OK);
    girt_shared_close(shared);
}

static void test_behind(void **state)
{
    (void)state;
    girt_shared *const shared = make_segment(2);
    girt__shared_part part;
    check_status(find(shared, "a", 'a', &part), GIRT_OK);
    char *const one = girt__shared_map_behind(shared, &part, 100);
    char *const two = girt__shared_map_behind(shared, &part, 100);
    assert_non_null(one);
    assert_non_null(two);
    one[-1] = 'p'; /* each its own */
    assert_int_equal(two[-1], 0);
    one[10] = 'q'; /* one for all */
    assert_int_equal(two[10], 'q');
    assert_int_equal(((char *)girt__shared_block(shared, &part))[10], 'q');
    girt_shared_close(shared);
    two[11] = 'r';
    assert_int_equal(one[11], 'r');
    girt__shared_unmap_behind(one, 100, part.bytes);
    girt__shared_unmap_behind(two, 100, part.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_again),
        cmocka_unit_test(test_entries_run_out),
        cmocka_unit_test(test_killed_maker),
        cmocka_unit_test(test_stopped_maker),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_broken_entries),
        cmocka_unit_test(test_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

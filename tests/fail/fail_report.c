/* SPDX-License-Identifier: MIT */
/* Goal: an object that cannot report itself is not made, and leaves nothing: no
 * memory, no source in the registry.  Method: each kind, with an allocator
 * whose k-th call fails, for every k; with a registry that refuses; without a
 * name. */
#include "support/check.h"
#include "support/failing.h"
#include "support/fake_registry.h"
#include "support/reporting.h"

/* The status, with all that a refusal must leave as it was. */
static girt_status try_to_make(const reporting_kind *kind, const char *name,
                               fake_registry *registry, failing *f)
{
    void *object = f;
    size_t const attached = registry->attached;
    size_t const blocks = f->live_blocks, bytes = f->live_bytes;
    girt_status const status =
        kind->create(&object, name, fake_metrics(registry), &f->allocator);
    if (status == GIRT_OK) {
        assert_int_equal(registry->attached, attached + 1);
        kind->destroy(object);
    } else {
        assert_ptr_equal(object, f);
    }
    assert_int_equal(registry->attached, attached);
    assert_int_equal(f->live_blocks, blocks);
    assert_int_equal(f->live_bytes, bytes);
    return status;
}

static void every_allocation_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_count; i++) {
        fake_registry registry;
        fake_registry_init(&registry);
        size_t refused = 0;
        for (size_t k = 1;; k++) {
            failing f;
            failing_init(&f);
            f.fail_at = k;
            girt_status const status =
                try_to_make(&reporting_kinds[i], "a", &registry, &f);
            if (f.calls < k)
                break;
            refused += status == GIRT_E_NOMEM;
            if (status != GIRT_OK)
                check_status(status, GIRT_E_NOMEM);
        }
        assert_true(refused >= 2); /* the object and its report */
        fake_registry_end(&registry);
    }
}

static void a_registry_refuses(void **state)
{
    (void)state;
    static const girt_status answers[] = {GIRT_E_INVALID, GIRT_E_BUSY,
                                          GIRT_E_NOMEM};
    for (size_t i = 0; i < reporting_count; i++) {
        fake_registry registry;
        fake_registry_init(&registry);
        for (size_t k = 0; k < 3; k++) {
            failing f;
            failing_init(&f);
            registry.answer = answers[k];
            check_status(try_to_make(&reporting_kinds[i], "a", &registry, &f),
                         answers[k]);
        }
        fake_registry_end(&registry);
    }
}

static void a_name_reports_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_count; i++) {
        const reporting_kind *const kind = &reporting_kinds[i];
        fake_registry registry;
        fake_registry_init(&registry);
        failing f;
        failing_init(&f);
        void *first = NULL;
        check_status(
            kind->create(&first, "a", fake_metrics(&registry), &f.allocator),
            GIRT_OK);
        check_status(try_to_make(kind, "a", &registry, &f), GIRT_E_BUSY);
        check_status(try_to_make(kind, "b", &registry, &f), GIRT_OK);
        check_status(try_to_make(kind, NULL, &registry, &f), GIRT_E_INVALID);
        check_status(try_to_make(kind, "", &registry, &f), GIRT_E_INVALID);
        kind->destroy(first);
        check_status(try_to_make(kind, "a", &registry, &f), GIRT_OK);
        fake_registry_end(&registry);
        assert_int_equal(f.live_blocks, 0);
    }
}

static void a_name_alone_reports_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_count; i++) {
        failing f;
        failing_init(&f);
        void *object = NULL;
        check_status(
            reporting_kinds[i].create(&object, "a", NULL, &f.allocator),
            GIRT_OK);
        reporting_kinds[i].use(object, 1);
        reporting_kinds[i].destroy(object);
        assert_int_equal(f.live_blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(a_registry_refuses),
        cmocka_unit_test(a_name_reports_once),
        cmocka_unit_test(a_name_alone_reports_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

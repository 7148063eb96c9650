/* SPDX-License-Identifier: MIT */
/* Goal: scrapes disturb no object that works, comes or goes, and counters never
 * fall.  Method: of each kind one object that two threads use and others that
 * come and go, under scrapes without a pause; each counter of the lasting
 * object is compared with the scrape before.  Then the same with a real
 * registry, whose text is checked in the end. */
#include <girt/metrics.h>

#include "support/check.h"
#include "support/fake_registry.h"
#include "support/reporting.h"
#include "support/scale.h"
#include "support/scrape.h"
#include "support/threads.h"

enum { THREADS = 4, USERS = 2 };

typedef struct scene {
    fake_registry registry;
    const reporting_kind *kind;
    void *lasting;
    size_t rounds;
    fake_sample *before;
    size_t before_count;
} scene;

static bool is_lasting_counter(const fake_sample *s)
{
    /* A node that left and came back begins anew. */
    bool const resets =
        s->series->label != NULL && strcmp(s->series->label, "node") == 0;
    return s->series->kind != GIRT__SERIES_GAUGE && !resets &&
           strcmp(s->name, "lasting") == 0;
}

/* Against the scrape before; in the scraping thread. */
static void compare(scene *s)
{
    for (size_t i = 0; i < s->before_count; i++) {
        const fake_sample *const then = &s->before[i];
        const fake_sample *const now = fake_find(
            &s->registry, then->series->name, then->name, then->label_value);
        /* A label's value may have gone, with a node for example. */
        if (now != NULL && now->value < then->value) {
            fprintf(stderr, "%s{%s} fell from %g to %g\n", then->series->name,
                    then->label_value == NULL ? "" : then->label_value,
                    then->value, now->value);
            abort();
        }
        free(then->label_value);
    }
    free(s->before);
    s->before = malloc((s->registry.sample_count + 1) * sizeof *s->before);
    s->before_count = 0;
    if (s->before == NULL)
        abort();
    for (size_t i = 0; i < s->registry.sample_count; i++) {
        const fake_sample *const sample = &s->registry.samples[i];
        if (!is_lasting_counter(sample))
            continue;
        fake_sample *const copy = &s->before[s->before_count++];
        *copy = *sample;
        if (copy->label_value != NULL)
            copy->label_value = strdup(copy->label_value);
    }
}

static void come_and_go(scene *s, uint64_t turn)
{
    void *object = NULL;
    const char name[] = {'c', (char)('a' + turn % 3), '\0'};
    if (s->kind->create(&object, name, fake_metrics(&s->registry), NULL) !=
        GIRT_OK)
        abort();
    for (uint64_t i = 0; i < 3; i++)
        s->kind->use(object, turn + i);
    s->kind->destroy(object);
}

static void play(void *context, size_t index)
{
    scene *const s = context;
    for (size_t i = 0; i < s->rounds; i++) {
        if (index < USERS) {
            for (size_t k = 0; k < 8; k++)
                s->kind->use(s->lasting, i * 8 + k);
        } else if (index == USERS) {
            come_and_go(s, i);
        } else {
            fake_registry_scrape(&s->registry);
            compare(s);
        }
    }
}

static void scrapes_meet_objects_at_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_count; i++) {
        scene s = {.kind = &reporting_kinds[i], .rounds = scaled(1200)};
        fake_registry_init(&s.registry);
        check_status(s.kind->create(&s.lasting, "lasting",
                                    fake_metrics(&s.registry), NULL),
                     GIRT_OK);
        threads_run(THREADS, play, &s);
        fake_registry_scrape(&s.registry);
        compare(&s);
        s.kind->destroy(s.lasting);
        for (size_t k = 0; k < s.before_count; k++)
            free(s.before[k].label_value);
        free(s.before);
        fake_registry_end(&s.registry);
    }
}

/* ---- with a real registry ------------------------------------------------ */

typedef struct real_scene {
    girt_metrics *metrics;
    const reporting_kind *kind;
    void *lasting;
    size_t rounds, pieces;
} real_scene;

static bool swallow(void *context, const char *text, size_t size)
{
    (void)text;
    *(size_t *)context += size != 0;
    return true;
}

static void play_really(void *context, size_t index)
{
    real_scene *const s = context;
    for (size_t i = 0; i < s->rounds; i++) {
        if (index < USERS) {
            for (size_t k = 0; k < 8; k++)
                s->kind->use(s->lasting, i * 8 + k);
        } else if (index == USERS) {
            void *object = NULL;
            if (s->kind->create(&object, "comes and goes", s->metrics, NULL) !=
                GIRT_OK)
                abort();
            s->kind->use(object, i);
            s->kind->destroy(object);
        } else if (girt_metrics_write(s->metrics, (girt_metrics_format)(i % 2),
                                      swallow, &s->pieces) != GIRT_OK) {
            abort();
        }
    }
}

static void a_real_registry_scrapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < reporting_count; i++) {
        real_scene r = {.kind = &reporting_kinds[i], .rounds = scaled(300)};
        check_status(girt_metrics_create(&r.metrics, NULL), GIRT_OK);
        check_status(r.kind->create(&r.lasting, "lasting", r.metrics, NULL),
                     GIRT_OK);
        threads_run(THREADS, play_really, &r);
        scrape text;
        scrape_take(&text, r.metrics, GIRT_PROMETHEUS_TEXT);
        assert_true(scrape_count(&text, "name=\"lasting\"") != 0);
        assert_int_equal(scrape_count(&text, "comes and goes"), 0);
        scrape_free(&text);
        assert_true(r.pieces >= r.rounds);
        r.kind->destroy(r.lasting);
        girt_metrics_destroy(r.metrics);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scrapes_meet_objects_at_work),
        cmocka_unit_test(a_real_registry_scrapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

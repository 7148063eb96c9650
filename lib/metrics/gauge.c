/* SPDX-License-Identifier: MIT */
/* gauge.c - a number that is set: the bits of a double in one word. */
#include <girt/metrics.h>

#include <string.h>

#include "core/atomic.h"
#include "metrics/metrics_internal.h"

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

double girt__gauge_of(const uint64_t *cell)
{
    /* Relaxed: a value that orders nothing, one word. */
    uint64_t const bits = girt_load_relaxed(cell);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

girt_status girt_gauge_create(girt_gauge **out, girt_metrics *metrics,
                              const char *name, const char *help,
                              const char *const labels[])
{
    void *object;
    if (out == NULL)
        return GIRT_E_INVALID;
    girt_status const status = girt__metrics_find_or_make(
        metrics, GIRT__METRIC_GAUGE, name, help, labels, &object);
    if (status == GIRT_OK)
        *out = object;
    return status;
}

void girt_gauge_set(girt_gauge *gauge, double value)
{
    girt_store_relaxed(gauge->bits, bits_of(value));
}

void girt_gauge_add(girt_gauge *gauge, double amount)
{
    uint64_t seen = girt_load_relaxed(gauge->bits);
    double value;
    do {
        /* Lost only to another that set or added. */
        memcpy(&value, &seen, sizeof value);
    } while (!girt_cas_relaxed(gauge->bits, &seen, bits_of(value + amount)));
}

double girt_gauge_value(const girt_gauge *gauge)
{
    return girt__gauge_of(gauge->bits);
}

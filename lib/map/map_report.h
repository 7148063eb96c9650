/* SPDX-License-Identifier: MIT */
/* map_report.h - what maps tell a registry of metrics. */
#ifndef GIRT_MAP_REPORT_H
#define GIRT_MAP_REPORT_H

#include <girt/map.h>

#include "map/map_index.h"

/* Both set index->report; the index is the map's first member. */
girt_status girt__map_report(girt__index *index,
                             const girt_map_options *options);
girt_status girt__map64_report(girt__index *index, girt_metrics *metrics,
                               const char *name);

#endif /* GIRT_MAP_REPORT_H */

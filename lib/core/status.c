/* SPDX-License-Identifier: MIT */
/* status.c - names and texts of the statuses, and the library's version. */
#include <girt/status.h>
#include <girt/version.h>

const char *girt_status_name(girt_status status)
{
    switch (status) {
#define NAME_CASE(name, number, text)                                          \
    case name:                                                                 \
        return #name;
        GIRT_STATUS_MAP(NAME_CASE)
#undef NAME_CASE
    }
    return "GIRT_?";
}

const char *girt_status_text(girt_status status)
{
    switch (status) {
#define TEXT_CASE(name, number, text)                                          \
    case name:                                                                 \
        return text;
        GIRT_STATUS_MAP(TEXT_CASE)
#undef TEXT_CASE
    }
    return "unknown status";
}

const char *girt_version(void)
{
    return GIRT_VERSION;
}

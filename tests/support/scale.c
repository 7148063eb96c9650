/* SPDX-License-Identifier: MIT */
/* scale.c - the factor of scale.h. */
#include "support/scale.h"

#include <stdlib.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#if defined(__SANITIZE_THREAD__)
#define TSAN true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN true
#endif
#endif
#ifndef TSAN
#define TSAN false
#endif

bool under_sanitizer(void)
{
    return SANITIZED != 0;
}

bool under_tsan(void)
{
    return TSAN;
}

size_t scaled(size_t count)
{
    double factor = SANITIZED ? 0.125 : 1.0;
    const char *const wish = getenv("GIRT_TEST_SCALE");
    if (wish != NULL && strtod(wish, NULL) > 0)
        factor *= strtod(wish, NULL);
    double const result = (double)count * factor;
    return result < 1 ? 1 : (size_t)result;
}

/* SPDX-License-Identifier: MIT */
/* zipf_stream.h - an access log that nobody wrote: seeded, Zipf-distributed.
 *
 * Popularity of URLs and activity of clients both follow Zipf's law, as they
 * do on real servers: the k-th most popular of m has probability
 * (1/k^s) / (1/1^s + ... + 1/m^s). The same seed gives the same text. */
#ifndef GIRT_EXAMPLES_ZIPF_STREAM_H
#define GIRT_EXAMPLES_ZIPF_STREAM_H

#include <stddef.h>
#include <stdint.h>

#define ZIPF_URLS    100000
#define ZIPF_CLIENTS 50000

/* `lines` lines in Common Log Format, from malloc; NULL: out of memory. */
char *zipf_stream(size_t lines, uint64_t seed, size_t *size);

#endif /* GIRT_EXAMPLES_ZIPF_STREAM_H */

/* SPDX-License-Identifier: MIT */
/* map_group.h - up to eleven slots and the 16 bytes that describe them.
 *
 *   byte  0..3        4      5     6            15
 *       +-----------+------+-----+-----+-- ... -+------+
 *       | version|L | away | tag | tag |        | tag  |
 *       +-----------+------+-----+-----+-- ... -+------+
 *
 * L, bit 0 of the first word: one writer holds the group.  Readers mask it.
 * version, the other 31 bits: moves before a slot of this group is filled, so
 * that a reader who saw the slot's tag before knows that its element changed.
 * away: which alternatives of this group (bit i - 1: alternative i, bit 7: the
 * spill chain) hold keys whose home this group is.  Under this group's lock.
 * tag: 0 is a free slot, else the low byte of the hash (0 taken as 1).
 *
 * Two shapes, by what a lookup must not wait for:
 *   WIDE  eleven slots of {hash, word}, apart from the 16 bytes, so that those
 *         of many groups stay in the cache and a miss ends there;
 *   LINE  six slots of one word in the same cache line as the 16 bytes, so
 *         that finding it costs one line.  The word is the address of
 *         something that begins with the hash.
 *
 * Accesses of different widths to these bytes are all atomic.  What is relied
 * on beyond C11 is that an 8-byte load sees for each of its bytes some store
 * of that byte, ordered like a load of that byte alone: so do x86_64 and
 * arm64, the machines that girt runs on. */
#ifndef GIRT_MAP_GROUP_H
#define GIRT_MAP_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/atomic.h"
#include "core/cacheline.h"

#define GIRT__INLINE static inline __attribute__((always_inline))

#define GIRT__GROUP_SLOTS  11u
/* Alternatives of a home group: the bits of `away` below the spill's. */
#define GIRT__ALTERNATIVES 7u
#define GIRT__AWAY_SPILL   0x80u

typedef union girt__group {
    uint64_t words[2]; /* how readers load it */
    struct {
        uint32_t lock;                   /* version and lock bit */
        uint8_t away;                    /* under the lock */
        uint8_t tags[GIRT__GROUP_SLOTS]; /* filled under the lock of this
                                          * group, emptied under that of the
                                          * key's home */
    } part;
} girt__group;

_Static_assert(sizeof(girt__group) == 16, "one load of 16 bytes, four a line");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words and part agree on which byte is which");

/* A constant wherever speed counts, so that one of two branches remains. */
typedef enum girt__shape { GIRT__WIDE, GIRT__LINE } girt__shape;

GIRT__INLINE uint32_t girt__shape_slots(girt__shape shape)
{
    return shape == GIRT__WIDE ? GIRT__GROUP_SLOTS : 6;
}

/* All slots, as a match answers. */
GIRT__INLINE uint32_t girt__shape_all(girt__shape shape)
{
    return (1u << girt__shape_slots(shape)) - 1;
}

/* Bytes from one group to the next, and of a group's slots apart from it. */
GIRT__INLINE size_t girt__shape_group_bytes(girt__shape shape)
{
    return shape == GIRT__WIDE ? sizeof(girt__group) : GIRT_CACHELINE;
}

GIRT__INLINE size_t girt__shape_apart_bytes(girt__shape shape)
{
    return shape == GIRT__WIDE ? GIRT__GROUP_SLOTS * 2 * sizeof(uint64_t) : 0;
}

/* Slot i of a group's slots. */
GIRT__INLINE uint64_t *girt__slot_at(uint64_t *slots, girt__shape shape,
                                     uint32_t i)
{
    return slots + (shape == GIRT__WIDE ? 2 * (size_t)i : i);
}

/* Where the word of a slot is. */
GIRT__INLINE uint64_t *girt__slot_word(uint64_t *slot, girt__shape shape)
{
    return slot + (shape == GIRT__WIDE);
}

/* The hash of a key that is there, or was when the caller's section began. */
GIRT__INLINE uint64_t girt__slot_hash(uint64_t *slot, girt__shape shape)
{
    if (shape == GIRT__WIDE)
        return girt_load_relaxed(slot);
    return *(const uint64_t *)(uintptr_t)girt_load_acquire(slot);
}

/* A reader's copy of a group. */
typedef struct girt__header {
    uint64_t low, high;
} girt__header;

static inline uint8_t girt__tag(uint64_t hash)
{
    const uint8_t tag = (uint8_t)hash;
    return (uint8_t)(tag + (tag == 0));
}

/* A1 of map_table.h: whatever preceded a tag's store is visible with it. */
static inline girt__header girt__group_read(girt__group *group)
{
    girt__header header;
    header.low = girt_load_acquire(&group->words[0]);
    header.high = girt_load_acquire(&group->words[1]);
    return header;
}

static inline uint32_t girt__header_version(girt__header header)
{
    return (uint32_t)header.low & ~1u;
}

static inline uint8_t girt__header_away(girt__header header)
{
    return (uint8_t)(header.low >> 32);
}

/* A bit for each of the eight bytes of `word` that equals `tag`.  Exact: the
 * carry of one byte never reaches the next. */
static inline uint32_t girt__match_eight(uint64_t word, uint8_t tag)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
    const uint64_t differs = word ^ (tag * 0x0101010101010101u);
    const uint64_t equal =
        ~(((differs & low7) + low7) | differs | low7); /* 0x80 where 0 */
    return (uint32_t)(((equal >> 7) * 0x0102040810204080u) >> 56);
}

/* The slots whose tag is `tag`, as bits; 0 finds the free ones. */
static inline uint32_t girt__header_match(girt__header header, uint8_t tag)
{
#if defined(__SSE2__)
    const __m128i bytes =
        _mm_set_epi64x((long long)header.high, (long long)header.low);
    const __m128i equal = _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)tag));
    return (uint32_t)_mm_movemask_epi8(equal) >> 5;
#else
    return girt__match_eight(header.low, tag) >> 5 |
           girt__match_eight(header.high, tag) << 3;
#endif
}

/* Spins, then yields: the holder may not be running. */
void girt__group_lock_wait(girt__group *group);

/* By who has read the word; fails when it has changed, too. */
static inline bool girt__group_trylock_as(girt__group *group, uint32_t word)
{
    /* L1: what the last holder did (U1) is visible. */
    return (word & 1) == 0 &&
           girt_cas_acquire(&group->part.lock, &word, word | 1);
}

static inline bool girt__group_trylock(girt__group *group)
{
    return girt__group_trylock_as(group, girt_load_relaxed(&group->part.lock));
}

static inline void girt__group_lock(girt__group *group)
{
    if (girt_unlikely(!girt__group_trylock(group)))
        girt__group_lock_wait(group);
}

/* The holder alone writes the word, so a store is enough. */
static inline void girt__group_unlock(girt__group *group)
{
    const uint32_t word = girt_load_relaxed(&group->part.lock);
    girt_store_release(&group->part.lock, word & ~1u); /* U1 -> L1 */
}

/* The free slots of a group, as bits. */
GIRT__INLINE uint32_t girt__header_free(girt__header header, girt__shape shape)
{
    return girt__header_match(header, 0) & girt__shape_all(shape);
}

/* Fills the free slot i of a group whose lock the caller holds.
 * V1 -> V2 (map_table.h): a reader that sees any of the slot's new words sees
 * the new version too.  T1 -> A1: one that sees the tag sees them all. */
GIRT__INLINE void girt__group_fill(girt__group *group, uint64_t *slots,
                                   girt__shape shape, uint32_t i, uint64_t hash,
                                   uint64_t word)
{
    uint64_t *const slot = girt__slot_at(slots, shape, i);
    const uint32_t lock = girt_load_relaxed(&group->part.lock);
    girt_store_relaxed(&group->part.lock, lock + 2);
    girt_fence_release(); /* V1 */
    if (shape == GIRT__WIDE)
        girt_store_relaxed(slot, hash);
    girt_store_release(girt__slot_word(slot, shape), word);
    girt_store_release(&group->part.tags[i], girt__tag(hash)); /* T1 */
}

#endif /* GIRT_MAP_GROUP_H */

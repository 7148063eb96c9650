/* SPDX-License-Identifier: MIT */
/* ring.h - which node owns this key, while nodes come and go.
 *
 * Lookups read one immutable snapshot inside an epoch section; a change builds
 * the next snapshot aside, publishes it with one store and retires the old one.
 *
 *             find  acquire  release  change     find, find_n, name, count:
 *   find       -      -        -        -        lock-free, they write nothing
 *   acquire    -      -        -        -        shared; acquire, release:
 *   release    -      -        -        -        lock-free; change (set, add,
 *   change     -      -        -        -        remove): one mutex
 *   destroy    X      X        X        X        X: the caller must exclude it
 *
 * find stands for find, find_n, find_keys, name, count and share. Every answer
 * of a lookup was right at an instant within the call. A thread that stalls or
 * dies in a lookup delays the freeing of old snapshots, and, when eight of them
 * wait, changes; one that stalls in a change delays other changes, never a
 * lookup. So a change and destroy must not be called inside a read section
 * (epoch.h).
 *
 * Nothing here is async-signal-safe. A fork's child may use the ring, but for
 * changes if another thread of the parent was changing it at that instant.
 * A thread that ends leaves nothing behind but the loads that it holds.
 *
 * The kinds, and where they come from:
 *   native      points on a circle [Karger et al. 1997], as many for each unit
 *               of weight: w * points_per_weight. The answer depends on names,
 *               weights and seed alone, never on list order or history. When a
 *               node leaves, only its keys move.
 *   ketama      libmemcached's MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED with MD5,
 *               bit for bit. A name is "host" or "host:port"; one ":11211" at
 *               its end is dropped from the point string, because libmemcached
 *               drops its default port. The original libketama always keeps
 *               the port: name its nodes "host:11211:11211". Float arithmetic
 *               gives a node of tiny weight no points, thus no keys. The seed
 *               is not used.
 *   maglev      Envoy's table, bit for bit [Eisenbud et al. 2016]: XXH64(key,
 *               seed) % maglev_size. The fastest to look up with many nodes.
 *               When one of 10 to 1000 nodes leaves, 0.2 to 0.6 % of the keys
 *               of others move as well.
 *   rendezvous  highest random weight [Thaler, Ravishankar 1998], weighted by
 *               -ln(u) / w in integers, so that every machine agrees. Exact
 *               balance, but a lookup visits all nodes.
 *   jump        [Lamping, Veach 2014] of girt_hash(key, size, seed). Nodes are
 *               the buckets 0..n-1 in list order, so only the last can leave;
 *               a node of weight w is w buckets in a row.
 *
 * seed: lookups by different programs agree only with the same seed. Where keys
 * come from strangers who might aim them all at one node, keep it secret.
 *
 * Sizes: at most 2^26 nodes; weight * points_per_weight (native), points
 * (ketama) and weights (jump) at most 2^26 in all. Keys may have any size. */
#ifndef GIRT_RING_H
#define GIRT_RING_H

#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/keys.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** The longest name of a node, in bytes, without its terminating zero. */
#define GIRT_RING_NAME_MAX 255

/** How keys are spread over nodes; the head of this file compares them. */
typedef enum girt_ring_kind {
    /** Points for each unit of weight, indexed: the default. */
    GIRT_RING_NATIVE = 0,
    /** libmemcached's weighted ketama, bit for bit. */
    GIRT_RING_KETAMA,
    /** Envoy's Maglev table, bit for bit. */
    GIRT_RING_MAGLEV,
    /** Weighted rendezvous. */
    GIRT_RING_RENDEZVOUS,
    /** Jump consistent hash: only the last node can leave. */
    GIRT_RING_JUMP
} girt_ring_kind;

/** One node of a membership. */
typedef struct girt_node {
    /** 1 to GIRT_RING_NAME_MAX bytes, any but zero; copied. */
    const char *name;
    /** Its share of the keys relative to the others'; 0 means 1. */
    uint32_t weight;
} girt_node;

/** A membership and its rule of spreading keys. */
typedef struct girt_ring girt_ring;

/** How a ring is made; zero in any field means its default. */
typedef struct girt_ring_options {
    /** Fixed for the ring's life. */
    girt_ring_kind kind;
    /** native only: points of a node of weight 1; 0 means 1024, at most 2^26.
     *  With 160 the busiest of 100 nodes has about 20 % over the mean, with
     *  1024 about 8 %. */
    uint32_t points_per_weight;
    /** maglev only: slots of the table, a prime up to 2^26; 0 means 65537.
     *  Take 100 times the number of nodes, or more. */
    uint32_t maglev_size;
    /** Bounded load: at acquire, counting the caller, a node's load is at most
     *  ceil(bound * (total + 1) * w / W), computed in double from left to
     *  right; 0 means off, else 1.0 or more and finite; typical 1.25. */
    double bound;
    /** Of the hashes of keys and nodes; see above. */
    uint64_t seed;
    /** Labels its metrics: 1 to 255 bytes, copied, of UTF-8 where there are
     * metrics; NULL: none. */
    const char *name;
    /** Where it reports itself under its name, which must be there; outlives
     * it. NULL: nowhere. */
    girt_metrics *metrics;
    /** NULL means the default; its context must outlive the ring. */
    const girt_allocator *allocator;
    /** Zero. */
    uint64_t reserved[4];
} girt_ring_options;

/**
 * Makes a ring without nodes.
 *
 * @param out      set to the ring, on GIRT_OK only.
 * @param options  NULL means all defaults; read during the call only.
 * @return  GIRT_OK; GIRT_E_INVALID: out is NULL, or a field is outside its
 *          range (maglev_size not a prime, bound not 0 and below 1, infinite or
 *          no number); GIRT_E_TOO_LARGE: points_per_weight or maglev_size over
 *          2^26; GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not UTF-8;
 *          GIRT_E_BUSY: another ring reports there by this name.
 *
 * Threads: any.
 * Progress: as the allocator's.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_create(girt_ring **out,
                                      const girt_ring_options *options);

/**
 * Frees a ring; loads that are still held are forgotten.
 *
 * Waits for the read sections that were open when the membership last changed.
 *
 * @param ring  NULL does nothing.
 *
 * Threads: one, when no other call on this ring runs or will.
 * Progress: blocking, until the read sections of other threads end.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_ring_destroy(girt_ring *ring);

/**
 * Replaces the membership at once: a lookup sees all of it or none.
 *
 * Nodes that stay keep their id and their load; new ones get the lowest free
 * ids, in list order. A node's place in the list matters to jump (its bucket)
 * and to ketama (which of two equal points wins), to no other kind.
 *
 * @param ring   the ring.
 * @param nodes  the new members; NULL only if count is 0; read during the call
 *               only.
 * @param count  how many; 0 leaves the ring empty.
 * @return  GIRT_OK; GIRT_E_INVALID: ring or nodes is NULL, or a name is NULL,
 *          empty, longer than GIRT_RING_NAME_MAX, or there twice;
 *          GIRT_E_TOO_LARGE: over a size given at the head of this file;
 *          GIRT_E_NOMEM. All but the first change nothing.
 *
 * Threads: any.
 * Progress: blocking, on other changes and on read sections; time grows with
 *   the points or slots of the whole ring.
 * Order: release; a lookup that sees the change acquires it.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_set(girt_ring *ring, const girt_node nodes[],
                                   size_t count);

/**
 * Adds a node at the end of the list, or changes the weight of a member.
 *
 * @param ring    the ring.
 * @param name    the node's, as in girt_node.
 * @param weight  0 means 1.
 * @return  GIRT_OK: added; GIRT_EXISTS: it is a member and has this weight now;
 *          GIRT_E_INVALID: ring or name is NULL, or the name is empty or too
 *          long, or the ring is a jump ring and another weight is asked for a
 *          node that is not the last; GIRT_E_TOO_LARGE; GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: blocking, as girt_ring_set.
 * Order: release; a lookup that sees the change acquires it.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_add(girt_ring *ring, const char *name,
                                   uint32_t weight);

/**
 * Removes a node; its keys go to the others.
 *
 * @param ring  the ring.
 * @param name  the node's.
 * @return  GIRT_OK; GIRT_MISSING: no such member; GIRT_E_INVALID: ring or name
 *          is NULL, the name is empty or too long, or the ring is a jump ring
 *          and the node is not the last;
 *          GIRT_E_NOMEM: the smaller ring has to be built before the larger
 *          one can go.
 *
 * Threads: any.
 * Progress: blocking, as girt_ring_set.
 * Order: release; a lookup that sees the change acquires it.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_remove(girt_ring *ring, const char *name);

/**
 * The node that owns a key.
 *
 * Ids are small numbers from 0. A node keeps its id for as long as it is a
 * member, whatever happens to the others. Its id may be given to another node
 * only after it has left and, on a ring with a bound, after every load on it
 * was released too; a node that comes back before that has its old id again.
 *
 * @param ring      the ring.
 * @param key       key_size bytes; NULL only if key_size is 0.
 * @param key_size  any; an empty key is a key.
 * @param node_id   set to the owner's id, on GIRT_OK only.
 * @return  GIRT_OK; GIRT_MISSING: the ring has no nodes; GIRT_E_INVALID: a
 *          pointer is NULL that must not be.
 *
 * Threads: any.
 * Progress: lock-free; writes nothing shared.
 * Order: acquire, of the change that made the membership it sees.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_find(girt_ring *ring, const void *key,
                                    size_t key_size, uint32_t *node_id);

/**
 * The first *count distinct nodes for a key, in order of preference.
 *
 * The first is girt_ring_find's. The second is where native and rendezvous
 * rings send the key if the first leaves; on a ketama ring it is the owner of
 * the next points, on a maglev ring that of the next slots, on a jump ring that
 * of further hashes of the key.
 *
 * @param ring      the ring.
 * @param key       key_size bytes; NULL only if key_size is 0.
 * @param key_size  any.
 * @param node_ids  room for *count ids; NULL only if *count is 0.
 * @param count     in: how many are wanted. out: how many there are, fewer if
 *                  the ring has fewer nodes that can own a key.
 * @return  GIRT_OK; GIRT_MISSING: the ring has no nodes, *count is 0;
 *          GIRT_E_INVALID: a pointer is NULL that must not be, *count stays.
 *
 * Threads: any.
 * Progress: lock-free; writes nothing shared. The time grows with *count, at
 * worst (all nodes) with the points or slots of the whole ring.
 * Order: acquire, as girt_ring_find.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_find_n(girt_ring *ring, const void *key,
                                      size_t key_size, uint32_t node_ids[],
                                      size_t *count);

/**
 * The owners of many keys, each as by girt_ring_find; the lookups overlap and
 * share what a call costs, which is most of it where nodes are few.
 *
 * @param ring      the ring.
 * @param keys      the keys.
 * @param node_ids  room for keys->count ids: one for each key, in order,
 *                  written on GIRT_OK only.
 * @return  GIRT_OK; GIRT_MISSING: the ring has no nodes, or lost the last one
 *          meanwhile (node_ids are then undefined); GIRT_E_INVALID: a pointer
 *          is NULL that must not be, or keys does not say what is true.
 *
 * Threads: any.
 * Progress: lock-free; writes nothing shared.
 * Order: acquire, as girt_ring_find; a change during the call shows from some
 * key on.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_find_keys(girt_ring *ring, const girt_keys *keys,
                                         uint32_t node_ids[]);

/**
 * The first node in order of preference that has room, and one load on it.
 *
 * At an instant within the call, counting the caller, the chosen node's load is
 * at most ceil(bound * (total + 1) * w / W): total is the load of all members
 * before the call, w the node's weight, W the sum of all weights. Strict under
 * any race. A node is passed over only if it was full, or, while others acquire
 * and release at the same moment, seemed to be by a few loads. There is always
 * a node with room. Without a bound this is girt_ring_find.
 *
 * @param ring      the ring.
 * @param key       key_size bytes; NULL only if key_size is 0.
 * @param key_size  any.
 * @param node_id   set to the node's id, on GIRT_OK only: give it to
 *                  girt_ring_release once.
 * @return  GIRT_OK; GIRT_MISSING: the ring has no nodes; GIRT_FULL: every node
 *          carries 2^32 - 1 loads; GIRT_E_INVALID: a pointer is NULL that must
 *          not be.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: acquire, as girt_ring_find.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_acquire(girt_ring *ring, const void *key,
                                       size_t key_size, uint32_t *node_id);

/**
 * Gives back one load, from any thread.
 *
 * Safe when the node has left meanwhile, or left and came back. Without a
 * bound, for an id that no node has, and on a node without load, it does
 * nothing.
 *
 * @param ring     the ring; NULL does nothing.
 * @param node_id  from girt_ring_acquire.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: release; a later acquire that counts it acquires it.
 * Since: 0.1
 */
GIRT_API void girt_ring_release(girt_ring *ring, uint32_t node_id);

/**
 * Copies out the name of a member.
 *
 * @param ring     the ring.
 * @param node_id  an id that a lookup gave.
 * @param buffer   filled with the name and a terminating zero, on GIRT_OK only.
 * @param size     of buffer; GIRT_RING_NAME_MAX + 1 bytes hold any name.
 * @return  GIRT_OK; GIRT_MISSING: no member has this id (any more);
 *          GIRT_E_TOO_LARGE: the name does not fit; GIRT_E_INVALID: ring or
 *          buffer is NULL, or size is 0.
 *
 * Threads: any.
 * Progress: lock-free; writes nothing shared.
 * Order: acquire, as girt_ring_find.
 * Since: 0.1
 */
GIRT_API girt_status girt_ring_name(girt_ring *ring, uint32_t node_id,
                                    char *buffer, size_t size);

/**
 * How many nodes the ring has.
 *
 * @param ring  the ring; NULL has none.
 * @return  the number of members, at an instant within the call.
 *
 * Threads: any.
 * Progress: lock-free; writes nothing shared.
 * Order: acquire, as girt_ring_find.
 * Since: 0.1
 */
GIRT_API size_t girt_ring_count(const girt_ring *ring);

/**
 * The fraction of all keys that a node owns.
 *
 * Exact: arcs of the circle (native, ketama), slots (maglev), weight over the
 * sum of weights (rendezvous, jump). Bounded load does not count here.
 *
 * @param ring  the ring.
 * @param name  the node's.
 * @return  0.0 to 1.0; 0.0 also if there is no such member or an argument is
 *          NULL.
 *
 * Threads: any.
 * Progress: lock-free; writes nothing shared; time grows with the points or
 * slots of the whole ring.
 * Order: acquire, as girt_ring_find.
 * Since: 0.1
 */
GIRT_API double girt_ring_share(girt_ring *ring, const char *name);

GIRT_END

#endif /* GIRT_RING_H */

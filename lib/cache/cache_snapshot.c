/* SPDX-License-Identifier: MIT */
/* cache_snapshot.c - the entries of a cache in a file, and back.
 *
 *   file:   [ "GIRTCACH" | version 1 | 0 | record ... | end ]
 *   record: [ key size: u32 | 1: u32 | value size: u64 | still to live: i64 ]
 *           value, key
 *   end:    [ entries: u32 | 2: u32 | 0: u64 | checksum of all before: u64 ]
 *
 * Numbers are little-endian.  "Still to live" is in nanoseconds, INT64_MAX for
 * ever, negative in the stale time.  The checksum is XXH3 over blocks of
 * 16 KiB, each seeded with the hash of those before.
 *
 * S1: restore reads the file twice, and stores nothing before the first time
 *     found every size within the file, the count and the checksum right.
 * S2: restore holds a block and one item, save a block and the items that it
 *     is writing: one, or some that take a sixteenth of bytes_max at most.  It
 *     owns these, so that they stay in the account when they leave. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <girt/hash.h>

#include "cache/cache_internal.h"

enum { BLOCK = 16 << 10, BATCH = 64, HEAD_BYTES = 16 };
enum { RECORD_ENTRY = 1, RECORD_END = 2 };
#define VERSION 1u
static const unsigned char magic[8] = "GIRTCACH";

typedef struct stream {
    int fd;
    girt_status status; /* the first that was not GIRT_OK */
    uint64_t sum;       /* of the blocks before this one */
    size_t at, end;     /* in block: next byte, and (reading) how many */
    uint64_t left;      /* reading: bytes of the file after this block */
    unsigned char block[BLOCK];
} stream;
_Static_assert(sizeof(stream) <= GIRT__STREAM_BYTES, "R1b");

typedef struct record {
    uint32_t key_size, kind;
    uint64_t value_size;
    int64_t left_ns;
} record;

/* GIRT_E_BUSY: as many run as may. */
static girt_status open_stream(girt_cache *cache, stream **out)
{
    if (!girt__room_reserve_stream(cache))
        return GIRT_E_BUSY;
    *out = girt__allocate(&cache->allocator, sizeof **out, 0);
    if (*out == NULL) {
        girt__room_return_stream(cache);
        return GIRT_E_NOMEM;
    }
    return GIRT_OK;
}

static void close_stream(girt_cache *cache, stream *s)
{
    girt__release(&cache->allocator, s, sizeof *s);
    girt__room_return_stream(cache);
}

/* ---- numbers ------------------------------------------------------------ */

static void store_number(unsigned char *to, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(number >> 8 * i);
}

static uint64_t load_number(const unsigned char *from, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number |= (uint64_t)from[i] << 8 * i;
    return number;
}

/* ---- writing ------------------------------------------------------------ */

static void flush(stream *s)
{
    s->sum = girt_hash(s->block, s->at, s->sum);
    for (size_t done = 0; done < s->at && s->status == GIRT_OK;) {
        const ssize_t wrote = write(s->fd, s->block + done, s->at - done);
        if (wrote > 0)
            done += (size_t)wrote;
        else if (wrote == 0 || errno != EINTR)
            s->status = GIRT_E_SYSTEM;
    }
    s->at = 0;
}

static void write_bytes(stream *s, const void *data, size_t size)
{
    const unsigned char *from = data;
    while (size != 0 && s->status == GIRT_OK) {
        const size_t part = size < BLOCK - s->at ? size : BLOCK - s->at;
        memcpy(s->block + s->at, from, part);
        s->at += part;
        from += part;
        size -= part;
        if (s->at == BLOCK)
            flush(s);
    }
}

static void write_number(stream *s, uint64_t number)
{
    unsigned char bytes[8];
    store_number(bytes, number, sizeof bytes);
    write_bytes(s, bytes, sizeof bytes);
}

/* All of a record but its last number. */
static void write_head(stream *s, const record *r)
{
    unsigned char bytes[HEAD_BYTES];
    store_number(bytes, r->key_size, 4);
    store_number(bytes + 4, r->kind, 4);
    store_number(bytes + 8, r->value_size, 8);
    write_bytes(s, bytes, sizeof bytes);
}

static bool write_item(stream *s, girt_cache *cache, girt__item *item,
                       int64_t now)
{
    if (item->missing || girt__item_age_at(cache, item, now) == GIRT__EXPIRED)
        return false;
    const record r = {item->key_size, RECORD_ENTRY, item->value_size,
                      item->expires_ns == GIRT__NEVER ? GIRT__NEVER
                                                      : item->expires_ns - now};
    write_head(s, &r);
    write_number(s, (uint64_t)r.left_ns);
    write_bytes(s, girt__item_value(item), item->value_size);
    write_bytes(s, item->key, item->key_size);
    return s->status == GIRT_OK;
}

/* The next slot of a shard's index to look at, by its chain. */
typedef struct cursor {
    uint32_t chain;
    size_t slot;
} cursor;

/* Items that are being written. */
typedef struct batch {
    girt__item *items[BATCH];
    size_t count, bytes, bytes_max;
} batch;

/* Owns a chain's items from a slot on; false: there are enough. */
static bool own_chain(girt__bucket *bucket, size_t *slot, batch *b)
{
    for (size_t first = 0; bucket != NULL; first += GIRT__BUCKET_ITEMS) {
        for (; *slot < first + GIRT__BUCKET_ITEMS; ++*slot) {
            girt__item *const item =
                girt_load_relaxed(&bucket->items[*slot - first]);
            if (item == NULL)
                continue;
            const size_t size = girt__item_size(item);
            if (b->count == BATCH ||
                (b->count != 0 && b->bytes + size > b->bytes_max))
                return false;
            (void)girt_add_relaxed(&item->holders, GIRT__OWNER);
            b->items[b->count++] = item;
            b->bytes += size;
        }
        bucket = girt_load_relaxed(&bucket->next);
    }
    return true;
}

/* Owns the items from the cursor on; false: there are none.  Items stay in
 * their slots, or are sent to a later chain by a split: none is passed over. */
static bool own_some(girt__shard *shard, cursor *at, batch *b)
{
    b->count = 0;
    b->bytes = 0;
    (void)pthread_mutex_lock(&shard->lock);
    while (at->chain < shard->index.bucket_count &&
           own_chain(girt__buckets_at(&shard->index, at->chain), &at->slot, b))
        *at = (cursor){at->chain + 1, 0};
    (void)pthread_mutex_unlock(&shard->lock);
    return b->count != 0;
}

static uint32_t save_shard(stream *s, girt_cache *cache, girt__shard *shard)
{
    uint32_t saved = 0;
    cursor at = {0, 0};
    batch b = {.bytes_max = cache->bytes_max / 16};
    const int64_t now = girt__clock_now(&cache->clock);
    while (own_some(shard, &at, &b)) {
        for (size_t i = 0; i < b.count; i++) {
            saved += write_item(s, cache, b.items[i], now);
            girt__item_disown(cache, b.items[i]);
        }
    }
    return saved;
}

girt_status girt_cache_save(girt_cache *cache, int fd)
{
    if (cache == NULL || fd < 0)
        return GIRT_E_INVALID;
    stream *s;
    const girt_status opened = open_stream(cache, &s);
    if (opened != GIRT_OK)
        return opened;
    s->fd = fd;
    s->status = GIRT_OK;
    s->sum = 0;
    s->at = 0;
    /* Items are held while they are written. */
    int state;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    write_bytes(s, magic, sizeof magic);
    write_number(s, VERSION);
    uint32_t saved = 0;
    for (size_t i = 0; i < cache->shard_count; i++)
        saved += save_shard(s, cache, &cache->shards[i]);
    write_head(s, &(record){saved, RECORD_END, 0, 0});
    write_number(s, girt_hash(s->block, s->at, s->sum));
    if (s->status == GIRT_OK)
        flush(s);
    const girt_status status = s->status;
    close_stream(cache, s);
    (void)pthread_setcancelstate(state, NULL);
    return status;
}

/* ---- reading ------------------------------------------------------------ */

static void fill(stream *s)
{
    s->sum = s->end == 0 ? 0 : girt_hash(s->block, s->end, s->sum);
    s->at = 0;
    s->end = 0;
    const size_t wanted = s->left < BLOCK ? (size_t)s->left : BLOCK;
    while (s->end < wanted && s->status == GIRT_OK) {
        const ssize_t got = read(s->fd, s->block + s->end, wanted - s->end);
        if (got > 0)
            s->end += (size_t)got;
        else if (got == 0)
            s->status = GIRT_E_CORRUPT; /* it was shortened */
        else if (errno != EINTR)
            s->status = GIRT_E_SYSTEM;
    }
    s->left -= s->end;
}

/* to NULL: passes over. */
static void read_bytes(stream *s, void *to, uint64_t size)
{
    unsigned char *into = to;
    if (s->status == GIRT_OK && size > s->left + (s->end - s->at))
        s->status = GIRT_E_CORRUPT;
    while (size != 0 && s->status == GIRT_OK) {
        if (s->at == s->end)
            fill(s);
        const size_t here = s->end - s->at;
        const size_t part = size < here ? (size_t)size : here;
        if (into != NULL) {
            memcpy(into, s->block + s->at, part);
            into += part;
        }
        s->at += part;
        size -= part;
    }
}

static record read_record(stream *s)
{
    unsigned char bytes[HEAD_BYTES] = {0};
    read_bytes(s, bytes, sizeof bytes);
    const record r = {(uint32_t)load_number(bytes, 4),
                      (uint32_t)load_number(bytes + 4, 4),
                      load_number(bytes + 8, 8), 0};
    return r;
}

static int64_t read_left(stream *s)
{
    unsigned char bytes[8] = {0};
    read_bytes(s, bytes, sizeof bytes);
    return (int64_t)load_number(bytes, 8);
}

/* Puts the stream at the beginning of a file of `size` bytes. */
static void begin_reading(stream *s, int fd, off_t start, uint64_t size)
{
    s->fd = fd;
    s->status = lseek(fd, start, SEEK_SET) < 0 ? GIRT_E_SYSTEM : GIRT_OK;
    s->sum = 0;
    s->at = 0;
    s->end = 0;
    s->left = size;
    unsigned char head[16] = {0};
    read_bytes(s, head, sizeof head);
    if (s->status == GIRT_OK && (memcmp(head, magic, sizeof magic) != 0 ||
                                 load_number(head + 8, 8) != VERSION))
        s->status = GIRT_E_CORRUPT;
}

/* As the writer has it, whose block is empty when ours is read to its end. */
static uint64_t sum_so_far(const stream *s)
{
    const uint64_t sum = girt_hash(s->block, s->at, s->sum);
    return s->at == BLOCK ? girt_hash(s->block, 0, sum) : sum;
}

/* S1. */
static girt_status check(stream *s)
{
    uint32_t entries = 0;
    /* Each turn passes over at least a record's 24 bytes. */
    while (s->status == GIRT_OK) {
        const record r = read_record(s);
        const uint64_t sum = sum_so_far(s);
        const int64_t left_ns = read_left(s);
        if (s->status != GIRT_OK)
            break;
        if (r.kind == RECORD_END)
            return r.key_size == entries && r.value_size == 0 &&
                           (uint64_t)left_ns == sum && s->left == 0 &&
                           s->at == s->end
                       ? GIRT_OK
                       : GIRT_E_CORRUPT;
        if (r.kind != RECORD_ENTRY || r.value_size > PTRDIFF_MAX)
            return GIRT_E_CORRUPT;
        read_bytes(s, NULL, r.value_size);
        read_bytes(s, NULL, r.key_size);
        entries++;
    }
    return s->status;
}

static girt_status restore_item(girt_cache *cache, girt__item *item,
                                int64_t left_ns, int64_t now)
{
    item->hash = girt__cache_hash(cache, item->key, item->key_size);
    item->expires_ns =
        left_ns == GIRT__NEVER ? GIRT__NEVER : girt__add_time(now, left_ns);
    girt_status status = GIRT_MISSING;
    if (girt__item_age_at(cache, item, now) != GIRT__EXPIRED)
        status = girt__cache_store(cache, item, NULL, true);
    if (status == GIRT_OK)
        return GIRT_OK;
    girt__item_disown(cache, item);
    return status == GIRT_E_NOMEM ? status : GIRT_OK;
}

static girt_status restore_all(girt_cache *cache, stream *s)
{
    const int64_t now = girt__clock_now(&cache->clock);
    while (s->status == GIRT_OK) {
        const record r = read_record(s);
        const int64_t left_ns = read_left(s);
        if (s->status != GIRT_OK || r.kind != RECORD_ENTRY)
            break;
        size_t size;
        if (!girt__item_fits(cache, r.key_size, r.value_size, &size)) {
            read_bytes(s, NULL, r.value_size);
            read_bytes(s, NULL, r.key_size);
            continue;
        }
        girt__item *item = NULL;
        const girt_status status =
            girt__item_create(cache, 0, r.key_size, r.value_size, true, &item);
        if (status != GIRT_OK)
            return status;
        read_bytes(s, girt__item_value(item), r.value_size);
        read_bytes(s, item->key, r.key_size);
        if (s->status != GIRT_OK) {
            girt__item_disown(cache, item);
            break;
        }
        const girt_status stored = restore_item(cache, item, left_ns, now);
        if (stored != GIRT_OK)
            return stored;
    }
    return s->status;
}

girt_status girt_cache_restore(girt_cache *cache, int fd)
{
    if (cache == NULL || fd < 0)
        return GIRT_E_INVALID;
    struct stat about;
    const off_t start = lseek(fd, 0, SEEK_CUR);
    if (start < 0 || fstat(fd, &about) != 0)
        return GIRT_E_SYSTEM;
    if (!S_ISREG(about.st_mode) || about.st_size < start)
        return GIRT_E_CORRUPT;
    stream *s;
    girt_status status = open_stream(cache, &s);
    if (status != GIRT_OK)
        return status;
    int state;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    const uint64_t size = (uint64_t)(about.st_size - start);
    begin_reading(s, fd, start, size);
    status = check(s);
    if (status == GIRT_OK) {
        begin_reading(s, fd, start, size);
        status = restore_all(cache, s);
    }
    close_stream(cache, s);
    (void)pthread_setcancelstate(state, NULL);
    return status;
}

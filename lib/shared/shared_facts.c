/* SPDX-License-Identifier: MIT */
/* shared_facts.c - what a segment says of itself, and whether to believe it.
 *
 * The check is a hash with a known seed: it finds damage and foreign files, not
 * forgery.  Who may write to a segment is a matter of its owner and mode, and
 * everything that is read from one is bounded all the same. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <girt/hash.h>

#include "core/process.h"
#include "limiter/limiter_shared.h"
#include "shared/shared_internal.h"

#define CHECK_SEED UINT64_C(0x6769727420736567)

/* Whoever lays out anything in a segment in another way changes this. */
static uint64_t layout_hash(void)
{
    uint64_t const layout[] = {
        sizeof(void *),
        sizeof(girt__shared_header),
        GIRT_SHARED_PARTS,
        offsetof(girt__shared_header, making),
        offsetof(girt__shared_header, parts),
        girt__limiter_bytes(),
        girt__keyed_block_bytes(),
    };
    return girt_hash(layout, sizeof layout, CHECK_SEED);
}

static uint64_t check_of(const girt__shared_facts *facts)
{
    return girt_hash(facts, offsetof(girt__shared_facts, check), CHECK_SEED);
}

/* The boot's random id, as bytes; zeros where there is none. */
static void read_boot(uint8_t boot[GIRT__SHARED_BOOT_BYTES])
{
    memset(boot, 0, GIRT__SHARED_BOOT_BYTES);
    int state; /* these are cancellation points, our callers are not */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    int const file =
        open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    char text[64];
    ssize_t const got = file < 0 ? -1 : read(file, text, sizeof text);
    if (file >= 0)
        (void)close(file);
    (void)pthread_setcancelstate(state, NULL);
    if (got <= 0)
        return;
    uint64_t const halves[2] = {girt_hash(text, (size_t)got, 1),
                                girt_hash(text, (size_t)got, 2)};
    memcpy(boot, halves, sizeof halves);
}

/* Where pids, and the starts and the monotonic clock that go by a time
 * namespace, mean the same; 0: unknown. */
static uint64_t namespaces(void)
{
    struct stat pids, times;
    if (stat("/proc/self/ns/pid", &pids) != 0)
        return 0;
    uint64_t const time =
        stat("/proc/self/ns/time", &times) == 0 ? (uint64_t)times.st_ino : 0;
    return ((uint64_t)pids.st_ino << 32 ^ time) | 1;
}

void girt__shared_facts_fill(girt__shared_facts *facts, size_t bytes,
                             size_t page, size_t parts_at)
{
    *facts = (girt__shared_facts){
        .magic = GIRT__SHARED_MAGIC,
        .version = GIRT__SHARED_VERSION,
        .page = (uint32_t)page,
        .layout = layout_hash(),
        .bytes = bytes,
        .parts_at = parts_at,
        .creator = girt__process_self(),
        .spaces = namespaces(),
    };
    read_boot(facts->boot);
    facts->check = check_of(facts);
}

/* Made here, since this boot, by a process whose pid we would know? */
static bool is_of_this_host(const girt__shared_facts *facts)
{
    static const uint8_t unknown[GIRT__SHARED_BOOT_BYTES];
    uint8_t boot[GIRT__SHARED_BOOT_BYTES];
    read_boot(boot);
    uint64_t const spaces = namespaces();
    bool const same_boot = memcmp(facts->boot, unknown, sizeof boot) == 0 ||
                           memcmp(boot, unknown, sizeof boot) == 0 ||
                           memcmp(facts->boot, boot, sizeof boot) == 0;
    return same_boot &&
           (facts->spaces == 0 || spaces == 0 || facts->spaces == spaces);
}

girt_status girt__shared_facts_check(const girt__shared_facts *facts,
                                     size_t bytes)
{
    if (facts->magic != GIRT__SHARED_MAGIC)
        return GIRT_E_CORRUPT;
    if (facts->version != GIRT__SHARED_VERSION)
        return GIRT_E_INVALID;
    if (facts->check != check_of(facts) || facts->bytes != bytes)
        return GIRT_E_CORRUPT;
    if (facts->layout != layout_hash() || !is_of_this_host(facts))
        return GIRT_E_INVALID;
    uint64_t const page = facts->page;
    if (page < 4096 || (page & (page - 1)) != 0 ||
        page % (uint64_t)sysconf(_SC_PAGESIZE) != 0 ||
        facts->parts_at % page != 0 || bytes % page != 0 ||
        facts->parts_at < sizeof(girt__shared_header) ||
        facts->parts_at > bytes)
        return GIRT_E_CORRUPT;
    return GIRT_OK;
}

/*
 * inside: what was validly seen of names.
 *
 * Contained in: analyze, tests. Must never: answer from the absence of an entry.
 */
#include "analyze/validate/inside.h"

#include "analyze/validate/world.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* 64-bit keyed hashes of (name, zone) or (name, address): 8 MiB; a false hit has probability 2^-43
 * for a full table, and is not open to an attacker who does not know the seed. Full, it starts
 * over. */
#define INSIDE_SLOTS ((size_t)1 << 20)

struct inside {
    uint64_t seed;
    size_t used;
    uint64_t slot[INSIDE_SLOTS];
};

struct inside *inside_new(uint64_t seed)
{
    struct inside *inside = calloc(1, sizeof *inside);
    if (inside)
        inside->seed = seed;
    return inside;
}

void inside_free(struct inside *inside)
{
    free(inside);
}

static uint64_t key_of(const struct inside *inside, const uint8_t *name, uint64_t with)
{
    uint64_t key = XXH3_64bits_withSeed(name, name_size(name), inside->seed ^ with);
    return key ? key : 1;
}

static void add(struct inside *inside, uint64_t key)
{
    if (inside->used > INSIDE_SLOTS / 2) {
        memset(inside->slot, 0, sizeof inside->slot);
        inside->used = 0;
    }
    size_t at = key & (INSIDE_SLOTS - 1);
    while (inside->slot[at] && inside->slot[at] != key)
        at = (at + 1) & (INSIDE_SLOTS - 1);
    inside->used += inside->slot[at] == 0;
    inside->slot[at] = key;
}

static bool has(const struct inside *inside, uint64_t key)
{
    size_t at = key & (INSIDE_SLOTS - 1);
    while (inside->slot[at] && inside->slot[at] != key)
        at = (at + 1) & (INSIDE_SLOTS - 1);
    return inside->slot[at] == key;
}

void inside_add(struct inside *inside, const uint8_t *name, const struct zone *zone)
{
    add(inside, key_of(inside, name, zone->hash));
}

bool inside_has(const struct inside *inside, const uint8_t *name, const struct zone *zone)
{
    return has(inside, key_of(inside, name, zone->hash));
}

/* --- addresses --- */

#define ANY_ADDRESS UINT64_C(1) /* the name has one that is known */

static uint64_t with_address(const uint8_t v4[4])
{
    return XXH3_64bits(v4, 4);
}

void addresses_add(struct inside *inside, const struct rrset *a)
{
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(a, r, &size)) != NULL;)
        if (size == 4)
            add(inside, key_of(inside, a->owner, with_address(r)));
    add(inside, key_of(inside, a->owner, ANY_ADDRESS));
}

/* RFC 6052 2.2: behind a prefix of so many bytes, around byte 8, which is zero, and zeros after it.
 */
static bool embedded(const uint8_t v6[16], size_t prefix, uint8_t ret_v4[4])
{
    static const uint8_t zeros[16];
    size_t at = prefix;
    for (size_t i = 0; i < 4; i++) {
        at += at == 8 && prefix < 12;
        ret_v4[i] = v6[at++];
    }
    if (prefix < 12 && at == 8)
        at++;
    return (prefix == 12 || v6[8] == 0) && memcmp(v6 + at, zeros, 16 - at) == 0;
}

static bool translated_behind(const struct inside *inside, const struct rrset *aaaa, size_t prefix)
{
    uint16_t size;
    const uint8_t *first = NULL;
    uint8_t v4[4];
    for (const uint8_t *r = NULL; (r = rrset_record(aaaa, r, &size)) != NULL;) {
        first = first ? first : r;
        if (size != 16 || memcmp(r, first, prefix) != 0 || !embedded(r, prefix, v4) ||
            !has(inside, key_of(inside, aaaa->owner, with_address(v4))))
            return false;
    }
    return first != NULL;
}

static bool well_known(const struct rrset *aaaa)
{
    static const uint8_t prefix[12] = {0x00, 0x64, 0xff, 0x9b};
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(aaaa, r, &size)) != NULL;)
        if (size != 16 || memcmp(r, prefix, sizeof prefix) != 0)
            return false;
    return aaaa->count > 0;
}

bool addresses_translated(const struct inside *inside, const struct rrset *aaaa)
{
    static const uint8_t prefixes[] = {12, 8, 7, 6, 5, 4};
    if (!has(inside, key_of(inside, aaaa->owner, ANY_ADDRESS)))
        return well_known(aaaa);
    for (size_t i = 0; i < sizeof prefixes; i++)
        if (translated_behind(inside, aaaa, prefixes[i]))
            return true;
    return false;
}

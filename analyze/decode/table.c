/*
 * table: fixed entries by key; see table.h.
 *
 * Contained in: analyze, tests. Must never: grow.
 */
#define XXH_INLINE_ALL

#include "analyze/decode/table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define NONE       UINT32_MAX
#define PROBES_MAX 64

struct links {
    uint32_t hash;
    uint32_t next, previous; /* in the bucket; previous NONE: the bucket points here */
    uint32_t newer, older;
    uint32_t reserved;
};

struct table {
    uint32_t capacity, count, used; /* used: places that ever held an entry */
    uint32_t newest, oldest, spare; /* spare: removed places, linked by next */
    uint32_t mask;
    size_t key_size, stride;
    uint32_t *buckets;
    uint8_t *places;
    table_give_way *give_way;
    void *context;
};

static struct links *links_of(const struct table *t, uint32_t place)
{
    return (struct links *)(void *)(t->places + place * t->stride);
}

static void *entry_of(const struct table *t, uint32_t place)
{
    return place == NONE ? NULL : (void *)(links_of(t, place) + 1);
}

static uint32_t place_of(const struct table *t, const void *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - sizeof(struct links) - t->places) /
                      t->stride);
}

struct table *table_new(size_t capacity, size_t entry_size, size_t key_size,
                        table_give_way *give_way, void *context)
{
    struct table *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    uint32_t buckets = 16;
    while (buckets < 2 * capacity)
        buckets *= 2;
    t->capacity = (uint32_t)capacity;
    t->mask = buckets - 1;
    t->key_size = key_size;
    t->stride = (sizeof(struct links) + entry_size + 7) / 8 * 8;
    t->newest = t->oldest = t->spare = NONE;
    t->give_way = give_way;
    t->context = context;
    t->places = calloc(capacity, t->stride); /* pages are touched when they are used */
    t->buckets = malloc(buckets * sizeof(*t->buckets));
    if (!t->places || !t->buckets) {
        table_free(t);
        return NULL;
    }
    memset(t->buckets, 0xff, buckets * sizeof(*t->buckets));
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    free(t->places);
    free(t->buckets);
    free(t);
}

static uint32_t hash_key(const struct table *t, const void *key)
{
    return (uint32_t)XXH3_64bits(key, t->key_size);
}

static void *search(const struct table *t, uint32_t place, uint32_t hash, const void *key)
{
    for (unsigned probes = 0; place != NONE && probes < PROBES_MAX; probes++) {
        struct links *l = links_of(t, place);
        if (l->hash == hash && memcmp(l + 1, key, t->key_size) == 0)
            return l + 1;
        place = l->next;
    }
    return NULL;
}

void *table_find(struct table *t, const void *key)
{
    uint32_t hash = hash_key(t, key);
    return search(t, t->buckets[hash & t->mask], hash, key);
}

void *table_find_next(struct table *t, void *entry)
{
    const struct links *l = links_of(t, place_of(t, entry));
    return search(t, l->next, l->hash, entry);
}

static void age_unlink(struct table *t, const struct links *l)
{
    if (l->newer != NONE)
        links_of(t, l->newer)->older = l->older;
    else
        t->newest = l->older;
    if (l->older != NONE)
        links_of(t, l->older)->newer = l->newer;
    else
        t->oldest = l->newer;
}

static void age_link(struct table *t, uint32_t place)
{
    struct links *l = links_of(t, place);
    l->newer = NONE;
    l->older = t->newest;
    if (t->newest != NONE)
        links_of(t, t->newest)->newer = place;
    else
        t->oldest = place;
    t->newest = place;
}

static void unlink_place(struct table *t, uint32_t place)
{
    const struct links *l = links_of(t, place);
    if (l->previous != NONE)
        links_of(t, l->previous)->next = l->next;
    else
        t->buckets[l->hash & t->mask] = l->next;
    if (l->next != NONE)
        links_of(t, l->next)->previous = l->previous;
    age_unlink(t, l);
    t->count--;
}

/* A place to use: a spare one, a new one, or the oldest one's. */
static uint32_t take_place(struct table *t)
{
    uint32_t place = t->spare;
    if (place != NONE) {
        t->spare = links_of(t, place)->next;
        return place;
    }
    if (t->used < t->capacity)
        return t->used++;
    place = t->oldest;
    if (t->give_way)
        t->give_way(t->context, entry_of(t, place));
    unlink_place(t, place);
    return place;
}

void *table_insert(struct table *t, const void *key)
{
    uint32_t place = take_place(t);
    struct links *l = links_of(t, place);
    l->hash = hash_key(t, key);
    uint32_t *bucket = &t->buckets[l->hash & t->mask];
    l->previous = NONE;
    l->next = *bucket;
    if (l->next != NONE)
        links_of(t, l->next)->previous = place;
    *bucket = place;
    age_link(t, place);
    t->count++;
    memcpy(l + 1, key, t->key_size);
    return l + 1;
}

void table_remove(struct table *t, void *entry)
{
    uint32_t place = place_of(t, entry);
    unlink_place(t, place);
    links_of(t, place)->next = t->spare;
    t->spare = place;
}

void table_touch(struct table *t, void *entry)
{
    uint32_t place = place_of(t, entry);
    if (t->newest == place)
        return;
    age_unlink(t, links_of(t, place));
    age_link(t, place);
}

void *table_oldest(struct table *t)
{
    return entry_of(t, t->oldest);
}

void *table_newer(struct table *t, void *entry)
{
    return entry_of(t, links_of(t, place_of(t, entry))->newer);
}

size_t table_count(const struct table *t)
{
    return t->count;
}

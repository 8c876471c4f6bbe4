/*
 * resolvers: a set-associative table of addresses.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/follow/resolvers.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SETS 1024u
#define WAYS 4u

struct resolvers {
    uint64_t seed;
    struct resolver place[SETS][WAYS];
};

struct resolvers *resolvers_new(uint64_t seed)
{
    struct resolvers *r = calloc(1, sizeof *r);
    if (r)
        r->seed = seed;
    return r;
}

void resolvers_free(struct resolvers *r)
{
    for (size_t set = 0; r && set < SETS; set++)
        for (size_t way = 0; way < WAYS; way++)
            free(r->place[set][way].example);
    free(r);
}

struct resolver *resolvers_at(struct resolvers *table, uint8_t family, const uint8_t address[16],
                              int64_t time_ns)
{
    struct resolver *set =
        table->place[XXH3_64bits_withSeed(address, 16, table->seed + family) % SETS];
    struct resolver *r = set;
    for (size_t way = 0; way < WAYS; way++) {
        if (set[way].family == family && memcmp(set[way].address, address, 16) == 0) {
            set[way].last_ns = time_ns;
            return &set[way];
        }
        if (set[way].family == 0 || (r->family && set[way].last_ns < r->last_ns))
            r = &set[way];
    }
    free(r->example);
    *r = (struct resolver){.family = family,
                           .last_ns = time_ns,
                           .answered_ns = INT64_MIN,
                           .other_ns = INT64_MIN,
                           .from_ns = INT64_MIN,
                           .ad_ns = INT64_MIN};
    memcpy(r->address, address, sizeof r->address);
    return r;
}

void resolvers_answered(struct resolver *r, const void *zone, int64_t time_ns)
{
    if (r->zone != zone) {
        r->other_ns = r->answered_ns;
        r->zone = zone;
    }
    r->answered_ns = time_ns;
}

bool resolvers_answered_others(const struct resolver *r, const void *zone, int64_t since_ns)
{
    int64_t last = r->zone != zone ? r->answered_ns : r->other_ns;
    return last != INT64_MIN && last >= since_ns;
}

void resolvers_begin(struct resolver *r, int64_t time_ns)
{
    r->from_ns = time_ns;
    r->with_ad = r->without_ad = 0;
    r->examples = 0;
}

bool resolvers_example(struct resolver *r, uint64_t hash, const uint8_t *name, uint16_t type,
                       uint64_t frame)
{
    for (size_t i = 0; i < r->examples; i++)
        if (r->example[i].hash == hash)
            return false;
    if (r->example == NULL)
        r->example = malloc(RESOLVERS_EXAMPLES * sizeof *r->example);
    if (r->example == NULL || r->examples == RESOLVERS_EXAMPLES)
        return false;
    struct resolvers_example *e = &r->example[r->examples++];
    e->hash = hash;
    e->frame = frame;
    e->type = type;
    memcpy(e->name, name, name_size(name));
    return true;
}

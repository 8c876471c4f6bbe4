/*
 * roll_table: the memory of a zone's rolls: keys, servers, caches; and room for new ones.
 *
 * Contained in: analyze, tests. Must never grow with traffic beyond its limits.
 */
#include "analyze/follow/roll_check.h"

#include "analyze/key.h"

#include <stdlib.h>
#include <string.h>

#define SERVERS_FIRST 4
#define KEYS_FIRST    4
#define CACHES_FIRST  2

/* --- memory --- */

struct roll *roll_table_of(struct world *w, struct zone *zone)
{
    if (zone->roll)
        return zone->roll;
    struct roll *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->bytes = sizeof *r;
    r->next_ns = INT64_MAX;
    r->renumbered = 1;
    r->anchored = zone->anchored;
    w->zone_bytes += r->bytes;
    return zone->roll = r;
}

void *roll_table_take(struct world *w, struct roll *r, size_t size)
{
    void *block = calloc(1, size);
    if (block) {
        r->bytes += size;
        w->zone_bytes += size;
    }
    return block;
}

/* The array with double its room, up to `most`; the new entries are zero. NULL: it stays as it is.
 */
static void *grow(struct world *w, struct roll *r, void *array, uint8_t *room, uint8_t first,
                  uint8_t most, size_t size)
{
    unsigned wanted = *room ? *room * 2u : first;
    if (*room == most)
        return NULL;
    wanted = wanted < most ? wanted : most;
    uint8_t *more = realloc(array, wanted * size);
    if (more == NULL)
        return NULL;
    size_t added = (wanted - *room) * size;
    memset(more + *room * size, 0, added);
    *room = (uint8_t)wanted;
    r->bytes += added;
    w->zone_bytes += added;
    return more;
}

static void give_back(struct world *w, struct roll *r, void *block, size_t size)
{
    free(block);
    r->bytes -= size;
    w->zone_bytes -= size;
}

/* --- making room: what no cache holds any more, and no server serves --- */

static uint16_t bits_below(uint16_t bits, uint8_t at)
{
    return (uint16_t)(bits & ((1u << at) - 1));
}

/* The bit `at` is taken out, those above it move down. */
static uint16_t without_bit(uint16_t bits, uint8_t at)
{
    return (uint16_t)(bits_below(bits, at) | (bits >> (at + 1) << at));
}

static uint8_t without_index(uint8_t index, uint8_t at)
{
    return index == at || index == ROLL_NONE ? ROLL_NONE : index > at ? index - 1 : index;
}

static void drop_key(struct world *w, struct roll *r, uint8_t at)
{
    give_back(w, r, r->key[at].rdata, r->key[at].size);
    memmove(&r->key[at], &r->key[at + 1], (size_t)(r->keys - at - 1) * sizeof *r->key);
    r->keys--;
    for (uint8_t i = 0; i < r->keys; i++)
        r->key[i].follows = without_index(r->key[i].follows, at);
    for (uint8_t i = 0; i < r->sets; i++) {
        r->set[i].keys = without_bit(r->set[i].keys, at);
        r->set[i].entries = without_bit(r->set[i].entries, at);
        r->set[i].revoked = without_bit(r->set[i].revoked, at);
    }
    for (uint8_t i = 0; i < r->dss; i++)
        r->ds[i].keys = without_bit(r->ds[i].keys, at);
    for (uint8_t i = 0; i < r->groups; i++)
        r->group[i].keys = without_bit(r->group[i].keys, at);
    for (uint8_t i = 0; i < r->hazards; i++)
        r->hazard[i].roll = without_index(r->hazard[i].roll, at);
}

static void drop_set(struct roll *r, uint8_t at)
{
    memmove(&r->set[at], &r->set[at + 1], (size_t)(r->sets - at - 1) * sizeof *r->set);
    r->sets--;
    for (uint8_t i = 0; i < r->sets; i++)
        r->set[i].after = (uint8_t)without_bit(r->set[i].after, at);
    for (uint8_t i = 0; i < r->server_room; i++)
        r->server[i].set = without_index(r->server[i].set, at);
    for (uint8_t i = 0; i < r->hazards; i++) {
        r->hazard[i].newer = without_index(r->hazard[i].newer, at);
        r->hazard[i].older = without_index(r->hazard[i].older, at);
    }
    for (uint8_t i = 0; i < r->caches; i++) {
        r->cache[i].set = without_index(r->cache[i].set, at);
        r->cache[i].before = without_index(r->cache[i].before, at);
    }
}

static void drop_group(struct world *w, struct roll *r, uint8_t at)
{
    give_back(w, r, r->group[at].owner, name_size(r->group[at].owner));
    memmove(&r->group[at], &r->group[at + 1], (size_t)(r->groups - at - 1) * sizeof *r->group);
    r->groups--;
    if (++r->renumbered == 0)
        r->renumbered = 1;
}

static bool is_served(const struct roll *r, uint8_t set)
{
    for (uint8_t i = 0; i < r->server_room; i++)
        if (r->server[i].family && r->server[i].set == set)
            return true;
    return false;
}

static bool is_used(const struct roll *r, uint8_t key)
{
    uint16_t used = 0;
    for (uint8_t i = 0; i < r->sets; i++)
        used |= r->set[i].keys;
    for (uint8_t i = 0; i < r->groups; i++)
        used |= r->group[i].keys;
    for (uint8_t i = 0; i < r->dss; i++)
        used |= r->ds[i].keys;
    for (uint8_t i = 0; i < r->keys; i++)
        if (r->key[i].follows != ROLL_NONE && !r->key[i].gone)
            used |= (uint16_t)(1u << r->key[i].follows);
    return used >> key & 1;
}

void roll_table_tidy(struct world *w, struct roll *r, int64_t now_ns)
{
    if (r->events)
        return; /* they name what would move */
    for (uint8_t i = r->sets; i-- > 0;)
        if (!is_served(r, i) && roll_cached(r->set[i].last_ns, r->set[i].ttl) < now_ns)
            drop_set(r, i);
    for (uint8_t i = r->groups; i-- > 0;)
        if (r->groups > 1 && r->group[i].until_ns < now_ns)
            drop_group(w, r, i);
    for (uint8_t i = r->keys; i-- > 0;)
        if (!is_used(r, i))
            drop_key(w, r, i);
}

/* --- keys --- */

/* One key has one algorithm and one key field; its flags may change (RFC 5011). */
static bool is_key(const struct roll_key *k, const uint8_t *rdata, uint16_t size)
{
    return k->size == size && memcmp(k->rdata + 2, rdata + 2, size - 2u) == 0;
}

uint8_t roll_table_find(const struct roll *r, const uint8_t *rdata, uint16_t size)
{
    for (uint8_t i = 0; i < r->keys; i++)
        if (size >= 4 && is_key(&r->key[i], rdata, size))
            return i;
    return ROLL_NONE;
}

uint16_t roll_table_named(const struct zone *zone, const struct rrset *ds)
{
    const struct roll *r = zone->roll;
    uint16_t named = 0, size;
    for (const uint8_t *d = NULL; (d = rrset_record(ds, d, &size)) != NULL;)
        for (uint8_t i = 0; i < r->keys; i++)
            if (key_matches_ds(zone->name, r->key[i].rdata, r->key[i].size, d, size) ==
                KEY_DS_MATCHES)
                named |= (uint16_t)(1u << i);
    return named;
}

uint8_t roll_table_add(struct world *w, struct zone *zone, const uint8_t *rdata, uint16_t size,
                       int64_t first_ns)
{
    struct roll *r = zone->roll;
    if (r->keys == ROLL_KEYS_MAX)
        roll_table_tidy(w, r, first_ns);
    struct roll_key *more = r->keys < r->key_room ? r->key
                                                  : grow(w, r, r->key, &r->key_room, KEYS_FIRST,
                                                         ROLL_KEYS_MAX, sizeof *r->key);
    r->key = more ? more : r->key;
    uint8_t *copy = more ? roll_table_take(w, r, size) : NULL;
    if (copy == NULL) {
        r->more++;
        return ROLL_NONE;
    }
    memcpy(copy, rdata, size);
    copy[1] &= (uint8_t)~KEY_FLAG_REVOKE;
    r->key[r->keys] = (struct roll_key){.rdata = copy,
                                        .size = size,
                                        .flags = (uint16_t)(copy[0] << 8 | copy[1]),
                                        .tag = key_tag(copy, size),
                                        .first_ns = first_ns,
                                        .published_ns = INT64_MIN,
                                        .signs_ns = INT64_MIN,
                                        .entry_ns = INT64_MIN,
                                        .follows = ROLL_NONE};
    r->keys++;
    for (uint8_t i = 0; i < r->dss; i++)
        r->ds[i].keys = roll_table_named(zone, r->ds[i].set);
    return (uint8_t)(r->keys - 1);
}

/* --- servers --- */

/* The server's entry; the one that was silent longest gives way. NULL: no memory. */
struct roll_server *roll_table_server(struct world *w, struct roll *r, const struct flow *flow)
{
    struct roll_server *oldest = NULL;
    for (uint8_t i = 0; i < r->server_room; i++) {
        struct roll_server *s = &r->server[i];
        if (s->family == flow->family && memcmp(s->address, flow->src, sizeof s->address) == 0)
            return s;
        if (oldest == NULL || (oldest->family && (!s->family || s->last_ns < oldest->last_ns)))
            oldest = s;
    }
    uint8_t before = r->server_room;
    struct roll_server *more = NULL;
    if (oldest == NULL || oldest->family)
        more = grow(w, r, r->server, &r->server_room, SERVERS_FIRST, ROLL_SERVERS_MAX,
                    sizeof *r->server);
    if (more) {
        r->server = more;
        oldest = more + before;
    }
    if (oldest == NULL)
        return NULL;
    *oldest = (struct roll_server){.family = flow->family, .set = ROLL_NONE, .last_ns = INT64_MIN};
    memcpy(oldest->address, flow->src, sizeof oldest->address);
    return oldest;
}

/* --- who was served --- */

static int64_t last_served(const struct roll_cache *c)
{
    return c->set_ns > c->ds_ns ? c->set_ns : c->ds_ns;
}

/* The entry of the receiver; the one that was served longest ago gives way. */
struct roll_cache *roll_table_cache(struct world *w, struct roll *r, const struct flow *flow)
{
    struct roll_cache *c = NULL;
    for (uint8_t i = 0; i < r->caches; i++) {
        if (r->cache[i].family == flow->family &&
            memcmp(r->cache[i].address, flow->dst, sizeof flow->dst) == 0)
            return &r->cache[i];
        if (c == NULL || last_served(&r->cache[i]) < last_served(c))
            c = &r->cache[i];
    }
    struct roll_cache *more =
        r->caches < r->cache_room
            ? r->cache
            : grow(w, r, r->cache, &r->cache_room, CACHES_FIRST, ROLL_CACHES_MAX, sizeof *r->cache);
    if (more) {
        r->cache = more;
        c = &more[r->caches++];
    }
    if (c == NULL)
        return NULL;
    *c = (struct roll_cache){.family = flow->family,
                             .set = ROLL_NONE,
                             .before = ROLL_NONE,
                             .ds = ROLL_NONE,
                             .set_ns = INT64_MIN,
                             .before_ns = INT64_MIN,
                             .ds_ns = INT64_MIN,
                             .restless_ns = INT64_MIN,
                             .restless_from_ns = INT64_MIN};
    memcpy(c->address, flow->dst, sizeof c->address);
    return c;
}

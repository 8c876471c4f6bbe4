/*
 * roll: notes of what authoritative servers serve; what it means is in roll_check.c and
 * roll_unsafe.c.
 *
 * Contained in: analyze, tests. Must never: change a verdict, or grow with traffic beyond its
 * limits.
 */
#include "analyze/follow/roll.h"

#include "analyze/canon.h"
#include "analyze/follow/roll_check.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/judge.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_CDS     59
#define TYPE_CDNSKEY 60
#define SECOND_NS    INT64_C(1000000000)
/* Several answers so close together are one question, asked of several servers. */
#define RETRY_NS (SECOND_NS / 5)

/* --- memory --- */

size_t roll_free(struct roll *r)
{
    if (r == NULL)
        return 0;
    size_t bytes = r->bytes;
    for (uint8_t i = 0; i < r->keys; i++)
        free(r->key[i].rdata);
    for (uint8_t i = 0; i < r->dss; i++)
        r->ds[i].set->held--;
    for (uint8_t i = 0; i < r->groups; i++)
        free(r->group[i].owner);
    free(r->key);
    free(r->server);
    free(r->cache);
    free(r->event);
    free(r);
    return bytes;
}

void roll_forget(struct roll *r)
{
    for (uint8_t i = 0; r && i < r->server_room; i++)
        r->server[i].rrset = NULL;
}

/* --- DNSKEY RRsets --- */

/* Asked again before nine tenths of the TTL had passed: not by who has it, and prefetches. */
static void note_early(struct roll_cache *c, int64_t before_ns, int64_t now_ns, uint32_t ttl)
{
    int64_t age_ns = flow_elapsed(before_ns, now_ns);
    if (before_ns == INT64_MIN || age_ns <= RETRY_NS ||
        age_ns >= (int64_t)ttl * (SECOND_NS / 10 * 9))
        return;
    if (c->restless_ns == INT64_MIN || roll_cached(c->restless_ns, ttl) < now_ns)
        c->restless_from_ns = now_ns;
    c->restless_ns = now_ns;
}

/* Fills keys, who signs and who is revoked; false if that cannot be told. */
static bool read_set(struct world *w, struct zone *zone, struct rrset *set, int64_t first_ns,
                     struct roll_set *ret)
{
    uint16_t size;
    *ret = (struct roll_set){.ttl = set->signature[0].original_ttl,
                             .inception = set->signature[0].inception,
                             .known_ns = set->first_seen_ns,
                             .left_ns = INT64_MIN};
    for (const uint8_t *k = NULL; (k = rrset_record(set, k, &size)) != NULL;) {
        if (size < 4 || !(k[0] & KEY_FLAG_ZONE >> 8))
            continue;
        uint8_t at = roll_table_find(zone->roll, k, size);
        if (at == ROLL_NONE)
            at = roll_table_add(w, zone, k, size, first_ns);
        if (at == ROLL_NONE)
            return false;
        uint16_t bit = (uint16_t)(1u << at);
        ret->keys |= bit;
        if (k[1] & KEY_FLAG_REVOKE)
            ret->revoked |= bit;
        else if (judge_signed_with(w, set, k, size))
            ret->entries |= bit;
    }
    for (uint8_t i = 1; i < set->signatures; i++)
        if ((int32_t)(set->signature[i].inception - ret->inception) > 0)
            ret->inception = set->signature[i].inception;
    ret->inceptions = ret->inception;
    return true;
}

static uint8_t find_set(const struct roll *r, const struct roll_set *like)
{
    for (uint8_t i = 0; i < r->sets; i++)
        if (r->set[i].keys == like->keys && r->set[i].entries == like->entries &&
            r->set[i].revoked == like->revoked)
            return i;
    return ROLL_NONE;
}

/* Keys of nobody's trust count only where a server, that had trusted ones, exchanged them and kept
 * some: a step that went wrong, not somebody else's zone. */
static bool is_exchange(const struct roll *r, const struct roll_server *server,
                        const struct rrset *set, enum reason reason)
{
    if (server->set == ROLL_NONE ||
        (reason != REASON_DS_MISMATCH && reason != REASON_DNSKEY_UNSIGNED &&
         reason != REASON_ANCHOR_MISMATCH))
        return false;
    uint16_t size;
    for (const uint8_t *k = NULL; (k = rrset_record(set, k, &size)) != NULL;) {
        uint8_t at = roll_table_find(r, k, size);
        if (at != ROLL_NONE && r->set[server->set].keys >> at & 1)
            return true;
    }
    return false;
}

/* Goes to that set, which takes the place of what it served before, unless that was newer. */
static void move_server(struct roll *r, struct roll_server *server, uint8_t at)
{
    uint8_t before = server->set;
    bool back = server->back;
    server->set = at;
    server->back = before != ROLL_NONE && r->set[at].known_ns <= r->set[before].known_ns;
    if (server->back) /* undone, or several servers behind the address */
        r->set[before].after &= (uint8_t) ~(1u << at);
    if (before == ROLL_NONE || server->back)
        return;
    r->set[at].after |= (uint8_t)(1u << before | r->set[before].after);
    if (!back && server->last_ns > r->set[before].left_ns)
        r->set[before].left_ns = server->last_ns;
}

static uint8_t place_set(struct world *w, struct zone *zone, struct rrset *set, int64_t first_ns,
                         uint64_t frame, bool secure)
{
    struct roll *r = zone->roll;
    struct roll_set like;
    if (!read_set(w, zone, set, first_ns, &like))
        return ROLL_NONE;
    like.secure = secure;
    uint8_t at = find_set(r, &like);
    if (at == ROLL_NONE) {
        if (r->sets == ROLL_SETS_MAX)
            roll_table_tidy(w, r, first_ns);
        if (r->sets == ROLL_SETS_MAX || !read_set(w, zone, set, first_ns, &like)) {
            r->more++;
            return ROLL_NONE;
        }
        like.secure = secure;
        like.first_ns = like.last_ns = first_ns;
        like.frame = frame;
        at = r->sets++;
        r->set[at] = like;
        return at;
    }
    struct roll_set *s = &r->set[at];
    if ((int32_t)(like.inception - s->inceptions) > 0)
        s->inceptions = like.inception;
    if ((int32_t)(like.inception - s->inception) < 0)
        s->inception = like.inception;
    if (like.known_ns < s->known_ns)
        s->known_ns = like.known_ns;
    s->secure |= secure;
    return at;
}

static void serve_keys(struct world *w, struct roll *r, const struct flow *flow, uint8_t at,
                       int64_t now_ns)
{
    struct roll_cache *c = roll_table_cache(w, r, flow);
    if (c == NULL || now_ns < c->set_ns)
        return;
    note_early(c, c->set_ns, now_ns, r->set[at].ttl);
    if (c->set != at) {
        c->before = c->set;
        c->before_ns = c->set_ns;
    }
    c->set = at;
    c->set_ns = now_ns;
}

static void show_keys(struct world *w, struct zone *zone, struct rrset *set,
                      const struct flow *flow, int64_t first_ns, int64_t last_ns, int64_t flow_ns,
                      uint64_t frame)
{
    enum reason reason = judge_rrset(w, set, last_ns);
    bool secure = reason == REASON_CHAIN;
    if (set->more_signatures || (!secure && zone->roll == NULL))
        return;
    struct roll *r = roll_table_of(w, zone);
    struct roll_server *server = r ? roll_table_server(w, r, flow) : NULL;
    if (server == NULL)
        return;
    uint8_t at = server->rrset == set ? server->set : ROLL_NONE;
    bool mended = secure && at != ROLL_NONE && !r->set[at].secure;
    if (at == ROLL_NONE || mended) {
        if (!secure && !is_exchange(r, server, set, reason))
            return;
        at = place_set(w, zone, set, first_ns, frame, secure);
        if (at == ROLL_NONE)
            return;
    }
    struct roll_set *s = &r->set[at];
    if (first_ns < s->first_ns)
        s->first_ns = first_ns;
    if (last_ns > s->last_ns)
        s->last_ns = last_ns;
    serve_keys(w, r, flow, at, flow_ns);
    if (flow_ns < server->last_ns)
        return;
    bool moves = server->set != at;
    if (moves)
        move_server(r, server, at);
    server->last_ns = flow_ns;
    server->rrset = set;
    if (moves || mended) {
        roll_check_keys(r, at, flow_ns);
    } else if (r->hazards) {
        roll_unsafe_review(r, flow_ns);
    }
}

/* --- DS RRsets --- */

static bool same_records(const struct rrset *a, const struct rrset *b)
{
    const uint8_t *x = NULL, *y = NULL;
    uint16_t x_size, y_size;
    if (a->count != b->count)
        return false;
    while ((x = rrset_record(a, x, &x_size)) && (y = rrset_record(b, y, &y_size)))
        if (x_size != y_size || memcmp(x, y, x_size) != 0)
            return false;
    return true;
}

static struct roll_ds *ds_room(struct roll *r)
{
    if (r->dss < ROLL_SETS_MAX)
        return &r->ds[r->dss++];
    struct roll_ds *oldest = &r->ds[0];
    for (uint8_t i = 1; i < r->dss; i++)
        if (r->ds[i].last_ns < oldest->last_ns)
            oldest = &r->ds[i];
    oldest->set->held--;
    for (uint8_t i = 0; i < r->caches; i++)
        if (r->cache[i].ds == oldest - r->ds)
            r->cache[i].ds = ROLL_NONE;
    return oldest;
}

static void serve_ds(struct world *w, struct roll *r, const struct flow *flow, uint8_t at,
                     int64_t now_ns)
{
    struct roll_cache *c = roll_table_cache(w, r, flow);
    if (c == NULL || now_ns < c->ds_ns)
        return;
    note_early(c, c->ds_ns, now_ns, r->ds[at].ttl);
    c->ds = at;
    c->ds_ns = now_ns;
}

static void show_ds(struct world *w, struct zone *zone, struct rrset *set, const struct flow *flow,
                    int64_t first_ns, int64_t last_ns, int64_t flow_ns, uint64_t frame)
{
    if (judge_rrset(w, set, last_ns) != REASON_CHAIN || set->judged.wildcard)
        return;
    struct roll *r = roll_table_of(w, zone);
    if (r == NULL)
        return;
    struct roll_ds *ds = NULL;
    for (uint8_t i = 0; i < r->dss && ds == NULL; i++)
        if (r->ds[i].set == set || same_records(r->ds[i].set, set))
            ds = &r->ds[i];
    bool fresh = ds == NULL;
    if (fresh) {
        ds = ds_room(r);
        *ds =
            (struct roll_ds){.set = set, .first_ns = first_ns, .last_ns = last_ns, .frame = frame};
        set->held++;
        ds->keys = roll_table_named(zone, set);
    }
    ds->ttl = set->signature[0].original_ttl;
    if (first_ns < ds->first_ns)
        ds->first_ns = first_ns;
    if (last_ns > ds->last_ns)
        ds->last_ns = last_ns;
    serve_ds(w, r, flow, (uint8_t)(ds - r->ds), flow_ns);
    roll_check_ds(r, fresh, last_ns);
}

/* --- other RRsets --- */

/* The keys that sign it; 0 if there is a signature whose key is not known. */
static uint16_t signers(const struct roll *r, const struct zone *zone, const struct rrset *set,
                        uint32_t *ret_ttl)
{
    uint16_t keys = 0;
    uint32_t ttl = UINT32_MAX;
    if (set->signatures == 0 || set->more_signatures || set->type == TYPE_DNSKEY ||
        set->type == TYPE_CDS || set->type == TYPE_CDNSKEY)
        return 0; /* CDS are for the parent, and KSKs sign them (RFC 7344 4.1) */
    for (uint8_t i = 0; i < set->signatures; i++) {
        const struct signature *s = &set->signature[i];
        uint8_t at = ROLL_NONE;
        for (uint8_t k = 0; k < s->checks && at == ROLL_NONE; k++)
            if (s->check[k].result == KEY_VERIFIES)
                at = roll_table_find(r, s->check[k].key->rdata, s->check[k].key->rdata_size);
        if (at == ROLL_NONE || !name_equal(s->signer, zone->name))
            return 0;
        keys |= (uint16_t)(1u << at);
        if (s->original_ttl < ttl)
            ttl = s->original_ttl;
    }
    *ret_ttl = ttl;
    return keys;
}

/* For how long caches keep a denial (RFC 2308 5, RFC 9077 3); UINT32_MAX if it is none. */
static uint32_t denial_ttl(const struct answer *a)
{
    const struct rrset *soa = answer_find(a, SECTION_AUTHORITY, TYPE_SOA);
    uint16_t size;
    const uint8_t *r = soa ? rrset_record(soa, NULL, &size) : NULL;
    if (r == NULL || size < 22)
        return UINT32_MAX;
    r += size - 4;
    return (uint32_t)r[0] << 24 | (uint32_t)r[1] << 16 | (uint32_t)r[2] << 8 | r[3];
}

static uint8_t group_of(struct world *w, struct roll *r, const struct rrset *set, uint16_t keys,
                        int64_t first_ns, uint64_t frame)
{
    for (uint8_t i = 0; i < r->groups; i++)
        if (r->group[i].keys == keys)
            return i;
    if (r->groups == ROLL_GROUPS_MAX)
        roll_table_tidy(w, r, first_ns);
    uint8_t *owner = r->groups < ROLL_GROUPS_MAX ? roll_table_take(w, r, set->owner_size) : NULL;
    if (owner == NULL) {
        r->more++;
        return ROLL_NONE;
    }
    memcpy(owner, set->owner, set->owner_size);
    r->group[r->groups] = (struct roll_group){.keys = keys,
                                              .first_ns = first_ns,
                                              .last_ns = first_ns,
                                              .until_ns = INT64_MIN,
                                              .frame = frame,
                                              .type = set->type,
                                              .owner = owner};
    return r->groups++;
}

/* Finds the groups that the answer's RRsets belong to; says whether one is new. Where they belong
 * to several, the shortest TTL holds for all. */
static bool map_answer(struct world *w, struct zone *zone, struct answer *a, int64_t first_ns,
                       uint64_t frame)
{
    struct roll *r = zone->roll;
    uint32_t most = 0, least = UINT32_MAX, cap = denial_ttl(a);
    uint8_t before = r->groups;
    uint16_t renumbered = r->renumbered;
    a->roll_groups = 0;
    for (size_t i = 0; i < a->sets; i++) {
        const struct rrset *set = answer_nth(a, i)->set;
        uint32_t ttl;
        uint16_t keys = signers(r, zone, set, &ttl);
        uint8_t at = keys ? group_of(w, r, set, keys, first_ns, frame) : ROLL_NONE;
        if (at == ROLL_NONE)
            continue;
        ttl = ttl < cap ? ttl : cap;
        a->roll_groups |= (uint8_t)(1u << at);
        most = ttl > most ? ttl : most;
        least = ttl < least ? ttl : least;
    }
    bool several = a->roll_groups & (a->roll_groups - 1);
    a->roll_ttl = several ? least : most;
    a->roll_stamp = r->renumbered;
    if (renumbered != r->renumbered) {
        a->roll_groups = 0; /* some of what was found first has moved; next time */
        a->roll_stamp = 0;
    }
    return r->groups > before;
}

static void note_served(struct roll *r, const struct answer *a, int64_t first_ns, int64_t last_ns)
{
    int64_t until_ns = roll_cached(last_ns, a->roll_ttl);
    for (uint8_t i = 0; i < r->groups; i++) {
        struct roll_group *g = &r->group[i];
        if (!(a->roll_groups >> i & 1))
            continue;
        if (first_ns < g->first_ns)
            g->first_ns = first_ns;
        if (last_ns > g->last_ns)
            g->last_ns = last_ns;
        if (until_ns > g->until_ns) {
            g->until_ns = until_ns;
            g->ttl = a->roll_ttl;
        }
    }
}

static void show_data(struct world *w, struct answer *a, int64_t first_ns, int64_t last_ns,
                      uint64_t frame)
{
    struct roll *r = a->zone->roll;
    bool fresh = false;
    if (a->roll_stamp != r->renumbered)
        fresh = map_answer(w, a->zone, a, first_ns, frame);
    if (!a->roll_groups)
        return;
    note_served(r, a, first_ns, last_ns);
    if (fresh)
        roll_check_data(r, last_ns);
}

/* --- the ways in --- */

static size_t remember(struct world *w, struct zone *zone, struct zone **zones, size_t count,
                       int64_t now_ns)
{
    struct roll *r = zone->roll;
    if (r == NULL)
        return count;
    if (now_ns > r->next_ns)
        roll_unsafe_expire(r, now_ns);
    if (r->event && !r->event_counted) {
        r->event_counted = true;
        r->bytes += ROLL_EVENTS_MAX * sizeof *r->event;
        w->zone_bytes += ROLL_EVENTS_MAX * sizeof *r->event;
    }
    for (size_t i = 0; i < count; i++)
        if (zones[i] == zone)
            return count;
    if (zone->roll->events && count < ROLL_ZONES_MAX)
        zones[count++] = zone;
    return count;
}

size_t roll_seen(struct answers *t, struct answer *a, const struct flow *flow, int64_t first_ns,
                 int64_t last_ns, int64_t flow_ns, struct zone *ret_zones[ROLL_ZONES_MAX])
{
    uint64_t frame = a->frame; /* the first that showed it is kept as evidence */
    bool aa = (a->flags & DNS_AA) != 0;
    bool referral = a->kind == ANSWER_REFERRAL && !(a->flags & DNS_RA);
    size_t count = 0;
    if (a->kind == ANSWER_OTHER || (!aa && !referral))
        return 0;
    for (size_t i = 0; a->holds_keys && i < a->sets; i++) {
        const struct answer_set *as = answer_nth(a, i);
        bool keys = as->set->type == TYPE_DNSKEY && aa && as->section == SECTION_ANSWER;
        bool ds = as->set->type == TYPE_DS && (referral || as->section == SECTION_ANSWER);
        struct zone *zone =
            (keys || ds) && as->set->signatures ? world_find(&t->world, as->set->owner) : NULL;
        if (zone == NULL)
            continue;
        if (keys)
            show_keys(&t->world, zone, as->set, flow, first_ns, last_ns, flow_ns, frame);
        else
            show_ds(&t->world, zone, as->set, flow, first_ns, last_ns, flow_ns, frame);
        count = remember(&t->world, zone, ret_zones, count, last_ns);
    }
    if (aa && a->zone && a->zone->roll) {
        show_data(&t->world, a, first_ns, last_ns, frame);
        count = remember(&t->world, a->zone, ret_zones, count, last_ns);
    }
    return count;
}

unsigned roll_under_way(const struct roll *r)
{
    unsigned count = 0;
    for (uint8_t i = 0; r && i < r->keys; i++) {
        const struct roll_key *k = &r->key[i];
        count += !k->gone && k->follows != ROLL_NONE && !r->key[k->follows].gone;
    }
    return count;
}

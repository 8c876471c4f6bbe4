/*
 * usage: notes on zones, for the reports.
 *
 * Contained in: analyze, tests. Must never: change a verdict, or grow with traffic beyond its
 * limits.
 */
#include "analyze/follow/usage.h"

#include "analyze/canon.h"
#include "analyze/decode/message.h"
#include "analyze/follow/outage.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A response is looked at for its server each of the first times it is seen, then ever rarer. */
#define LOOK_ALWAYS   16
#define SERVERS_FIRST 2
#define COUNTED_FIRST 16

/* --- memory --- */

void *usage_take(struct world *w, struct usage *u, size_t size)
{
    void *block = calloc(1, size);
    if (block) {
        u->bytes += size;
        w->zone_bytes += size;
    }
    return block;
}

struct usage *usage_of(struct world *w, struct zone *zone)
{
    if (zone->usage)
        return zone->usage;
    struct usage *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    u->bytes = sizeof *u;
    w->zone_bytes += sizeof *u;
    u->first_ns = INT64_MAX;
    u->last_ns = INT64_MIN;
    return zone->usage = u;
}

void usage_heard(struct world *w, struct usage *u)
{
    size_t added = u->voices->bytes - u->voices_bytes; /* modulo: it may be less */
    u->bytes += added;
    w->zone_bytes += added;
    u->voices_bytes = u->voices->bytes;
}

struct voices *usage_voices(struct world *w, struct zone *zone)
{
    struct usage *u = usage_of(w, zone);
    if (u && u->voices == NULL && (u->voices = voices_new()) != NULL)
        usage_heard(w, u);
    return u ? u->voices : NULL;
}

static struct usage_signing *signing_of(struct world *w, struct zone *zone)
{
    struct usage *u = usage_of(w, zone);
    if (u && u->signing == NULL)
        u->signing = usage_take(w, u, sizeof *u->signing);
    return u ? u->signing : NULL;
}

static void free_signing(struct usage_signing *s)
{
    for (size_t i = 0; s && i < s->keys; i++) {
        for (size_t k = 0; k < s->key[i]->names; k++)
            free(s->key[i]->name[k]);
        free(s->key[i]->counted);
        free(s->key[i]->rdata);
        free(s->key[i]);
    }
    for (size_t i = 0; s && i < s->expirings; i++)
        free(s->expiring[i].name);
    free(s);
}

size_t usage_free(struct usage *u)
{
    if (u == NULL)
        return 0;
    size_t bytes = u->bytes;
    free_signing(u->signing);
    free(u->outages);
    free(u->server);
    voices_free(u->voices);
    free(u);
    return bytes;
}

/* --- signatures --- */

static struct usage_name *name_of(struct world *w, struct usage *u, const struct rrset *set)
{
    struct usage_name *name = usage_take(w, u, sizeof *name + set->owner_size);
    if (name) {
        name->type = set->type;
        name->size = set->owner_size;
        memcpy(name->owner, set->owner, set->owner_size);
    }
    return name;
}

static bool is_named(const struct usage_name *name, const struct rrset *set)
{
    return name->type == set->type && name->size == set->owner_size &&
           memcmp(name->owner, set->owner, name->size) == 0;
}

static struct usage_key *key_of(struct world *w, struct usage *u, const struct key *key)
{
    struct usage_signing *s = u->signing;
    for (size_t i = 0; i < s->keys; i++)
        if (s->key[i]->size == key->rdata_size &&
            memcmp(s->key[i]->rdata, key->rdata, key->rdata_size) == 0)
            return s->key[i];
    struct usage_key *k = s->keys < USAGE_KEYS_MAX ? usage_take(w, u, sizeof *k) : NULL;
    if (k == NULL)
        return NULL;
    k->rdata = usage_take(w, u, key->rdata_size ? key->rdata_size : 1);
    if (k->rdata == NULL) {
        u->bytes -= sizeof *k;
        w->zone_bytes -= sizeof *k;
        free(k);
        return NULL;
    }
    memcpy(k->rdata, key->rdata, key->rdata_size);
    k->size = key->rdata_size;
    k->inception = INT64_MAX;
    k->expiration = INT64_MIN;
    return s->key[s->keys++] = k;
}

/* Its place among the hashes, or the free one where it would be. */
static size_t place_of(const uint64_t *counted, size_t room, uint64_t hash)
{
    size_t at = (size_t)(hash >> 8) & (room - 1);
    while (counted[at] && counted[at] != hash)
        at = (at + 1) & (room - 1);
    return at;
}

/* Half of the room is used at most. */
static bool make_room(struct world *w, struct usage *u, struct usage_key *k)
{
    if (k->rrsets * 2 < k->counted_room)
        return true;
    size_t room = k->counted_room ? k->counted_room * 2 : COUNTED_FIRST;
    uint64_t *more = k->rrsets < USAGE_COUNTED_MAX ? usage_take(w, u, room * sizeof *more) : NULL;
    if (more == NULL)
        return false;
    for (size_t i = 0; i < k->counted_room; i++)
        if (k->counted[i])
            more[place_of(more, room, k->counted[i])] = k->counted[i];
    free(k->counted);
    u->bytes -= k->counted_room * sizeof *more;
    w->zone_bytes -= k->counted_room * sizeof *more;
    k->counted = more;
    k->counted_room = room;
    return true;
}

/* True: the key was not yet seen to sign that name and type. What a zone signs anew, or with other
 * content, is the same RRset (RFC 2181 5). */
static bool is_first(struct world *w, struct usage *u, struct usage_key *k, const struct rrset *set)
{
    uint64_t hash = XXH3_64bits_withSeed(set->owner, set->owner_size, w->seed + set->type) | 1;
    if (k->counted && k->counted[place_of(k->counted, k->counted_room, hash)])
        return false;
    if (!make_room(w, u, k)) {
        k->more_rrsets = true;
        return false;
    }
    k->counted[place_of(k->counted, k->counted_room, hash)] = hash;
    k->rrsets++;
    return true;
}

/* A key that signs its likes only is a KSK. CDS and CDNSKEY are often left to it (RFC 7344 4.1). */
static bool is_of_keys(uint16_t type)
{
    return type == TYPE_DNSKEY || type == TYPE_CDS || type == TYPE_CDNSKEY;
}

static void add_to_key(struct world *w, struct usage *u, struct usage_key *k,
                       const struct rrset *set, const struct fact_signature *f)
{
    k->signs_dnskey |= set->type == TYPE_DNSKEY;
    k->signs_data |= !is_of_keys(set->type);
    if (f->inception < k->inception)
        k->inception = f->inception;
    if (f->expiration > k->expiration)
        k->expiration = f->expiration;
    if (f->original_ttl > k->ttl)
        k->ttl = f->original_ttl;
    if (!is_first(w, u, k, set))
        return;
    struct usage_name *name = k->names < USAGE_NAMES_MAX ? name_of(w, u, set) : NULL;
    if (name)
        k->name[k->names++] = name;
}

/* Keeps the RRsets whose newest signatures end first: a renewed one moves back. */
static void note_expiring(struct world *w, struct usage *u, const struct rrset *set,
                          int64_t expiration)
{
    struct usage_signing *s = u->signing;
    size_t latest = 0;
    for (size_t i = 0; i < s->expirings; i++) {
        if (is_named(s->expiring[i].name, set)) {
            if (expiration > s->expiring[i].expiration)
                s->expiring[i].expiration = expiration;
            return;
        }
        if (s->expiring[i].expiration > s->expiring[latest].expiration)
            latest = i;
    }
    bool full = s->expirings == USAGE_EXPIRING_MAX;
    if (full && s->expiring[latest].expiration <= expiration)
        return;
    struct usage_name *name = name_of(w, u, set);
    if (name == NULL)
        return;
    size_t at = full ? latest : s->expirings++;
    if (full) {
        size_t size = sizeof *name + s->expiring[at].name->size;
        free(s->expiring[at].name);
        u->bytes -= size;
        w->zone_bytes -= size;
    }
    s->expiring[at].name = name;
    s->expiring[at].expiration = expiration;
}

/* RFC 4034 4, RFC 5155 3.2: which kind of denial, and with what. */
static void note_denial(struct usage_signing *s, const struct rrset *set)
{
    uint16_t size;
    const uint8_t *r = rrset_record(set, NULL, &size);
    if (r == NULL || (set->type != TYPE_NSEC && set->type != TYPE_NSEC3))
        return;
    if (set->type == TYPE_NSEC3 && (size < 5 || size < 5 + r[4]))
        return;
    s->denial.type = set->type;
    if (set->type == TYPE_NSEC)
        return;
    s->denial.algorithm = r[0];
    s->denial.opt_out |= r[1] & 1;
    s->denial.iterations = (uint16_t)(r[2] << 8 | r[3]);
    s->denial.salt_size = r[4];
    memcpy(s->denial.salt, r + 5, r[4]);
}

void usage_signed(struct world *w, struct zone *zone, const struct rrset *set,
                  const struct signature *signature, const struct fact_signature *f)
{
    struct usage_signing *s = signing_of(w, zone);
    if (s == NULL)
        return;
    for (uint8_t i = 0; i < signature->checks; i++) {
        if (signature->check[i].result != KEY_VERIFIES)
            continue;
        struct usage_key *k = key_of(w, zone->usage, signature->check[i].key);
        if (k)
            add_to_key(w, zone->usage, k, set, f);
        else
            s->by_others++;
    }
    if (f->state == SIGNATURE_VALID || f->state == SIGNATURE_EXPIRED)
        note_expiring(w, zone->usage, set, f->expiration);
    if (f->state != SIGNATURE_VALID)
        return;
    note_denial(s, set);
    bool at_apex =
        set->owner_size == zone->name_size && memcmp(set->owner, zone->name, zone->name_size) == 0;
    if (at_apex && set->type == TYPE_NS)
        s->ns_ttl = f->original_ttl;
    if (at_apex && set->type == TYPE_SOA)
        s->soa_ttl = f->original_ttl;
}

/* --- responses --- */

bool usage_is_plumbing(uint16_t type)
{
    return type == TYPE_DNSKEY || type == TYPE_DS || type == TYPE_RRSIG || type == TYPE_NSEC ||
           type == TYPE_NSEC3 || type == TYPE_NSEC3PARAM || type == 59 /* CDS */ ||
           type == 60 /* CDNSKEY */;
}

bool usage_is_resolved(const struct answer *a)
{
    return (a->flags & (DNS_AA | DNS_RA | DNS_CD)) == DNS_RA;
}

static void note_server(struct world *w, struct usage *u, const struct flow *flow, int64_t time_ns,
                        uint64_t frame)
{
    for (size_t i = 0; i < u->servers; i++)
        if (u->server[i].family == flow->family &&
            memcmp(u->server[i].address, flow->src, sizeof flow->src) == 0)
            return;
    if (u->servers == USAGE_SERVERS_MAX) {
        u->more_servers = true;
        return;
    }
    if (u->servers == u->server_room) {
        size_t room = u->server_room ? u->server_room * 2 : SERVERS_FIRST;
        struct usage_server *more = realloc(u->server, room * sizeof *more);
        if (more == NULL)
            return;
        size_t added = (room - u->server_room) * sizeof *more;
        u->server = more;
        u->server_room = room;
        u->bytes += added;
        w->zone_bytes += added;
    }
    struct usage_server *s = &u->server[u->servers++];
    *s = (struct usage_server){.family = flow->family, .first_ns = time_ns, .frame = frame};
    memcpy(s->address, flow->src, sizeof s->address);
}

void usage_response(struct world *w, struct zone *zone, const struct answer *a,
                    const struct flow *flow, int64_t time_ns, uint64_t frame, uint64_t count)
{
    struct usage *u = usage_of(w, zone);
    if (u == NULL)
        return;
    if (time_ns < u->first_ns)
        u->first_ns = time_ns;
    if (time_ns > u->last_ns)
        u->last_ns = time_ns;
    u->resolved += usage_is_resolved(a);
    bool look = count <= LOOK_ALWAYS || (count & (count - 1)) == 0;
    if ((a->flags & DNS_AA) && look)
        note_server(w, u, flow, time_ns, frame);
    outage_seen(w, zone, a, time_ns, frame);
}

void usage_revised(struct world *w, struct zone *zone, const struct answer *a)
{
    if (usage_of(w, zone))
        outage_seen(w, zone, a, a->time_ns, a->frame);
}

void usage_validated(struct world *w, struct zone *zone, const struct answer *a, uint64_t count)
{
    struct usage *u = usage_is_resolved(a) && a->do_bit ? usage_of(w, zone) : NULL;
    if (u)
        *(a->flags & DNS_AD ? &u->with_ad : &u->without_ad) += count;
}

bool usage_blames_dnssec(const struct answer *a)
{
    for (uint8_t i = 0; i < a->ede_count; i++) {
        uint16_t code = a->ede[i];
        if (code == 1 || code == 2 || (code >= 5 && code <= 12) || code == 27)
            return true;
    }
    return false;
}

void usage_failed(struct world *w, struct zone *zone, const struct answer *a, int64_t time_ns,
                  uint64_t frame)
{
    struct usage *u = usage_is_resolved(a) ? usage_of(w, zone) : NULL;
    if (u == NULL)
        return;
    bool failing = outage_has_failing(zone, a, time_ns);
    u->resolved++;
    u->servfail++;
    u->servfail_dnssec += usage_blames_dnssec(a) || (a->ede_count == 0 && failing);
    if (failing || usage_blames_dnssec(a))
        outage_felt(u, time_ns, frame);
}

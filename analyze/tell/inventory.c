/*
 * inventory: zones and receivers as JSON.
 *
 * Contained in: analyze, tests. Must never: change what it describes, but for the trust of a zone,
 * which is brought up to date.
 */
#include "analyze/tell/inventory.h"

#include "analyze/canon.h"
#include "analyze/follow/objectives.h"
#include "analyze/follow/usage.h"
#include "analyze/jline.h"
#include "analyze/key.h"
#include "analyze/tell/event.h"
#include "analyze/tell/vouched.h"
#include "analyze/types.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest line; with the names of what keys signed left out it is always shorter. */
#define LINE_BYTES ((size_t)1 << 19)
/* Keys and DS of a zone that are listed; the rest is counted. */
#define LISTED_MAX 32
#define SECOND_NS  INT64_C(1000000000)

struct inventory {
    struct jline line;
    bool brief; /* names of what was signed do not fit */
};

struct inventory *inventory_new(void)
{
    struct inventory *i = calloc(1, sizeof *i);
    if (i)
        jline_init(&i->line, LINE_BYTES);
    return i;
}

void inventory_free(struct inventory *i)
{
    if (i == NULL)
        return;
    jline_fini(&i->line);
    free(i);
}

/* --- small things --- */

static void put_time(struct jline *j, const char *key, int64_t time_ns)
{
    char text[EVENT_TIME_TEXT];
    if (time_ns == INT64_MIN || time_ns == INT64_MAX)
        jline_null(j, key);
    else
        jline_string(j, key, event_time(time_ns, text));
}

/* Signature times are whole seconds from 1902 to 2174 or so: nanoseconds hold them. */
static void put_seconds(struct jline *j, const char *key, int64_t seconds)
{
    int64_t ns;
    bool fits = !__builtin_mul_overflow(seconds, SECOND_NS, &ns);
    put_time(j, key, fits ? ns : INT64_MIN);
}

static void put_name(struct jline *j, const char *key, const uint8_t *name)
{
    char text[NAME_TEXT_MAX];
    jline_string(j, key, name_text(name, text));
}

static void put_ttl(struct jline *j, const char *key, uint32_t ttl, bool seen)
{
    if (seen)
        jline_number(j, key, ttl);
    else
        jline_null(j, key);
}

/* "www.example. A" */
static void put_set(struct jline *j, const char *key, const struct usage_name *name)
{
    char text[NAME_TEXT_MAX], word[TYPES_TEXT], both[NAME_TEXT_MAX + TYPES_TEXT + 1];
    snprintf(both, sizeof both, "%s %s", name_text(name->owner, text), types_rr(name->type, word));
    jline_string(j, key, both);
}

static bool has_record(const struct rrset *set, const uint8_t *rdata, uint16_t size)
{
    uint16_t other;
    for (const uint8_t *r = NULL; set && (r = rrset_record(set, r, &other)) != NULL;)
        if (other == size && memcmp(r, rdata, size) == 0)
            return true;
    return false;
}

/* --- keys --- */

struct seen { /* one record over the variants of its RRset */
    const uint8_t *rdata;
    uint16_t size;
    int64_t first_ns, last_ns;
    const struct rrset *first; /* where it was first seen; NULL: nowhere, it is only declared */
};

/* Distinct records of the variants, in order of first sight; returns how many there are. */
static size_t collect(struct rrset *const *variant, uint8_t count, struct seen ret[LISTED_MAX],
                      size_t *ret_listed)
{
    size_t all = 0, listed = 0;
    uint16_t size;
    for (uint8_t v = 0; v < count; v++) {
        const struct rrset *set = variant[v];
        for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
            struct seen *s = NULL;
            for (size_t i = 0; i < listed && s == NULL; i++)
                if (ret[i].size == size && memcmp(ret[i].rdata, r, size) == 0)
                    s = &ret[i];
            if (s == NULL) {
                all++;
                if (listed == LISTED_MAX || size < 4)
                    continue;
                s = &ret[listed++];
                *s = (struct seen){r, size, set->first_seen_ns, set->last_seen_ns, set};
            }
            if (set->first_seen_ns < s->first_ns) {
                s->first_ns = set->first_seen_ns;
                s->first = set;
            }
            if (set->last_seen_ns > s->last_ns)
                s->last_ns = set->last_seen_ns;
        }
    }
    *ret_listed = listed;
    return all;
}

static void put_frame(struct jline *j, const struct rrset *set)
{
    if (set && set->frame_count)
        jline_number(j, "frame", set->frames[set->frame_count - 1]);
    else
        jline_null(j, "frame");
}

static const struct usage_key *use_of(const struct zone *zone, const struct seen *s)
{
    const struct usage_signing *signing = zone->usage ? zone->usage->signing : NULL;
    for (size_t i = 0; signing && i < signing->keys; i++)
        if (signing->key[i]->size == s->size &&
            memcmp(signing->key[i]->rdata, s->rdata, s->size) == 0)
            return signing->key[i];
    return NULL;
}

static void put_use(struct inventory *v, const struct usage_key *use)
{
    struct jline *j = &v->line;
    if (use == NULL) {
        jline_null(j, "signed");
        return;
    }
    jline_object(j, "signed");
    jline_number(j, "rrsets", use->rrsets);
    jline_bool(j, "more_rrsets", use->more_rrsets);
    jline_bool(j, "dnskey", use->signs_dnskey);
    jline_bool(j, "data", use->signs_data);
    put_seconds(j, "inception", use->inception);
    put_seconds(j, "expiration", use->expiration);
    jline_number(j, "ttl", use->ttl);
    jline_array(j, "names");
    for (size_t i = 0; !v->brief && i < use->names; i++)
        put_set(j, NULL, use->name[i]);
    jline_close(j, ']');
    jline_bool(j, "complete", !v->brief && !use->more_rrsets && use->rrsets <= use->names);
    jline_close(j, '}');
}

static void put_declared(struct jline *j, const struct zone *zone, const struct seen *s,
                         int64_t clock_ns)
{
    struct fact_baseline b = {.present = false};
    if (zone->baseline)
        baseline_describe(zone->baseline, zone->name, TYPE_DNSKEY, clock_ns, &b);
    if (!b.present || b.expected.count == 0) {
        jline_null(j, "declared");
        return;
    }
    bool declared = false;
    for (size_t i = 0; i < b.expected.count; i++)
        declared |= b.expected.rdata[i].size == s->size &&
                    memcmp(b.expected.rdata[i].bytes, s->rdata, s->size) == 0;
    jline_bool(j, "declared", declared);
}

static bool has_ds(const struct zone *zone, const struct rrset *ds, const struct seen *s)
{
    uint16_t size;
    for (const uint8_t *r = NULL; ds && (r = rrset_record(ds, r, &size)) != NULL;)
        if (key_matches_ds(zone->name, s->rdata, s->size, r, size) == KEY_DS_MATCHES)
            return true;
    return false;
}

static bool ever_had_ds(const struct zone *zone, const struct seen *s)
{
    for (uint8_t i = 0; i < zone->dss; i++)
        if (has_ds(zone, zone->ds[i], s))
            return true;
    return false;
}

/* RFC 6781 3.1, by what it was seen to sign: KSK the keys, ZSK the rest, CSK both. A ZSK may sign
 * the keys too (some signers let it), and nobody enters the zone by that. Before it was seen to
 * sign anything, SEP says what it is meant for; and of a key that is declared and was not observed,
 * whether it signs the keys, too. */
static const char *role_of(const struct zone *zone, const struct seen *s,
                           const struct usage_key *use)
{
    bool entry = (s->rdata[1] & KEY_FLAG_SEP) || ever_had_ds(zone, s);
    if (use && use->signs_data)
        return entry && (use->signs_dnskey || s->first == NULL) ? "CSK" : "ZSK";
    return entry ? "KSK" : "ZSK";
}

/* What leads to it from above, and until when (analyze/tell/vouched.h). */
static void put_way(struct jline *j, const struct world *w, const struct zone *zone,
                    const struct seen *s, int64_t clock_ns)
{
    struct vouched v = vouched_key(w, zone, s->rdata, s->size, clock_ns);
    vouched_put_by(j, zone, s->rdata, s->size);
    if (zone->baseline)
        jline_bool(j, "beside_declared", v.beside);
    else
        jline_null(j, "beside_declared");
    if (!v.asked) {
        jline_null(j, "chain");
        return;
    }
    jline_object(j, "chain");
    jline_bool(j, "complete", v.taken);
    jline_bool(j, "named", v.named);
    put_seconds(j, "dnskey_expiration", v.taken ? v.dnskey_expiration : INT64_MIN);
    put_seconds(j, "ds_expiration",
                v.taken && v.ds_expiration != INT64_MAX ? v.ds_expiration : INT64_MIN);
    put_seconds(j, "until", v.taken ? v.until : INT64_MIN);
    jline_close(j, '}');
}

static void put_key(struct inventory *v, struct world *w, struct zone *zone, const struct seen *s,
                    int64_t clock_ns)
{
    struct jline *j = &v->line;
    char word[TYPES_TEXT], rdata[TYPES_RDATA_TEXT];
    const struct usage_key *use = use_of(zone, s);
    const struct key *key = world_key(w, zone, s->rdata, s->size);
    jline_object(j, NULL);
    jline_number(j, "tag", key_tag(s->rdata, s->size));
    jline_number(j, "algorithm", s->rdata[3]);
    jline_string(j, "algorithm_name", types_algorithm(s->rdata[3], word));
    jline_number(j, "flags", (uint64_t)(s->rdata[0] << 8 | s->rdata[1]));
    put_ttl(j, "bits", key ? key->bits : 0, key && key->bits);
    jline_string(j, "role", role_of(zone, s, use));
    jline_bool(j, "sep", s->rdata[1] & KEY_FLAG_SEP);
    jline_bool(j, "revoked", s->rdata[1] & KEY_FLAG_REVOKE);
    jline_bool(j, "current",
               has_record(objectives_newest(zone->dnskey, zone->dnskeys), s->rdata, s->size));
    jline_bool(j, "ds", has_ds(zone, objectives_newest(zone->ds, zone->dss), s));
    put_declared(j, zone, s, clock_ns);
    put_time(j, "first_seen", s->first_ns);
    put_time(j, "last_seen", s->last_ns);
    put_frame(j, s->first);
    put_way(j, w, zone, s, clock_ns);
    put_use(v, use);
    jline_string(j, "rdata", types_rdata_text(TYPE_DNSKEY, s->rdata, s->size, rdata, sizeof rdata));
    jline_close(j, '}');
}

/* Declared keys by which signatures verify, and which no observed DNSKEY RRset has: the recording
 * began when resolvers had it in their caches. */
static void put_unobserved(struct inventory *v, struct world *w, struct zone *zone,
                           const struct seen *seen, size_t listed, int64_t clock_ns)
{
    const struct usage_signing *signing = zone->usage ? zone->usage->signing : NULL;
    for (size_t i = 0; zone->baseline && zone->dnskeys == 0 && signing && i < signing->keys; i++) {
        const struct usage_key *use = signing->key[i];
        const struct seen s = {use->rdata, use->size, INT64_MIN, INT64_MIN, NULL};
        size_t k = 0;
        while (k < listed &&
               (seen[k].size != use->size || memcmp(seen[k].rdata, use->rdata, use->size) != 0))
            k++;
        if (k == listed && use->size >= 4)
            put_key(v, w, zone, &s, clock_ns);
    }
}

static void put_keys(struct inventory *v, struct world *w, struct zone *zone, int64_t clock_ns)
{
    struct seen seen[LISTED_MAX];
    size_t listed, all = collect(zone->dnskey, zone->dnskeys, seen, &listed);
    jline_array(&v->line, "keys");
    for (size_t i = 0; i < listed; i++)
        put_key(v, w, zone, &seen[i], clock_ns);
    put_unobserved(v, w, zone, seen, listed, clock_ns);
    jline_close(&v->line, ']');
    jline_number(&v->line, "keys_not_listed", all - listed);
}

/* --- delegation --- */

static void put_ds(struct jline *j, const struct zone *zone)
{
    struct seen seen[LISTED_MAX];
    size_t listed, all = collect(zone->ds, zone->dss, seen, &listed);
    const struct rrset *now = objectives_newest(zone->ds, zone->dss);
    jline_array(j, "ds");
    for (size_t i = 0; i < listed; i++) {
        const struct seen *s = &seen[i];
        jline_object(j, NULL);
        jline_number(j, "tag", (uint64_t)(s->rdata[0] << 8 | s->rdata[1]));
        jline_number(j, "algorithm", s->rdata[2]);
        jline_number(j, "digest_type", s->rdata[3]);
        jline_hex(j, "digest", s->rdata + 4, s->size - 4u);
        jline_bool(j, "current", has_record(now, s->rdata, s->size));
        put_time(j, "first_seen", s->first_ns);
        put_time(j, "last_seen", s->last_ns);
        put_frame(j, s->first);
        jline_close(j, '}');
    }
    jline_close(j, ']');
    jline_number(j, "ds_not_listed", all - listed);
    put_time(j, "no_ds_seen", zone->no_ds.reason == REASON_NONE ? INT64_MIN : zone->no_ds.seen_ns);
}

static uint32_t original_ttl(const struct rrset *set)
{
    return set && set->signatures ? set->signature[0].original_ttl : set ? set->ttl : 0;
}

static void put_ttls(struct jline *j, const struct zone *zone)
{
    const struct rrset *keys = objectives_newest(zone->dnskey, zone->dnskeys);
    const struct rrset *ds = objectives_newest(zone->ds, zone->dss);
    const struct usage_signing *s = zone->usage ? zone->usage->signing : NULL;
    jline_object(j, "ttl");
    put_ttl(j, "dnskey", original_ttl(keys), keys);
    put_ttl(j, "ds", original_ttl(ds), ds);
    put_ttl(j, "ns", s ? s->ns_ttl : 0, s && s->ns_ttl);
    put_ttl(j, "soa", s ? s->soa_ttl : 0, s && s->soa_ttl);
    jline_close(j, '}');
}

static void put_denial(struct jline *j, const struct zone *zone)
{
    const struct usage_signing *s = zone->usage ? zone->usage->signing : NULL;
    if (s == NULL || s->denial.type == 0) {
        jline_null(j, "denial");
        return;
    }
    jline_object(j, "denial");
    jline_string(j, "type", s->denial.type == TYPE_NSEC ? "NSEC" : "NSEC3");
    if (s->denial.type == TYPE_NSEC3) {
        jline_number(j, "algorithm", s->denial.algorithm);
        jline_number(j, "iterations", s->denial.iterations);
        jline_hex(j, "salt", s->denial.salt, s->denial.salt_size);
        jline_bool(j, "opt_out", s->denial.opt_out);
    }
    jline_close(j, '}');
}

/* --- objectives --- */

static void put_share(struct jline *j, const char *key, const char *whole_key, uint64_t whole,
                      const char *part_key, uint64_t part)
{
    if (whole == OBJECTIVE_UNKNOWN) {
        jline_null(j, key);
        return;
    }
    jline_object(j, key);
    jline_number(j, whole_key, whole);
    jline_number(j, part_key, part);
    jline_close(j, '}');
}

static void put_m2(struct jline *j, const struct objectives *o)
{
    if (o->m2_seconds == OBJECTIVE_UNKNOWN) {
        jline_null(j, "M2");
        return;
    }
    jline_object(j, "M2");
    jline_number(j, "seconds", o->m2_seconds);
    put_seconds(j, "expiration", o->m2_expiration);
    put_set(j, "rrset", o->m2_rrset);
    jline_close(j, '}');
}

static void put_m3(struct jline *j, const struct objectives *o)
{
    if (o->m3_ds == OBJECTIVE_UNKNOWN) {
        jline_null(j, "M3");
        return;
    }
    jline_object(j, "M3");
    jline_bool(j, "in_step", o->m3_ds > 0 && o->m3_ds_with_key == o->m3_ds);
    jline_number(j, "ds", o->m3_ds);
    jline_number(j, "ds_with_key", o->m3_ds_with_key);
    jline_close(j, '}');
}

static void put_m5(struct jline *j, const struct zone *zone, const struct objectives *o)
{
    if (o->m5_responses == OBJECTIVE_UNKNOWN) {
        jline_null(j, "M5");
        return;
    }
    jline_object(j, "M5");
    jline_number(j, "responses", o->m5_responses);
    jline_number(j, "servfail", zone->usage->servfail);
    jline_number(j, "by_validation", o->m5_by_validation);
    jline_close(j, '}');
}

static void put_m6(struct jline *j, const struct objectives *o)
{
    jline_object(j, "M6");
    jline_number(j, "outages", o->m6_outages);
    jline_number(j, "open", o->m6_open);
    if (o->m6_seconds == OBJECTIVE_UNKNOWN)
        jline_null(j, "seconds");
    else
        jline_number(j, "seconds", o->m6_seconds);
    jline_close(j, '}');
}

static void put_objectives(struct jline *j, const struct zone *zone, int64_t clock_ns)
{
    struct objectives o;
    objectives_of(zone, clock_ns, &o);
    jline_object(j, "objectives");
    put_share(j, "M1", "answers", o.m1_answers, "with_ad", o.m1_with_ad);
    put_m2(j, &o);
    put_m3(j, &o);
    put_share(j, "M4", "rolls", o.m4_rolls, "safe", o.m4_safe);
    put_m5(j, zone, &o);
    put_m6(j, &o);
    jline_close(j, '}');
}

static void put_outages(struct jline *j, const struct zone *zone)
{
    const struct usage_outages *o = zone->usage ? zone->usage->outages : NULL;
    jline_array(j, "outages");
    for (size_t i = 0; o && i < o->episodes; i++) {
        const struct usage_episode *e = &o->episode[i];
        bool over = e->recovered_ns != INT64_MIN;
        jline_object(j, NULL);
        put_time(j, "from", e->from_ns);
        jline_number(j, "frame", e->from_frame);
        jline_string(j, "reason", reason_code(e->reason));
        jline_string(j, "text",
                     e->reason == REASON_RCODE
                         ? "resolvers answer SERVFAIL, and nothing bogus was seen"
                         : reason_text(e->reason));
        put_time(j, "last", e->last_ns);
        jline_number(j, "last_frame", e->last_frame);
        jline_number(j, "responses", e->count);
        put_time(j, "recovered", e->recovered_ns);
        if (over)
            jline_number(j, "recovered_frame", e->recovered_frame);
        jline_close(j, '}');
    }
    jline_close(j, ']');
    jline_number(j, "outages_not_listed", o ? o->more : 0);
}

/* --- a zone --- */

static void put_servers(struct jline *j, const struct zone *zone)
{
    char text[FLOW_ADDRESS_TEXT];
    const struct usage *u = zone->usage;
    jline_array(j, "servers");
    for (size_t i = 0; u && i < u->servers; i++) {
        jline_object(j, NULL);
        jline_string(j, "address", flow_address(u->server[i].family, u->server[i].address, text));
        put_time(j, "first_seen", u->server[i].first_ns);
        jline_number(j, "frame", u->server[i].frame);
        jline_close(j, '}');
    }
    jline_close(j, ']');
    jline_bool(j, "more_servers", u && u->more_servers);
}

static void put_signed(struct jline *j, const struct zone *zone, const struct trust *t)
{
    if (zone->dnskeys || zone->dss || t->state == TRUST_SECURE)
        jline_bool(j, "signed", true);
    else if (t->state == TRUST_INSECURE && zone->no_ds.reason != REASON_NONE)
        jline_bool(j, "signed", false);
    else
        jline_null(j, "signed");
}

static void put_responses(struct jline *j, const struct zone *zone)
{
    const struct usage *u = zone->usage;
    bool any = u && u->first_ns <= u->last_ns;
    jline_object(j, "responses");
    for (unsigned kind = 0; kind < 5; kind++)
        jline_number(j, verdict_name(kind), zone->answers[kind]);
    jline_close(j, '}');
    if (any)
        jline_string(j, "last_verdict", verdict_name(u->last));
    else
        jline_null(j, "last_verdict");
    put_time(j, "first_seen", any ? u->first_ns : INT64_MIN);
    put_time(j, "last_seen", any ? u->last_ns : INT64_MIN);
}

static uint64_t responses_to(const struct zone *zone)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < 5; i++)
        sum += zone->answers[i];
    return sum;
}

/* Else it is only declared. */
static bool is_observed(const struct zone *zone)
{
    return responses_to(zone) || zone->dnskeys || zone->dss || zone->no_ds.reason != REASON_NONE ||
           (zone->usage && zone->usage->servfail);
}

static const char *render_zone(struct inventory *v, struct world *w, struct zone *zone,
                               int64_t now_ns, int64_t clock_ns, size_t *ret_size)
{
    const struct trust *trust = trust_zone(w, zone, clock_ns);
    struct jline *j = &v->line;
    jline_begin(j);
    jline_string(j, "record", "zone");
    put_name(j, "zone", zone->name);
    put_time(j, "time", now_ns);
    enum reason told = trust_told(trust, trust->reason);
    jline_string(j, "trust", verdict_name(reason_verdict(told)));
    jline_string(j, "reason", reason_code(told));
    jline_string(j, "text", reason_text(told));
    put_signed(j, zone, trust);
    jline_bool(j, "observed", is_observed(zone));
    jline_bool(j, "anchored", zone->anchored);
    jline_bool(j, "baseline", zone->baseline != NULL);
    put_responses(j, zone);
    put_keys(v, w, zone, clock_ns);
    put_ds(j, zone);
    put_ttls(j, zone);
    put_denial(j, zone);
    put_servers(j, zone);
    put_outages(j, zone);
    put_objectives(j, zone, clock_ns);
    return jline_end(j, ret_size);
}

/* --- which zones --- */

static int rank(const struct zone *zone)
{
    bool failing = zone->answers[VERDICT_BOGUS] > 0 || zone->trust.state == TRUST_BOGUS;
    return zone->baseline ? 0 : failing ? 1 : zone->dnskeys || zone->dss ? 2 : 3;
}

static int by_rank(const void *a, const void *b)
{
    const struct zone *x = *(const struct zone *const *)a, *y = *(const struct zone *const *)b;
    return rank(x) != rank(y) ? rank(x) - rank(y) : name_compare(x->name, y->name);
}

/* What a zone's line rests on, in a number that moves with it. */
static uint64_t state_of(const struct zone *zone)
{
    const struct usage *u = zone->usage;
    uint64_t state = (uint64_t)zone->observed << 32 ^ zone->trust.version;
    if (u && u->outages && u->outages->episodes) {
        const struct usage_episode *e = &u->outages->episode[u->outages->episodes - 1];
        state += u->outages->episodes * 2 + (e->recovered_ns != INT64_MIN);
    }
    return state + 1 + (u ? u->servers * 64 : 0);
}

static bool is_worth_a_line(const struct zone *zone)
{
    return (zone->seen && is_observed(zone)) || zone->baseline ||
           (zone->usage && zone->usage->servfail);
}

static size_t collect_zones(const struct world *w, bool news, struct zone ***ret)
{
    size_t count = 0;
    struct zone **list = malloc((w->zone_count ? w->zone_count : 1) * sizeof(struct zone *));
    *ret = list;
    for (size_t i = 0; list && i < w->zone_buckets; i++)
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next)
            if (is_worth_a_line(zone) && (!news || zone->listed != state_of(zone)))
                list[count++] = zone;
    if (count > 1)
        qsort(list, count, sizeof(struct zone *), by_rank);
    return count;
}

static void put_zones(struct inventory *v, struct world *w, struct zone *const *list, size_t count,
                      int64_t now_ns, int64_t clock_ns, inventory_line *line, void *context)
{
    for (size_t i = 0; list && i < count && i < INVENTORY_ZONES_MAX; i++) {
        size_t size;
        v->brief = false;
        const char *json = render_zone(v, w, list[i], now_ns, clock_ns, &size);
        v->brief = json == NULL;
        if (json == NULL)
            json = render_zone(v, w, list[i], now_ns, clock_ns, &size);
        if (json)
            line(context, json, size);
        list[i]->listed = state_of(list[i]);
    }
}

void inventory_news(struct inventory *v, struct answers *answers, const struct inventory_run *run,
                    inventory_line *line, void *context)
{
    struct zone **list;
    size_t count = collect_zones(&answers->world, true, &list);
    put_zones(v, &answers->world, list, count, run->last_ns, answers_clock(answers, run->last_ns),
              line, context);
    free(list);
}

/* --- the run, and who received what --- */

static void put_run(struct inventory *v, const struct inventory_run *run, size_t zones,
                    inventory_line *line, void *context)
{
    struct jline *j = &v->line;
    bool any = run->first_ns <= run->last_ns;
    size_t size;
    jline_begin(j);
    jline_string(j, "record", "run");
    jline_bool(j, "live", run->live);
    put_time(j, "first", any ? run->first_ns : INT64_MIN);
    put_time(j, "last", any ? run->last_ns : INT64_MIN);
    jline_number(j, "first_frame", run->first_frame);
    jline_number(j, "last_frame", run->last_frame);
    jline_number(j, "frames", run->frames);
    jline_number(j, "messages", run->messages);
    jline_number(j, "lost", run->lost);
    jline_number(j, "zones", zones);
    jline_number(j, "zones_listed", zones < INVENTORY_ZONES_MAX ? zones : INVENTORY_ZONES_MAX);
    const char *json = jline_end(j, &size);
    if (json)
        line(context, json, size);
}

static void put_receivers(struct inventory *v, const struct receivers_of *list,
                          inventory_line *line, void *context)
{
    char text[FLOW_ADDRESS_TEXT], rdata[TYPES_RDATA_TEXT];
    struct jline *j = &v->line;
    size_t size;
    jline_begin(j);
    jline_string(j, "record", "received");
    jline_string(j, "finding", list->finding->id);
    jline_number(j, "responses", list->count);
    jline_number(j, "to_others", list->others);
    jline_array(j, "receivers");
    for (size_t i = 0; i < list->receivers; i++) {
        const struct receiver *r = &list->receiver[i];
        jline_object(j, NULL);
        jline_string(j, "address", flow_address(r->family, r->address, text));
        jline_string(j, "from", r->from_authority ? "authority" : "resolver");
        jline_number(j, "responses", r->count);
        put_time(j, "first", r->first_ns);
        jline_number(j, "first_frame", r->first_frame);
        put_time(j, "last", r->last_ns);
        jline_number(j, "last_frame", r->last_frame);
        jline_close(j, '}');
    }
    jline_close(j, ']');
    jline_bool(j, "referral", list->referral);
    jline_array(j, "signed_by");
    for (size_t i = 0; i < list->signers; i++)
        jline_string(j, NULL,
                     types_rdata_text(TYPE_DNSKEY, list->signer[i]->rdata, list->signer[i]->size,
                                      rdata, sizeof rdata));
    jline_close(j, ']');
    const char *json = jline_end(j, &size);
    if (json)
        line(context, json, size);
}

void inventory_all(struct inventory *v, struct answers *answers, struct rules *rules,
                   const struct receivers *receivers, const struct inventory_run *run,
                   inventory_line *line, void *context)
{
    struct zone **list;
    const struct finding *const *findings;
    size_t count = collect_zones(&answers->world, false, &list);
    put_run(v, run, count, line, context);
    put_zones(v, &answers->world, list, count, run->last_ns, answers_clock(answers, run->last_ns),
              line, context);
    free(list);
    count = rules_findings(rules, &findings);
    for (size_t i = 0; i < count; i++) {
        const struct receivers_of *r = receivers_find(receivers, findings[i]);
        if (r)
            put_receivers(v, r, line, context);
    }
}

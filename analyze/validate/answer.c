/*
 * answer: the table of distinct responses, and the second look when a missing key passes by.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/validate/answer.h"

#include "analyze/canon.h"
#include "analyze/validate/ahead.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"
#include "analyze/validate/weigh.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define BUCKETS_MOST ((size_t)1 << 18)
/* An answer's memory, from which the number of buckets follows. */
#define MEAN_BYTES ((size_t)512)
/* malloc's own, for each block. */
#define BLOCK_BYTES 16
/* Labels below the deepest known zone at which an answer waits for a cut to show. */
#define WAIT_LABELS_MAX 8
#define RCODE_NXDOMAIN  3

struct waiter {
    struct waiter *next;
    struct answer *answer;
    uint32_t stamp; /* of the answer when it was queued: an older one has been dealt with */
};

int answers_init(struct answers *t, const struct settings *settings, const struct anchors *anchors,
                 const struct baseline *baseline, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->buckets = 1024;
    while (t->buckets < BUCKETS_MOST && t->buckets * MEAN_BYTES < settings->memory_bytes)
        t->buckets *= 2;
    t->bucket = calloc(t->buckets, sizeof(struct answer *));
    t->inside = inside_new(seed);
    t->addresses = inside_new(seed);
    if (t->bucket == NULL || t->inside == NULL || t->addresses == NULL)
        return -1;
    return world_init(&t->world, settings, anchors, baseline, seed);
}

static void drop_waiters(struct answers *t, struct zone *zone)
{
    for (struct waiter *w = zone->waiters, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    zone->waiters = NULL;
    t->waiting -= zone->waiting;
    zone->waiting = 0;
}

static void drop_answers(struct answers *t)
{
    for (size_t i = 0; i < t->buckets; i++) {
        for (struct answer *a = t->bucket[i], *next; a; a = next) {
            next = a->next;
            free(a->more);
            free(a->seen.others);
            free(a);
        }
        t->bucket[i] = NULL;
    }
    for (size_t i = 0; i < t->world.zone_buckets; i++)
        for (struct zone *zone = t->world.zone_bucket[i]; zone; zone = zone->next)
            drop_waiters(t, zone);
    t->entries = t->bytes = 0;
}

void answers_forget(struct answers *t)
{
    drop_answers(t);
    world_forget(&t->world, t->world.settings->memory_bytes / 4);
    t->floor = answers_bytes(t);
}

bool answers_must_forget(const struct answers *t)
{
    size_t memory = t->world.settings->memory_bytes;
    size_t most = memory / 4 * 3, next = t->floor + memory / 8;
    return answers_bytes(t) > (next > most ? next : most) || world_crowded(&t->world);
}

void answers_fini(struct answers *t)
{
    if (t->bucket && t->world.zone_bucket)
        drop_answers(t);
    free(t->bucket);
    inside_free(t->inside);
    inside_free(t->addresses);
    world_fini(&t->world);
    memset(t, 0, sizeof *t);
}

size_t answers_bytes(const struct answers *t)
{
    return t->bytes + t->noted_bytes + t->world.zone_bytes + rrsets_bytes(t->world.rrsets) +
           t->waiting * (sizeof(struct waiter) + BLOCK_BYTES);
}

bool answers_translated(const struct answers *t, const struct answer *a, const struct rrset *set)
{
    return set->type == TYPE_AAAA && set->signatures == 0 &&
           (a->flags & (DNS_AA | DNS_RA | DNS_CD)) == DNS_RA &&
           addresses_translated(t->addresses, set);
}

/* --- what kind of response --- */

static enum reason unjudgeable(const struct dns_message *m, bool crowded)
{
    if (m->state == MESSAGE_CUT)
        return REASON_SNAPPED;
    if (DNS_OPCODE(m->flags) != 0)
        return REASON_OPCODE;
    if (m->state != MESSAGE_WHOLE || !m->has_question)
        return REASON_MALFORMED;
    if (m->qtype == TYPE_AXFR || m->qtype == TYPE_IXFR)
        return REASON_TRANSFER;
    if (m->flags & DNS_TC)
        return REASON_TRUNCATED;
    if (m->qclass != 1)
        return REASON_UNCLASS;
    if (m->rcode != 0 && m->rcode != RCODE_NXDOMAIN)
        return REASON_RCODE;
    return crowded ? REASON_BUDGET : REASON_NONE;
}

static bool any_in_answer(const struct answer *a)
{
    for (size_t i = 0; i < a->sets; i++)
        if (answer_nth(a, i)->section == SECTION_ANSWER)
            return true;
    return false;
}

/* RFC 1034 4.3.1: without RD a resolver looks into its cache, and some say with an empty answer
 * that nothing is there. A denial has a SOA (RFC 2308 3). */
static bool only_looked_up(const struct answer *a)
{
    return (a->flags & (DNS_AA | DNS_RA | DNS_RD)) == DNS_RA && a->sets == 0;
}

/* RFC 2308 2, RFC 1034 4.3.2. A DS question answered from the child's side says nothing of the
 * parent. */
static enum answer_kind classify(const struct answer *a)
{
    const struct rrset *soa = answer_find(a, SECTION_AUTHORITY, TYPE_SOA);
    const struct rrset *ns = answer_find(a, SECTION_AUTHORITY, TYPE_NS);
    if (any_in_answer(a))
        return ANSWER_POSITIVE;
    if (a->qtype == TYPE_DS && soa && name_equal(soa->owner, a->qname) && !name_is_root(a->qname))
        return ANSWER_OTHER;
    if (a->rcode == RCODE_NXDOMAIN)
        return ANSWER_NXDOMAIN;
    if (soa == NULL && ns && !(a->flags & DNS_AA) && name_within(a->qname, ns->owner))
        return ANSWER_REFERRAL;
    return only_looked_up(a) ? ANSWER_OTHER : ANSWER_NODATA;
}

/* --- making and finding the record --- */

/* The flags that make two answers differ; RD where it tells a resolver from an authority. */
static uint16_t told_by(const struct answer *a)
{
    bool both = (a->flags & (DNS_AA | DNS_RA)) == (DNS_AA | DNS_RA);
    return DNS_AA | DNS_RA | DNS_AD | DNS_CD | DNS_TC | (both ? DNS_RD : 0);
}

static uint64_t hash_answer(const struct answers *t, const struct answer *a)
{
    uint64_t fixed[4] = {(uint64_t)a->qtype << 32 | (uint64_t)a->rcode << 8 |
                             (uint64_t)a->rewritten << 3 | (uint64_t)a->dnssec_aware << 2 |
                             (uint64_t)a->do_bit << 1 | a->do_known,
                         (uint64_t)a->carried << 32 | a->reason, a->flags & told_by(a), a->glue};
    uint64_t hash = XXH3_64bits_withSeed(a->qname, a->qname_size, t->world.seed);
    hash = XXH3_64bits_withSeed(fixed, sizeof fixed, hash);
    if (a->ede_count)
        hash = XXH3_64bits_withSeed(a->ede, a->ede_count * sizeof *a->ede, hash);
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        uint64_t one[2] = {(uint64_t)(uintptr_t)s->set, s->section};
        hash += XXH3_64bits_withSeed(one, sizeof one, t->world.seed); /* order does not matter */
    }
    return hash;
}

static bool has_set(const struct answer *a, const struct answer_set *wanted)
{
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        if (s->set == wanted->set && s->section == wanted->section)
            return true;
    }
    return false;
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
    const uint16_t mask = told_by(a);
    if (a->hash != b->hash || a->qtype != b->qtype || a->rcode != b->rcode || a->sets != b->sets ||
        a->kind != b->kind || a->do_bit != b->do_bit || a->do_known != b->do_known ||
        a->dnssec_aware != b->dnssec_aware || a->rewritten != b->rewritten ||
        (a->flags & mask) != (b->flags & mask) || a->ede_count != b->ede_count ||
        a->carried != b->carried || a->glue != b->glue ||
        memcmp(a->ede, b->ede, a->ede_count * sizeof *a->ede) != 0 ||
        a->qname_size != b->qname_size || memcmp(a->qname, b->qname, a->qname_size) != 0)
        return false;
    for (size_t i = 0; i < b->sets; i++)
        if (!has_set(a, answer_nth(b, i)))
            return false;
    return true;
}

/* A copy on the heap of the draft, no larger than it needs to be. */
static struct answer *keep(struct answers *t, const struct answer *draft)
{
    size_t size = sizeof(struct answer) + draft->qname_size;
    struct answer *a = malloc(size);
    if (a == NULL)
        return NULL;
    *a = *draft;
    a->qname = memcpy(a + 1, draft->qname, draft->qname_size);
    a->more = NULL;
    if (draft->sets > ANSWER_SETS_INLINE) {
        size_t bytes = (draft->sets - (size_t)ANSWER_SETS_INLINE) * sizeof *draft->more;
        a->more = malloc(bytes);
        if (a->more == NULL) {
            free(a);
            return NULL;
        }
        memcpy(a->more, draft->more, bytes);
        t->bytes += bytes + BLOCK_BYTES;
    }
    t->bytes += size + BLOCK_BYTES;
    t->entries++;
    struct answer **bucket = &t->bucket[a->hash & (t->buckets - 1)];
    a->next = *bucket;
    *bucket = a;
    return a;
}

static struct answer *look_up(const struct answers *t, const struct answer *draft)
{
    struct answer *a = t->bucket[draft->hash & (t->buckets - 1)];
    while (a && !same_answer(a, draft))
        a = a->next;
    return a;
}

/* Question, header and circumstances. */
static void draft_head(struct draft *d, const struct datagram *dg, const struct dns_message *m,
                       const struct query *query)
{
    struct answer *a = &d->answer;
    memset(a, 0, sizeof *a);
    a->qname = d->qname;
    const struct dns_owner *qname = &m->owners[m->qname];
    if (m->has_question) {
        memcpy(d->qname, qname->name, qname->size);
        a->qname_size = qname->size;
    } else {
        d->qname[0] = 0;
        a->qname_size = 1;
    }
    a->qtype = m->has_question ? m->qtype : 0;
    a->rcode = m->rcode;
    a->id = m->id;
    a->flags = m->flags;
    /* RFC 3225 3: the responder copies the DO bit. No OPT at all: either side may have dropped it.
     */
    a->do_bit = query ? query->edns_do : m->edns && m->edns_do;
    a->do_known = query != NULL || (m->edns && m->edns_do);
    a->dnssec_aware = (m->flags & DNS_AA) || m->edns_do;
    a->ede_count = m->ede_count;
    memcpy(a->ede, m->ede, m->ede_count * sizeof *m->ede);
    a->flow = dg->flow;
    a->time_ns = a->last_seen_ns = a->flow_last_ns = dg->time_ns;
    a->frame = dg->frame;
    a->query_frame = query ? query->frame : 0;
    a->source = dg->source;
    a->interface = dg->interface;
    for (size_t i = 0; i < dg->frame_count && a->frame_count < ANSWER_FRAMES_MAX; i++)
        a->frames[a->frame_count++] = dg->frames[i];
    a->told_reason = REASON_NONE;
    if (a->qtype == TYPE_AXFR || a->qtype == TYPE_IXFR)
        a->carried = m->counts[1] > 1 ? 2 : (uint8_t)m->counts[1];
}

/* Interns the RRsets of answer and authority section. True if one of them is new. */
static bool draft_sets(struct answers *t, struct answer *a, const struct datagram *dg,
                       const struct dns_message *m, struct rrset_groups *groups)
{
    bool fresh = false;
    for (size_t i = 0; i < groups->count; i++) {
        struct rrset_group *g = &groups->group[i];
        rrset_intern(t->world.rrsets, m, g, dg->time_ns, dg->frames, dg->frame_count);
        if (g->rrset == NULL) {
            /* Whoever asks for RRSIG gets nothing that they sign, which is no denial; so may who
             * asks for anything. */
            if (g->records == 0 && g->section == SECTION_ANSWER &&
                (a->qtype == TYPE_RRSIG || a->qtype == TYPE_ANY))
                a->reason = REASON_SIGNATURES;
            if (g->records) /* malformed, or too large to look at: the response cannot be judged
                               whole */
                a->reason = REASON_BUDGET;
            continue;
        }
        fresh |= g->fresh;
        if (a->sets == ANSWER_SETS_MAX) {
            a->reason = REASON_BUDGET;
            break;
        }
        struct answer_set *at = a->sets < ANSWER_SETS_INLINE
                                    ? &a->set[a->sets]
                                    : &a->more[a->sets - ANSWER_SETS_INLINE];
        *at = (struct answer_set){g->rrset, g->ttl, g->section};
        a->holds_keys |= g->type == TYPE_DNSKEY || g->type == TYPE_DS;
        a->sets++;
    }
    return fresh;
}

/* Keys and delegations that passed by become known, whatever the response is worth. */
/* Is the absence of DNSSEC records in it the responder's word? */
static bool absence_counts(const struct answer *a)
{
    return a->do_known && a->do_bit && a->dnssec_aware;
}

static void observe(struct answers *t, struct answer *a)
{
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *as = answer_nth(a, i);
        struct rrset *set = as->set;
        if (set->type != TYPE_DNSKEY && set->type != TYPE_DS)
            continue;
        struct zone *zone = world_zone(&t->world, set->owner);
        if (zone == NULL)
            continue;
        if (set->signatures == 0) {
            if (set->type == TYPE_DNSKEY && as->section == SECTION_ANSWER && absence_counts(a))
                world_show_no_dnskey(&t->world, zone, REASON_SIG_MISSING, a->last_seen_ns);
        } else if (set->type == TYPE_DNSKEY) {
            world_show_dnskey(&t->world, zone, set, a->last_seen_ns);
        } else {
            world_show_ds(&t->world, zone, set, a->last_seen_ns);
        }
    }
    if (a->kind == ANSWER_NODATA && a->qtype == TYPE_DNSKEY && absence_counts(a) &&
        (a->flags & DNS_AA)) {
        struct zone *zone = world_find(&t->world, a->qname);
        if (zone)
            world_show_no_dnskey(&t->world, zone, REASON_DNSKEY_MISSING, a->last_seen_ns);
    }
}

/* --- waiting --- */

static void wait_at(struct answers *t, struct zone *zone, struct answer *a)
{
    if (zone == NULL || zone->waiting >= ZONE_WAITERS_MAX)
        return;
    struct waiter *w = malloc(sizeof *w);
    if (w == NULL)
        return;
    *w = (struct waiter){zone->waiters, a, a->wait_stamp};
    zone->waiters = w;
    zone->waiting++;
    t->waiting++;
}

static struct zone *place_to_wait(struct world *w, const uint8_t *name)
{
    return world_crowded(w) ? world_find(w, name) : world_zone(w, name);
}

/* At every name between the deepest zone whose trust is settled and `name`: a cut may show at any
 * of them. */
static void wait_below(struct answers *t, const uint8_t *name, struct answer *a)
{
    unsigned labels = name_labels(name);
    const struct trust *trust = NULL;
    const struct zone *over =
        trust_enclosing(&t->world, name, true, answers_clock(t, a->time_ns), &trust);
    unsigned known = over ? name_labels(over->name) : 0;
    bool settled = over && trust->state != TRUST_UNKNOWN && trust->unproven == REASON_NONE;
    if (over && !settled && trust->missing)
        wait_at(t, trust->missing, a);
    for (unsigned n = known + 1; n <= labels && n <= known + WAIT_LABELS_MAX; n++)
        wait_at(t, place_to_wait(&t->world, name_suffix(name, n)), a);
}

static void wait_for(struct answers *t, struct answer *a)
{
    bool undecided = reason_verdict(a->reason) == VERDICT_INDETERMINATE;
    struct zone *zone = a->zone;
    /* One server denied the keys, and another may have them. */
    bool keyless = zone && zone->dnskeys == 0 && zone->trust.state == TRUST_BOGUS;
    a->wait_stamp++;
    if (!undecided && !keyless && a->reason != REASON_KEY_UNKNOWN &&
        a->reason != REASON_DS_MISMATCH)
        return;
    if (zone == NULL) {
        wait_below(t, a->by ? a->by->owner : a->qname, a);
        return;
    }
    struct zone *missing = zone->trust.missing ? zone->trust.missing : zone;
    wait_at(t, missing, a);
    if (missing != zone)
        wait_at(t, zone, a);
    if (a->reason == REASON_DS_NOT_SEEN)
        wait_below(t, missing->name, a);
    else if (a->reason == REASON_CUT_NOT_SEEN)
        wait_below(t, a->by ? a->by->owner : a->qname, a);
}

static void conclude(struct answers *t, struct answer *a, bool retro)
{
    bool as_told = a->told && a->told_reason == a->reason && a->told_zone == a->zone;
    if (!as_told || retro)
        wait_for(t, a);
    if (t->on_judged)
        t->on_judged(t->context, a, retro);
    if (as_told)
        return;
    bool changed = a->told && reason_verdict(a->told_reason) != reason_verdict(a->reason);
    a->told_zone = a->zone;
    a->told_reason = a->reason;
    t->retro += retro && changed;
    if (t->on_verdict && (!a->told || changed || reason_verdict(a->reason) == VERDICT_BOGUS))
        t->on_verdict(t->context, a, retro);
    a->told = true;
}

/* Can an answer that waits here have got any further? Otherwise a flood of worthless keys for one
 * zone would have all its waiters judged again for each. */
static bool moved_on(struct answers *t, struct zone *zone)
{
    const struct trust *now =
        trust_zone(&t->world, zone, answers_clock(t, zone->waiters->answer->time_ns));
    uint64_t trusted = 0;
    for (uint8_t i = 0; i < zone->dnskeys; i++)
        if (now->trusted >> i & 1)
            trusted += zone->dnskey[i]->hash;
    bool same = !zone->roused && zone->settled.state == now->state &&
                zone->settled.reason == now->reason && zone->settled.missing == now->missing &&
                zone->settled.trusted == trusted && zone->settled.unseen == now->unseen &&
                zone->settled.unproven == now->unproven;
    zone->roused = false;
    zone->settled.state = now->state;
    zone->settled.reason = now->reason;
    zone->settled.missing = now->missing;
    zone->settled.trusted = trusted;
    zone->settled.unseen = now->unseen;
    zone->settled.unproven = now->unproven;
    return !same;
}

/* In the order in which they came. */
static struct waiter *take_waiters(struct answers *t, struct zone *zone)
{
    struct waiter *forward = NULL;
    for (struct waiter *w = zone->waiters, *next; w; w = next) {
        next = w->next;
        w->next = forward;
        forward = w;
    }
    zone->waiters = NULL;
    t->waiting -= zone->waiting;
    zone->waiting = 0;
    return forward;
}

void answers_settle(struct answers *t)
{
    for (size_t i = 0; i < t->world.stirred_count; i++) {
        struct zone *zone = t->world.stirred[i];
        if (zone->waiters == NULL || !moved_on(t, zone))
            continue;
        for (struct waiter *w = take_waiters(t, zone), *next; w; w = next) {
            struct answer *a = w->answer;
            next = w->next;
            if (w->stamp == a->wait_stamp) {
                world_begin(&t->world, a->time_ns);
                weigh_answer(t, a, answers_clock(t, a->time_ns));
                conclude(t, a, true);
            }
            free(w);
        }
    }
    t->world.stirred_count = 0;
}

/* --- the ways in --- */

/* The TTL of the keys of a response that was recognised without being parsed; 0 none. */
static uint32_t keys_ttl(const struct datagram *dg)
{
    static struct dns_message m; /* too large for the stack; rare: a resolver's answer about keys */
    uint32_t least = UINT32_MAX;
    if (message_parse(dg->bytes, dg->size, dg->wire_size, &m) == MESSAGE_NOT_DNS)
        return 0;
    for (size_t i = 0; i < m.rr_count; i++)
        if ((m.rrs[i].type == TYPE_DNSKEY || m.rrs[i].type == TYPE_DS) && m.rrs[i].ttl < least)
            least = m.rrs[i].ttl;
    return least == UINT32_MAX ? 0 : least;
}

static void mark_current(struct rrset *set, int64_t time_ns, uint32_t ttl)
{
    int64_t until_ns;
    if (set->signatures && set->signature[0].original_ttl < ttl)
        ttl = set->signature[0].original_ttl; /* RFC 4035 5.3.3 */
    if (__builtin_add_overflow(time_ns, (int64_t)ttl * 1000000000, &until_ns))
        until_ns = INT64_MAX;
    if (until_ns > set->current_ns || set->seen == 0)
        set->current_ns = until_ns;
}

/* `ttls`: the answer whose TTLs are those of this very response; NULL: it was not parsed. Servers
 * always give the whole TTL, caches what is left of it. */
static void mark_seen(const struct answer *a, const struct datagram *dg, int64_t time_ns,
                      const struct answer *ttls)
{
    bool authority = (a->flags & (DNS_AA | DNS_RA)) == DNS_AA;
    bool whole = authority || a->kind == ANSWER_REFERRAL;
    bool told = ttls && ttls->sets == a->sets;
    uint32_t ttl = told || whole ? 0 : keys_ttl(dg);
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *as = answer_nth(a, i);
        struct rrset *set = as->set;
        mark_current(set, time_ns, told ? answer_nth(ttls, i)->ttl : whole ? as->ttl : ttl);
        rrset_seen(set, time_ns);
        if (authority)
            set->authority_ns = time_ns;
    }
}

/* No single message may fill the batch; what is left is checked when it is judged. */
#define AHEAD_PER_MESSAGE 8

static void check_ahead(struct answers *t, const struct answer *a, struct ahead *ahead)
{
    unsigned queued = 0;
    for (size_t i = 0; i < a->sets && queued < AHEAD_PER_MESSAGE; i++) {
        struct rrset *set = answer_nth(a, i)->set;
        struct signature *signature;
        struct zone *zone;
        struct key *key = judge_next_check(&t->world, set, &signature, &zone);
        if (key == NULL || ahead_full(ahead) || !attempt_ahead(&t->world, zone))
            continue;
        ahead_add(ahead, set, signature, key);
        queued++;
    }
}

/* A response policy zone leaves its SOA in what it rewrote, behind the answer or in place of the
 * zone's: that of no zone which could hold the name. */
static bool has_soa_elsewhere(const struct dns_message *m)
{
    bool alias = false, elsewhere = false;
    for (size_t i = 0; i < m->rr_count; i++) {
        const struct dns_rr *rr = &m->rrs[i];
        alias |=
            rr->section == SECTION_ANSWER && (rr->type == TYPE_CNAME || rr->type == TYPE_DNAME);
        /* along an alias, another zone's denies */
        elsewhere |=
            rr->type == TYPE_SOA &&
            (rr->section == SECTION_ADDITIONAL || (rr->section == SECTION_AUTHORITY && !alias)) &&
            !name_within(message_qname(m), message_owner(m, rr));
    }
    return elsewhere;
}

/* 0.0.0.0 and :: are nobody's address (RFC 6890), and what filters give for what they block. */
static bool has_no_address(const struct dns_message *m)
{
    static const uint8_t zeros[16];
    for (size_t i = 0; i < m->rr_count; i++) {
        const struct dns_rr *rr = &m->rrs[i];
        if (rr->section == SECTION_ANSWER &&
            ((rr->type == TYPE_A && rr->rdlen == 4) ||
             (rr->type == TYPE_AAAA && rr->rdlen == 16)) &&
            memcmp(m->bytes + rr->rdata, zeros, rr->rdlen) == 0)
            return true;
    }
    return false;
}

/* RFC 8914 4: 4 forged, 15 blocked, 16 censored, 17 filtered, 18 prohibited. An authority has no
 * such policy. */
static bool is_rewritten(const struct dns_message *m)
{
    bool said = false;
    if (!(m->flags & DNS_RA) || !m->has_question)
        return false;
    for (uint8_t i = 0; i < m->ede_count; i++)
        said |= m->ede[i] == 4 || (m->ede[i] >= 15 && m->ede[i] <= 18);
    return said || has_soa_elsewhere(m) || has_no_address(m);
}

void answers_draft(struct answers *t, const struct datagram *dg, const struct dns_message *m,
                   const struct query *query, struct ahead *ahead, struct draft *ret)
{
    struct answer *a = &ret->answer;
    struct rrset_groups groups;
    world_begin(&t->world, dg->time_ns);
    draft_head(ret, dg, m, query);
    a->more = ret->more;
    groups.count = 0;
    groups.crowded = false;
    a->reason = unjudgeable(m, m->crowded);
    if (a->reason == REASON_NONE)
        rrset_groups(m, 1u << SECTION_ANSWER | 1u << SECTION_AUTHORITY, &groups);
    if (groups.crowded)
        a->reason = REASON_BUDGET;
    ret->fresh = a->reason == REASON_NONE && draft_sets(t, a, dg, m, &groups);
    a->kind = a->reason == REASON_NONE ? classify(a) : ANSWER_OTHER;
    if (a->kind == ANSWER_OTHER && a->reason == REASON_NONE)
        a->reason = a->sets ? REASON_REFERRAL : REASON_NOT_CACHED;
    t->world.budget.exhausted += a->reason == REASON_BUDGET;
    if (a->kind == ANSWER_REFERRAL)
        a->glue = rrset_glue(m, answer_find(a, SECTION_AUTHORITY, TYPE_NS)->owner, t->world.seed);
    a->rewritten = a->kind != ANSWER_OTHER && is_rewritten(m);
    a->aa_from_apex = (a->flags & DNS_AA) && answer_find(a, SECTION_AUTHORITY, TYPE_NS);
    a->hash = hash_answer(t, a);
    if (ahead && a->kind != ANSWER_OTHER)
        check_ahead(t, a, ahead);
}

static void again(struct answers *, struct answer *, const struct datagram *,
                  const struct answer *ttls);

struct answer *answers_commit(struct answers *t, struct draft *draft, const struct datagram *dg,
                              bool *ret_new)
{
    struct answer *a = look_up(t, &draft->answer);
    *ret_new = draft->fresh || a == NULL;
    if (a) {
        again(t, a, dg, &draft->answer);
        return a;
    }
    a = keep(t, &draft->answer);
    if (a == NULL)
        return NULL;
    a->count = 1;
    mark_seen(a, dg, dg->time_ns, a);
    observe(t, a);
    world_earn(&t->world, dg->frame, dg->time_ns);
    world_begin(&t->world, dg->time_ns);
    weigh_answer(t, a, answers_clock(t, dg->time_ns));
    conclude(t, a, false);
    answers_settle(t);
    return a;
}

void answers_recall(struct answers *t, struct draft *draft)
{
    struct answer *a = &draft->answer;
    if (a->kind == ANSWER_OTHER)
        return;
    if (a->time_ns > t->recalled_ns)
        t->recalled_ns = a->time_ns;
    mark_seen(a, NULL, a->time_ns, a);
    observe(t, a);
    world_begin(&t->world, a->time_ns);
    weigh_answer(t, a, answers_clock(t, a->time_ns));
    for (size_t i = 0; i < a->sets; i++)
        answer_nth(a, i)->set->recalled = true;
    answers_settle(t);
}

/* A verdict that changes with a later packet is that packet's. */
static void move_to(struct answer *a, const struct datagram *dg)
{
    a->flow = dg->flow;
    a->time_ns = a->flow_last_ns = dg->time_ns;
    a->frame = dg->frame;
    a->source = dg->source;
    a->interface = dg->interface;
    a->frame_count = 0;
    for (size_t i = 0; i < dg->frame_count && a->frame_count < ANSWER_FRAMES_MAX; i++)
        a->frames[a->frame_count++] = dg->frames[i];
}

static void again(struct answers *t, struct answer *a, const struct datagram *dg,
                  const struct answer *ttls)
{
    int64_t time_ns = dg->time_ns;
    a->count++;
    if (time_ns > a->last_seen_ns)
        a->last_seen_ns = time_ns;
    if (time_ns > a->flow_last_ns && flow_alike(&a->flow, &dg->flow))
        a->flow_last_ns = time_ns;
    if (a->kind == ANSWER_OTHER)
        return;
    if (a->holds_keys) {
        /* when keys were last seen decides what is current; the rest may wait */
        mark_seen(a, dg, time_ns, ttls);
        observe(t, a);
    } else if (a->kind == ANSWER_NODATA && a->qtype == TYPE_DNSKEY) {
        observe(t, a); /* when keys were last denied, too */
    }
    bool proof_again = a->no_ds_of && a->no_ds_of->dss > 0;
    if (proof_again || !weigh_holds(t, a, answers_clock(t, time_ns))) {
        enum reason before = a->reason;
        /* The time that it was judged for is over: what is told of signatures near their end is
         * told of now, also where the verdict stays. */
        bool later = a->judged && answers_clock(t, time_ns) > a->until_ns;
        world_begin(&t->world, time_ns);
        weigh_answer(t, a, answers_clock(t, time_ns));
        if (later || a->reason != before)
            move_to(a, dg);
        conclude(t, a, false);
    }
    if (t->world.stirred_count)
        answers_settle(t);
}

void answers_again(struct answers *t, struct answer *a, const struct datagram *dg)
{
    again(t, a, dg, NULL);
}

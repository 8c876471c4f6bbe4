/*
 * weigh: the verdict of a response.
 *
 * Contained in: analyze, tests. The worst RRset decides: bogus before indeterminate before insecure
 * before secure. What was not observed is never held against the response.
 */
#include "analyze/validate/weigh.h"

#include "analyze/canon.h"
#include "analyze/validate/denial.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/local.h"
#include "analyze/validate/negative.h"
#include "analyze/validate/trust.h"

#include <string.h>

/* --- one weighing --- */

struct weighing {
    struct answers *table;
    struct world *world;
    struct answer *answer;
    int64_t time_ns;
    enum reason reason; /* worst so far; NONE at first */
    enum reason held;   /* the same with declared keys in the place of what was not observed */
    struct zone *zone;
    const struct rrset *by;
};

static void depend(struct weighing *g, const struct zone *zone)
{
    struct answer *a = g->answer;
    if (zone == NULL)
        return;
    for (uint8_t i = 0; i < a->zones; i++)
        if (a->depends[i].zone == zone)
            return;
    if (a->zones == ANSWER_ZONES_MAX) {
        a->volatile_verdict = true;
        return;
    }
    struct zone *mine = (struct zone *)(uintptr_t)zone;
    a->depends[a->zones].zone = mine;
    a->depends[a->zones++].version = trust_zone(g->world, mine, g->time_ns)->version;
}

static void within(struct weighing *g, int64_t from_ns, int64_t until_ns)
{
    if (from_ns > g->answer->from_ns)
        g->answer->from_ns = from_ns;
    if (until_ns < g->answer->until_ns)
        g->answer->until_ns = until_ns;
}

static unsigned badness(enum reason reason)
{
    switch (reason_verdict(reason)) {
    case VERDICT_BOGUS:
        return 5;
    case VERDICT_INDETERMINATE:
        return 4;
    case VERDICT_NOT_CHECKABLE:
        return 3;
    case VERDICT_INSECURE:
        return 2;
    default:
        return 1;
    }
}

/* What holds without declared keys. */
static enum reason as_observed(struct weighing *g, enum reason reason, struct zone *zone)
{
    if (zone == NULL)
        return reason;
    const struct trust *t = trust_zone(g->world, zone, g->time_ns);
    enum reason told = trust_told(t, reason);
    bool absent = reason == REASON_SIG_MISSING || reason == REASON_DENIAL_MISSING;
    if (told != reason && absent && (t->up == NULL || t->up->trust.unproven == REASON_NONE) &&
        trust_promised(g->world, zone, g->time_ns))
        return reason; /* an observed DS is enough for that */
    return told;
}

static bool is_worse(enum reason reason, enum reason than)
{
    return than == REASON_NONE || badness(reason) > badness(than) ||
           (reason == REASON_WILDCARD && than == REASON_CHAIN);
}

static void weigh(struct weighing *g, enum reason reason, struct zone *zone, const struct rrset *by)
{
    enum reason observed = as_observed(g, reason, zone);
    if (is_worse(reason, g->held))
        g->held = reason;
    if (!is_worse(observed, g->reason))
        return;
    g->reason = observed;
    g->zone = zone;
    g->by = by;
}

/* judge_rrset, with its window and zone taken into account. */
static enum reason judge_set(struct weighing *g, struct rrset *set)
{
    enum reason reason = judge_rrset(g->world, set, g->time_ns);
    within(g, set->judged.from_ns, set->judged.until_ns);
    depend(g, set->judged.zone);
    g->answer->volatile_verdict |= reason == REASON_BUDGET;
    if (reason == REASON_CHAIN && set->type != TYPE_DS && set->type != TYPE_NSEC &&
        set->type != TYPE_NSEC3)
        inside_add(g->table->inside, set->owner, set->judged.zone);
    if (reason == REASON_CHAIN && set->type == TYPE_A)
        addresses_add(g->table->addresses, set);
    return reason;
}

/* Validation is switched off for the name: weighed so, whatever the records are worth. */
static bool switched_off(struct weighing *g, const uint8_t *name, uint16_t type,
                         const struct rrset *by)
{
    const uint8_t *off =
        negative_over(g->world, name, type, g->time_ns, &g->answer->from_ns, &g->answer->until_ns);
    if (off)
        weigh(g, REASON_NEGATIVE_ANCHOR, world_zone(g->world, off), by);
    return off != NULL;
}

static struct zone *zone_of(const struct rrset *set)
{
    return (struct zone *)(uintptr_t)set->judged.zone;
}

/* --- unsigned data --- */

/* Is it certain that the name belongs to the zone itself and not to a child whose cut we did not
 * see? */
static bool belongs(struct weighing *g, const uint8_t *name, uint16_t type, struct zone *zone)
{
    if (name_equal(name, zone->name) || inside_has(g->table->inside, name, zone))
        return true;
    /* An alias cannot stand at an apex (RFC 1034 3.6.2); DS and NSEC lie on the parent's side of a
     * cut at their owner: what counts is one label up. */
    if (type == TYPE_CNAME || type == TYPE_NSEC || type == TYPE_NSEC3 ||
        (type == TYPE_DS && !name_is_root(name)))
        return belongs(g, name_strip(name, 1), 0, zone);
    if (g->answer->aa_from_apex) {
        for (size_t i = 0; i < g->answer->sets; i++) {
            const struct answer_set *s = answer_nth(g->answer, i);
            if (s->section == SECTION_AUTHORITY && s->set->type == TYPE_NS &&
                name_equal(s->set->owner, zone->name))
                return true;
        }
    }
    if (zone->baseline) {
        struct fact_baseline declared;
        baseline_describe(zone->baseline, name, TYPE_A, g->time_ns, &declared);
        return declared.name_exists && !declared.below_cut;
    }
    return false;
}

/* What an unsigned RRset (or an unsigned denial) at `name` is. */
static enum reason judge_unsigned(struct weighing *g, const uint8_t *name, uint16_t type,
                                  struct zone **ret_zone)
{
    bool above = type == TYPE_DS && !name_is_root(name);
    const struct trust *t = NULL;
    struct zone *zone = trust_enclosing(g->world, name, above, g->time_ns, &t);
    *ret_zone = zone;
    g->answer->births = g->world->births;
    if (zone == NULL) {
        bool anchored =
            world_anchored(g->world, name, g->time_ns, &g->answer->from_ns, &g->answer->until_ns);
        return anchored ? REASON_CUT_NOT_SEEN : REASON_NO_ANCHOR;
    }
    depend(g, zone);
    within(g, t->from_ns, t->until_ns);
    if (t->state == TRUST_INSECURE)
        return t->reason;
    if (!g->answer->do_bit || !g->answer->dnssec_aware)
        return REASON_NO_DO;
    if (t->state == TRUST_BOGUS)
        return t->reason;
    bool promised = t->state == TRUST_SECURE || trust_promised(g->world, zone, g->time_ns);
    if (promised && g->answer->do_known && belongs(g, name, type, zone)) {
        bool parents =
            type == TYPE_NS && !(g->answer->flags & DNS_AA) && name_equal(name, zone->name);
        return parents ? REASON_DELEGATION_NS : REASON_SIG_MISSING;
    }
    g->answer->volatile_verdict = true; /* belongs() may learn more without any zone changing */
    return t->state == TRUST_SECURE ? REASON_CUT_NOT_SEEN : t->reason;
}

/* What a resolver says without signatures of a name that resolvers serve by themselves; not where
 * somebody has a signed zone there. `zone`: that the name was thought to lie in. */
static bool is_local(const struct weighing *g, const uint8_t *name, const struct zone *zone,
                     enum reason reason)
{
    enum verdict_kind verdict = reason_verdict(reason);
    return (verdict == VERDICT_BOGUS || verdict == VERDICT_INDETERMINATE) &&
           (g->answer->flags & DNS_RA) && local_name(name) &&
           (zone == NULL || !local_name(zone->name));
}

/* --- denial --- */

/* Is the absence of DNSSEC records in the response the responder's word? */
static bool absence_counts(const struct weighing *g)
{
    return g->answer->do_known && g->answer->do_bit && g->answer->dnssec_aware;
}

struct proof {
    struct denial denial; /* the usable RRsets, all of one zone */
    enum reason trouble;  /* the worst of the others, NONE if there is none */
    struct rrset *by;     /* that one */
    struct zone *zone;    /* whose keys or whose lack decided on it */
};

/* `cut`: the proof is to be about a DS there, NULL: about anything else. `home`: a zone whose keys
 * signed other data of the same response, NULL none: what it says lies in that zone. `apex`: the
 * zone that the proof is to be of, NULL any. Along aliases a response may have several, a
 * wildcard's in one zone and a denial in the next; what is valid of another zone proves something
 * else. */
static void collect_proof(struct weighing *g, const uint8_t *cut, struct zone *home,
                          const uint8_t *apex, struct proof *ret)
{
    struct denial *d = &ret->denial;
    *ret = (struct proof){.trouble = REASON_NONE};
    d->world = g->world;
    for (size_t i = 0; i < g->answer->sets && d->count < DENIAL_SETS_MAX; i++) {
        const struct answer_set *s = answer_nth(g->answer, i);
        struct rrset *set = s->set;
        if (s->section != SECTION_AUTHORITY || (set->type != TYPE_NSEC && set->type != TYPE_NSEC3))
            continue;
        /* The child has no say in its own delegation (RFC 4035 5.2). */
        if (set->signatures && cut && !name_is_root(cut) &&
            name_equal(set->signature[0].signer, cut))
            continue;
        struct zone *zone = home;
        enum reason reason = REASON_SIG_MISSING;
        if (set->signatures) {
            reason = judge_set(g, set);
            zone = zone_of(set);
        } else if (home == NULL || !name_within(set->owner, home->name) || !absence_counts(g)) {
            reason = judge_unsigned(g, set->owner, TYPE_NSEC, &zone);
        }
        bool usable = reason == REASON_CHAIN && !set->judged.wildcard;
        if (usable && apex && !name_equal(zone->name, apex))
            continue;
        if (usable && (d->zone == NULL || name_equal(d->zone, zone->name))) {
            d->zone = zone->name;
            d->set[d->count++] = set;
        } else if (!usable &&
                   (ret->trouble == REASON_NONE || badness(reason) > badness(ret->trouble))) {
            ret->trouble = reason;
            ret->by = set;
            ret->zone = zone;
        }
    }
}

/* A proof that includes what a DS query or a referral asks: remember it for the zone at the cut. */
static void learn_no_ds(struct weighing *g, const struct denial *d, const uint8_t *cut,
                        enum reason reason)
{
    struct zone *signer = world_find(g->world, d->zone);
    if (reason == REASON_DENIAL && signer) {
        inside_add(g->table->inside, cut, signer);
        world_show_inside(g->world, cut, signer);
        return;
    }
    /* Beyond the iterations that are computed the zone below is insecure too (RFC 9276 3.2). */
    if (reason != REASON_UNSIGNED_DELEGATION && reason != REASON_OPT_OUT &&
        reason != REASON_NSEC3_ITERATIONS)
        return;
    struct zone *zone = world_zone(g->world, cut);
    if (zone == NULL || signer == NULL || zone == signer)
        return;
    int64_t from = INT64_MIN, until = INT64_MAX;
    for (size_t i = 0; i < d->count; i++) {
        from = d->set[i]->judged.from_ns > from ? d->set[i]->judged.from_ns : from;
        until = d->set[i]->judged.until_ns < until ? d->set[i]->judged.until_ns : until;
    }
    world_show_no_ds(g->world, zone, reason, signer, d->set, d->count, g->time_ns, from, until);
    g->answer->no_ds_of = zone;
}

/* The end of an alias chain, or the question itself. */
static const uint8_t *last_target(const struct answer *a, uint8_t scratch[NAME_MAX_BYTES])
{
    const uint8_t *name = a->qname;
    for (size_t hops = 0; hops < a->sets; hops++) {
        bool moved = false;
        for (size_t i = 0; i < a->sets && !moved; i++) {
            const struct answer_set *s = answer_nth(a, i);
            uint16_t size;
            if (s->section != SECTION_ANSWER || s->set->type != TYPE_CNAME ||
                a->qtype == TYPE_CNAME || !name_equal(s->set->owner, name))
                continue;
            const uint8_t *target = rrset_record(s->set, NULL, &size);
            memcpy(scratch, target, size);
            name = scratch;
            moved = true;
        }
        if (!moved)
            break;
    }
    return name;
}

/* No NSEC or NSEC3 at all. `zone` is that of a signed SOA, or NULL. */
static void weigh_bare_denial(struct weighing *g, const uint8_t *qname, struct zone *zone,
                              const struct rrset *soa)
{
    const struct answer *a = g->answer;
    if (zone) {
        weigh(g, a->do_bit ? REASON_DENIAL_MISSING : REASON_NO_DO, zone, soa);
        return;
    }
    bool by_soa = soa && name_within(qname, soa->owner);
    enum reason reason =
        judge_unsigned(g, by_soa ? soa->owner : qname, by_soa ? TYPE_SOA : a->qtype, &zone);
    if (is_local(g, qname, zone, reason))
        reason = REASON_LOCAL;
    weigh(g, reason == REASON_SIG_MISSING ? REASON_DENIAL_MISSING : reason, zone, soa);
}

/* Where there is no address to translate a DNS64 resolver shows the proof of that. Signers on line
 * deny one type at a time, and all others are in the bitmap. */
static bool denied_by_a(const struct weighing *g, const struct denial *d, const uint8_t *qname)
{
    return g->answer->qtype == TYPE_AAAA &&
           (g->answer->flags & (DNS_AA | DNS_RA | DNS_CD)) == DNS_RA && denial_made_up(d->set[0]) &&
           reason_verdict(denial_no_data(d, qname, TYPE_A)) == VERDICT_SECURE;
}

static void weigh_denial(struct weighing *g, bool name_error)
{
    struct answer *a = g->answer;
    uint8_t scratch[NAME_MAX_BYTES];
    const uint8_t *qname = last_target(a, scratch);
    struct zone *zone = NULL;
    struct proof p;
    struct rrset *soa = answer_find(a, SECTION_AUTHORITY, TYPE_SOA);

    if (switched_off(g, qname, a->qtype, soa))
        return;
    enum reason soa_reason = soa ? judge_set(g, soa) : REASON_NONE;
    collect_proof(g, a->qtype == TYPE_DS && !name_error ? qname : NULL,
                  soa_reason == REASON_CHAIN ? zone_of(soa) : NULL, soa ? soa->owner : NULL, &p);
    bool broken = p.trouble != REASON_NONE && reason_verdict(p.trouble) == VERDICT_BOGUS;
    /* RFC 4035 3.1.3: in a signed zone the SOA comes with its signature. */
    if (soa && (soa->signatures || (p.denial.count && absence_counts(g)))) {
        if (soa_reason != REASON_CHAIN && !(broken && p.denial.count == 0)) {
            /* Unsigned it is missed by the zone whose proof it came with. */
            zone = soa->signatures ? zone_of(soa) : world_find(g->world, p.denial.zone);
            weigh(g, soa_reason, zone, soa);
            return;
        }
        zone = zone_of(soa);
    }
    if (p.trouble != REASON_NONE && (!broken || p.denial.count == 0)) {
        weigh(g, p.trouble, p.zone, p.by);
        return;
    }
    if (p.denial.count == 0) {
        weigh_bare_denial(g, qname, zone, soa);
        return;
    }
    zone = world_find(g->world, p.denial.zone);
    enum reason reason = name_error ? denial_name_error(&p.denial, qname)
                                    : denial_no_data(&p.denial, qname, a->qtype);
    g->answer->volatile_verdict |= reason == REASON_BUDGET;
    if (reason == REASON_TYPE_NOT_DENIED && denied_by_a(g, &p.denial, qname))
        reason = REASON_TRANSLATED;
    if (reason_verdict(reason) == VERDICT_BOGUS && broken) {
        /* the part that is missing is the one whose signature is wrong */
        weigh(g, p.trouble, p.zone, p.by);
        return;
    }
    if (reason_verdict(reason) == VERDICT_SECURE && !name_error && a->qtype == TYPE_DS)
        learn_no_ds(g, &p.denial, qname, denial_no_ds(&p.denial, qname));
    if ((reason == REASON_OPT_OUT || reason == REASON_NSEC3_ITERATIONS) && a->qtype == TYPE_DS)
        learn_no_ds(g, &p.denial, qname, reason);
    weigh(g, reason, zone, p.denial.set[0]);
}

/* --- positive answers --- */

/* RFC 6672 3.1: the unsigned CNAME that a DNAME of the answer yields. */
static const struct rrset *dname_above(const struct answer *a, const struct rrset *cname)
{
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        if (s->section == SECTION_ANSWER && s->set->type == TYPE_DNAME &&
            name_within(cname->owner, s->set->owner) && !name_equal(cname->owner, s->set->owner))
            return s->set;
    }
    return NULL;
}

static bool dname_yields(const struct rrset *dname, const struct rrset *cname)
{
    uint16_t target_size, actual_size;
    const uint8_t *target = rrset_record(dname, NULL, &target_size);
    const uint8_t *actual = rrset_record(cname, NULL, &actual_size);
    size_t kept = (size_t)cname->owner_size - dname->owner_size;
    return cname->count == 1 && dname->count == 1 && actual_size == kept + target_size &&
           memcmp(actual, cname->owner, kept) == 0 &&
           memcmp(actual + kept, target, target_size) == 0;
}

static void weigh_wildcard(struct weighing *g, struct rrset *set)
{
    struct proof p;
    collect_proof(g, NULL, zone_of(set), zone_of(set)->name, &p);
    unsigned labels = set->signature[set->judged.by].labels;
    enum reason reason =
        p.denial.count ? denial_wildcard(&p.denial, set->owner, labels) : REASON_WILDCARD_CLOSER;
    g->answer->volatile_verdict |= reason == REASON_BUDGET;
    if (reason == REASON_DENIAL)
        reason = REASON_WILDCARD;
    else if (reason == REASON_WILDCARD_CLOSER && g->answer->do_known && !g->answer->do_bit)
        reason = REASON_NO_DO;
    if (reason_verdict(reason) == VERDICT_BOGUS && p.trouble != REASON_NONE)
        weigh(g, p.trouble, p.zone, p.by);
    else
        weigh(g, reason, zone_of(set), set);
}

static void weigh_set(struct weighing *g, struct rrset *set)
{
    struct zone *zone;
    if (switched_off(g, set->owner, set->type, set))
        return;
    if (set->signatures == 0) {
        const struct rrset *dname = set->type == TYPE_CNAME ? dname_above(g->answer, set) : NULL;
        if (dname) {
            if (!dname_yields(dname, set))
                weigh(g, REASON_DNAME_MISMATCH, NULL, set);
            return; /* the DNAME is weighed by itself */
        }
        enum reason reason = judge_unsigned(g, set->owner, set->type, &zone);
        if (reason == REASON_SIG_MISSING && set->type == TYPE_AAAA) {
            g->answer->volatile_verdict = true; /* the addresses may be learned later */
            reason = answers_translated(g->table, g->answer, set) ? REASON_TRANSLATED : reason;
        }
        if (is_local(g, set->owner, zone, reason))
            reason = REASON_LOCAL;
        weigh(g, reason, zone, set);
        return;
    }
    enum reason reason = judge_set(g, set);
    if (reason == REASON_CHAIN && set->judged.wildcard)
        weigh_wildcard(g, set);
    else
        weigh(g, reason, zone_of(set), set);
}

static bool final_type_present(const struct answer *a, const uint8_t *name)
{
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        if (s->section == SECTION_ANSWER && name_equal(s->set->owner, name) &&
            (s->set->type == a->qtype || a->qtype == TYPE_ANY))
            return true;
    }
    return false;
}

static void weigh_positive(struct weighing *g)
{
    struct answer *a = g->answer;
    uint8_t scratch[NAME_MAX_BYTES];
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        if (s->section == SECTION_ANSWER)
            weigh_set(g, s->set);
    }
    /* An alias to a name or type that does not exist: its denial belongs to the answer. */
    if (!final_type_present(a, last_target(a, scratch)) &&
        (a->rcode == 3 || answer_find(a, SECTION_AUTHORITY, TYPE_SOA)))
        weigh_denial(g, a->rcode == 3);
}

/* --- referrals --- */

static void weigh_referral(struct weighing *g)
{
    struct answer *a = g->answer;
    const struct rrset *ns = answer_find(a, SECTION_AUTHORITY, TYPE_NS);
    struct rrset *ds = answer_find(a, SECTION_AUTHORITY, TYPE_DS);
    if (ns && switched_off(g, ns->owner, TYPE_DS, ns)) /* a cut is its parent's to prove */
        return;
    if (ds && ds->signatures) {
        enum reason reason = judge_set(g, ds);
        reason = as_observed(g, reason, zone_of(ds));
        weigh(g, reason == REASON_CHAIN ? REASON_REFERRAL : reason, zone_of(ds), ds);
        return;
    }
    struct proof p;
    collect_proof(g, ns->owner, NULL, NULL, &p);
    if (p.denial.count == 0) {
        weigh(g, p.trouble == REASON_NONE ? REASON_REFERRAL : p.trouble, p.zone, p.by);
        return;
    }
    enum reason reason = denial_no_ds(&p.denial, ns->owner);
    learn_no_ds(g, &p.denial, ns->owner, reason);
    if (reason == REASON_DENIAL)
        reason = REASON_DS_NOT_DENIED; /* a referral to a name that the proof says is no cut */
    if (reason_verdict(reason) == VERDICT_BOGUS && p.trouble != REASON_NONE)
        weigh(g, p.trouble, p.zone, p.by);
    else
        weigh(g, reason, world_find(g->world, p.denial.zone), p.denial.set[0]);
}

/* --- the response --- */

/* A bogus answer about a DS, or a bogus referral: the zone at the cut hangs in the air. Below a
 * zone that is bogus itself it says nothing new, nor that there is a cut: resolvers in search of
 * one ask for the DS of any name. */
static void learn_bad_ds(struct weighing *g)
{
    const struct answer *a = g->answer;
    const struct rrset *ns = answer_find(a, SECTION_AUTHORITY, TYPE_NS);
    const uint8_t *cut = a->kind == ANSWER_REFERRAL && ns ? ns->owner : a->qname;
    const struct rrset *ds = answer_find(a, SECTION_ANSWER, TYPE_DS);
    bool about_ds = a->kind == ANSWER_REFERRAL || a->qtype == TYPE_DS;
    if (!about_ds || a->rewritten || (a->kind == ANSWER_POSITIVE && (!ds || ds->signatures)) ||
        reason_verdict(g->reason) != VERDICT_BOGUS || g->zone == NULL ||
        name_equal(g->zone->name, cut) || !name_within(cut, g->zone->name) ||
        trust_zone(g->world, g->zone, g->time_ns)->state == TRUST_BOGUS)
        return;
    struct zone *zone = world_zone(g->world, cut);
    if (zone)
        world_show_bad_ds(g->world, zone, g->reason, g->zone, g->time_ns);
}

void weigh_answer(struct answers *table, struct answer *a, int64_t time_ns)
{
    struct weighing g = {.table = table, .world = &table->world, .answer = a, .time_ns = time_ns};
    a->zones = 0;
    a->volatile_verdict = false;
    a->births = 0;
    a->from_ns = INT64_MIN;
    a->until_ns = INT64_MAX;
    a->judged = true;
    a->held = REASON_NONE;
    switch (a->kind) {
    case ANSWER_POSITIVE:
        weigh_positive(&g);
        break;
    case ANSWER_NXDOMAIN:
        weigh_denial(&g, true);
        break;
    case ANSWER_NODATA:
        weigh_denial(&g, false);
        break;
    case ANSWER_REFERRAL:
        weigh_referral(&g);
        break;
    case ANSWER_OTHER:
        return;
    }
    /* RRsets that do not bear on the verdict are judged all the same: the rules want their
     * signatures. */
    for (size_t i = 0; i < a->sets; i++) {
        struct rrset *set = answer_nth(a, i)->set;
        if (set->signatures)
            (void)judge_set(&g, set);
    }
    learn_bad_ds(&g);
    a->reason = g.reason == REASON_NONE ? REASON_MALFORMED : g.reason;
    a->held = g.held;
    a->zone = g.zone;
    a->by = g.by;
}

bool weigh_holds(struct answers *table, const struct answer *a, int64_t time_ns)
{
    if (!a->judged || a->volatile_verdict || time_ns < a->from_ns || time_ns > a->until_ns ||
        (a->births && a->births != table->world.births))
        return false;
    for (uint8_t i = 0; i < a->zones; i++)
        if (trust_zone(&table->world, a->depends[i].zone, time_ns)->version !=
            a->depends[i].version)
            return false;
    return true;
}

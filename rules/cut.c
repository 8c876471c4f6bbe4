/*
 * cut: findings about what parent and child say of the cut between them (RFC 1034 4.2.2, RFC 7344,
 * RFC 8078).
 *
 * Contained in: analyze, tests.
 */
#include "rules/digest.h"
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define TYPE_NS      2
#define TYPE_CDS     59
#define TYPE_CDNSKEY 60

/* --- delegation-inconsistent --------------------------------------------------------------- */

static void judge_ns(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_cut *cut = fact->cut;
    const struct fact_rrset *parent = &fact->observed, *child = &cut->child;
    struct subject subject = {fact->zone, fact->zone, TYPE_NS, NULL, 0};
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], record[LINE_ROOM];
    size_t only_parent = 0, only_child = 0;
    if (!cut->differ) {
        findings_close(judge, RULE_DELEGATION_INCONSISTENT, &subject);
        return;
    }
    /* A change of one side takes until the other has followed; caches see it for its TTL longer. */
    if (!cut->current || fact->baseline.planned || (cut->began && cut->lasted_ns <= cut->ttl_ns))
        return;
    struct entry *entry = entry_begin(judge, RULE_DELEGATION_INCONSISTENT, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    for (size_t i = 0; i < parent->count; i++) {
        only_parent += !rrset_has(child, &parent->rdata[i]);
        snprintf(line, sizeof line, "parent: %.*s", LINE_ROOM - 16,
                 text_record(judge, fact->zone, TYPE_NS, &parent->rdata[i], record));
        entry_observed(entry, line);
    }
    for (size_t i = 0; i < child->count; i++) {
        only_child += !rrset_has(parent, &child->rdata[i]);
        snprintf(line, sizeof line, "child: %.*s", LINE_ROOM - 16,
                 text_record(judge, fact->zone, TYPE_NS, &child->rdata[i], record));
        entry_observed(entry, line);
    }
    entry_summary(entry,
                  "parent and child disagree on the name servers of %s: %zu only in the parent's "
                  "delegation, %zu only in the zone",
                  name_text(fact->zone, zone), only_parent, only_child);
    entry_end(judge, entry, (enum severity)0);
}

/* Glue beside the zone's own addresses: how many of the former the zone does not have. */
static size_t observe_glue(struct judge *judge, struct entry *entry, const struct fact_glue *glue)
{
    char line[LINE_ROOM], record[LINE_ROOM];
    size_t stale = 0;
    for (size_t i = 0; i < glue->parent.count; i++) {
        stale += !rrset_has(&glue->child, &glue->parent.rdata[i]);
        snprintf(line, sizeof line, "parent: %.*s", LINE_ROOM - 16,
                 text_record(judge, glue->parent.owner, glue->parent.type, &glue->parent.rdata[i],
                             record));
        entry_observed(entry, line);
    }
    for (size_t i = 0; i < glue->child.count; i++) {
        snprintf(
            line, sizeof line, "child: %.*s", LINE_ROOM - 16,
            text_record(judge, glue->child.owner, glue->child.type, &glue->child.rdata[i], record));
        entry_observed(entry, line);
    }
    return stale;
}

/* Addresses that the zone does not have lead resolvers astray; such as the parent leaves out do
 * not. */
static void judge_glue(struct judge *judge)
{
    static const uint8_t addresses[] = "glue";
    const struct fact *fact = judge->fact;
    const struct fact_glues *glues = fact->glues;
    struct subject subject = {fact->zone, fact->zone, TYPE_NS, addresses, sizeof addresses};
    char zone[NAME_TEXT_MAX], owner[NAME_TEXT_MAX], type[32], more[48] = "";
    size_t stale = 0;
    if (glues->count == 0) {
        findings_close(judge, RULE_DELEGATION_INCONSISTENT, &subject);
        return;
    }
    if (fact->baseline.planned)
        return;
    struct entry *entry = entry_begin(judge, RULE_DELEGATION_INCONSISTENT, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    for (size_t i = 0; i < glues->count; i++)
        stale += observe_glue(judge, entry, &glues->glue[i]);
    const struct fact_rrset *first = &glues->glue[0].parent;
    if (glues->count > 1)
        snprintf(more, sizeof more, ", and %zu more", glues->count - 1);
    entry_summary(entry,
                  "the parent's glue for name servers of %s is not what the zone says: %s %s%s; "
                  "%zu address%s that the zone does not have",
                  name_text(fact->zone, zone), name_text(first->owner, owner),
                  text_type(judge, first->type, type), more, stale, stale == 1 ? "" : "es");
    entry_end(judge, entry, stale ? (enum severity)0 : SEVERITY_LOW);
}

/* --- cds-inconsistent ---------------------------------------------------------------------- */

/* RFC 8078 4: algorithm 0 asks for the DS to be deleted. */
static bool is_deletion(const struct fact_rdata *rdata, uint16_t type)
{
    return rdata->size >= 4 && rdata->bytes[type == TYPE_CDS ? 2 : 3] == 0;
}

static size_t deletions(const struct fact_rrset *set, uint16_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += is_deletion(&set->rdata[i], type);
    return count;
}

static struct fact_key key_of(const struct fact_rdata *cdnskey)
{
    const uint8_t *b = cdnskey->bytes;
    if (cdnskey->size < 4)
        return (struct fact_key){.public_key = {b, 0}};
    return (struct fact_key){.flags = (uint16_t)(b[0] << 8 | b[1]),
                             .protocol = b[2],
                             .algorithm = b[3],
                             .public_key = {b + 4, (uint16_t)(cdnskey->size - 4)}};
}

static bool same_key(const struct fact_key *a, const struct fact_key *b)
{
    return a->algorithm == b->algorithm && rdata_equal(&a->public_key, &b->public_key);
}

/* Does the CDS name that key? Of a digest that we cannot compute, that must be assumed. */
static bool names(const struct fact *fact, const struct fact_rdata *cds, const struct fact_key *key)
{
    uint8_t digest[DIGEST_DS_MAX];
    if (cds->size < 5 || cds->bytes[2] != key->algorithm)
        return false;
    size_t size = digest_ds(fact->zone, key, cds->bytes[3], digest);
    return size == 0 || (size == cds->size - 4u && memcmp(digest, cds->bytes + 4, size) == 0);
}

/* Every CDS has its CDNSKEY, and the other way round (RFC 7344 4). */
static bool sets_match(const struct fact *fact)
{
    const struct fact_cds *c = fact->cds;
    for (size_t i = 0; i < c->cds.count; i++) {
        bool found = is_deletion(&c->cds.rdata[i], TYPE_CDS);
        for (size_t k = 0; k < c->cdnskey.count && !found; k++) {
            struct fact_key key = key_of(&c->cdnskey.rdata[k]);
            found = names(fact, &c->cds.rdata[i], &key);
        }
        if (!found)
            return false;
    }
    for (size_t k = 0; k < c->cdnskey.count; k++) {
        bool found = is_deletion(&c->cdnskey.rdata[k], TYPE_CDNSKEY);
        struct fact_key key = key_of(&c->cdnskey.rdata[k]);
        for (size_t i = 0; i < c->cds.count && !found; i++)
            found = names(fact, &c->cds.rdata[i], &key);
        if (!found)
            return false;
    }
    return true;
}

struct named { /* of what is asked for, how much is in the DNSKEY RRset */
    size_t all, published, signing;
};

static void count_named(const struct fact *fact, const struct fact_rrset *set, uint16_t type,
                        struct named *named)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct fact_rdata *rdata = &set->rdata[i];
        struct fact_key asked = key_of(rdata);
        bool published = false, signing = false;
        if (is_deletion(rdata, type))
            continue;
        for (size_t k = 0; k < fact->key_count; k++) {
            const struct fact_key *key = &fact->keys[k];
            bool same = type == TYPE_CDS ? names(fact, rdata, key) : same_key(&asked, key);
            published |= same;
            signing |= same && key->signs_dnskey;
        }
        named->all++;
        named->published += published;
        named->signing += signing;
    }
}

/* What is wrong, and how much; NULL: nothing that was seen. */
static const char *fault(const struct fact *fact, enum severity *ret_severity)
{
    const struct fact_cds *c = fact->cds;
    size_t cds_gone = deletions(&c->cds, TYPE_CDS);
    size_t cdnskey_gone = deletions(&c->cdnskey, TYPE_CDNSKEY);
    struct named named = {0};
    *ret_severity = SEVERITY_MEDIUM;
    if ((cds_gone && c->cds.count > 1) || (cdnskey_gone && c->cdnskey.count > 1))
        return "ask for the DS to be deleted and for DS at once (RFC 8078 4)";
    bool both = c->cds_known && c->cdnskey_known && c->cds.count && c->cdnskey.count;
    if (both && (cds_gone > 0) != (cdnskey_gone > 0))
        return "disagree on whether the DS is to be deleted";
    if (both && !sets_match(fact))
        return "name different keys (RFC 7344 4)";
    count_named(fact, &c->cds, TYPE_CDS, &named);
    count_named(fact, &c->cdnskey, TYPE_CDNSKEY, &named);
    if (fact->key_count && named.all && named.published == 0)
        return "name no key of the DNSKEY RRset: the zone would be bogus with that DS";
    if (fact->key_count && c->signers_known && named.published && named.signing == 0)
        return "name no key that signs the DNSKEY RRset: the zone would be bogus with that DS";
    *ret_severity = SEVERITY_LOW;
    if (fact->key_count && named.published < named.all)
        return "name a key that the DNSKEY RRset lacks; a key in reserve looks the same";
    if (c->ds_known && (c->cds.count || c->cdnskey.count) && !c->signed_by_ds)
        return "are signed by no key that the parent's DS names: the parent must not act on them "
               "(RFC 7344 4.1)";
    return NULL;
}

static void judge_cds(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_cds *c = fact->cds;
    static const uint8_t sets[] = "sets";
    struct subject subject = {fact->zone, fact->zone, TYPE_CDS, sets, sizeof sets};
    char zone[NAME_TEXT_MAX], line[LINE_ROOM];
    enum severity severity;
    const char *what = fault(fact, &severity);
    if (!what) {
        if (c->cds_known && c->cdnskey_known &&
            (fact->key_count || !(c->cds.count + c->cdnskey.count)))
            findings_close(judge, RULE_CDS_INCONSISTENT, &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_CDS_INCONSISTENT, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    for (size_t i = 0; i < fact->key_count; i++)
        if (fact->keys[i].flags & KEY_SEP)
            entry_expected(entry, text_key(fact->zone, &fact->keys[i], line));
    text_observe_set(judge, entry, &c->cds);
    text_observe_set(judge, entry, &c->cdnskey);
    entry_summary(entry, "%s of %s %s",
                  c->cds.count && c->cdnskey.count ? "CDS and CDNSKEY"
                  : c->cds.count                   ? "CDS"
                                                   : "CDNSKEY",
                  name_text(fact->zone, zone), what);
    entry_end(judge, entry, severity);
}

void cut_judge(struct judge *judge)
{
    if (judge->fact->kind == FACT_CUT)
        judge_ns(judge);
    else if (judge->fact->kind == FACT_GLUE)
        judge_glue(judge);
    else if (judge->fact->kind == FACT_CDS)
        judge_cds(judge);
}

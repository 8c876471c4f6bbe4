/*
 * delegation: findings about DS, NS and glue (RFC 4034 5, RFC 4035 5.2, RFC 7344).
 *
 * Contained in: analyze, tests. Digests are computed here from the key's bytes, so that "the tag
 * fits" is never taken for "the key fits".
 */
#include "rules/algorithm.h"
#include "rules/digest.h"
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define TYPE_A       1
#define TYPE_NS      2
#define TYPE_AAAA    28
#define TYPE_DS      43
#define TYPE_CDS     59
#define TYPE_CDNSKEY 60

#define NS_PER_S      INT64_C(1000000000)
#define IDENTITY_ROOM (4 + 64) /* a digest of 64 bytes, more are cut */

static struct subject ds_subject(const struct fact *fact, const struct fact_ds *ds,
                                 uint8_t *identity)
{
    size_t size = ds->digest.size < IDENTITY_ROOM - 4 ? ds->digest.size : IDENTITY_ROOM - 4;
    identity[0] = (uint8_t)(ds->tag >> 8);
    identity[1] = (uint8_t)ds->tag;
    identity[2] = ds->algorithm;
    identity[3] = ds->digest_type;
    if (size)
        memcpy(identity + 4, ds->digest.bytes, size);
    return (struct subject){fact->zone, fact->zone, TYPE_DS, identity, size + 4};
}

static void expect_ds(struct entry *entry, const struct fact *fact)
{
    char line[LINE_ROOM];
    for (size_t i = 0; i < fact->baseline.ds_declared; i++)
        entry_expected(entry, text_ds(fact->zone, &fact->baseline.ds[i], line));
}

/* --- ds-mismatch --------------------------------------------------------------------------- */

/* Does the DS name keys that the zone has not? Then until when caches may hold one that is
 * fulfilled is told. */
static const char *since_when(const struct fact *fact, char ret_text[96])
{
    char when[32];
    if (!fact->orphaned || fact->gone_ns <= fact_clock(fact))
        return "validating resolvers answer SERVFAIL";
    snprintf(ret_text, 96,
             "validating resolvers that have it answer SERVFAIL, and all of them from %s",
             text_time(fact->gone_ns / NS_PER_S, when));
    return ret_text;
}

static void judge_mismatch(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_DS, NULL, 0};
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], since[96];
    const char *what;
    bool orphaned = fact->orphaned && fact->kind == FACT_CHAIN;
    if (fact->from_above) /* a parent's trouble, told of the parent */
        return;
    switch (orphaned ? REASON_DS_MISMATCH : fact->reason) {
    case REASON_DS_MISMATCH:
        what = orphaned ? "no DNSKEY matches the newest DS of the parent"
                        : "no DNSKEY matches a DS of the parent";
        break;
    case REASON_ANCHOR_MISMATCH:
        what = "no DNSKEY matches the trust anchor";
        break;
    case REASON_DNSKEY_MISSING:
        what = "the parent has a DS, and the zone denies having a DNSKEY";
        break;
    default:
        /* A DNSKEY RRset that is sound now may have been the one that was not. */
        if (fact->orphaned)
            return;
        if (fact->verdict == VERDICT_SECURE
                ? fact->kind == FACT_CHAIN || fact->kind == FACT_DNSKEY
                : fact->kind == FACT_CHAIN && fact->verdict == VERDICT_INSECURE)
            findings_close(judge, RULE_DS_MISMATCH, &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_DS_MISMATCH, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    for (size_t i = 0; i < fact->ds_count; i++)
        entry_expected(entry, text_ds(fact->zone, &fact->ds[i], line));
    for (size_t i = 0; i < fact->key_count; i++)
        entry_observed(entry, text_key(fact->zone, &fact->keys[i], line));
    entry_summary(entry, "%s: %s; %s", name_text(fact->zone, zone), what, since_when(fact, since));
    entry_end(judge, entry, 0);
}

/* --- ds-digest-wrong, ds-algorithm-mismatch ------------------------------------------------ */

static bool digest_fits(const struct fact *fact, const struct fact_key *key,
                        const struct fact_ds *ds)
{
    uint8_t digest[DIGEST_DS_MAX];
    size_t size = digest_ds(fact->zone, key, ds->digest_type, digest);
    return size && size == ds->digest.size && memcmp(digest, ds->digest.bytes, size) == 0;
}

static bool digest_is_ownerless(const struct fact_key *key, const struct fact_ds *ds)
{
    uint8_t digest[DIGEST_DS_MAX];
    size_t size = digest_ownerless(key, ds->digest_type, digest);
    return size && size == ds->digest.size && memcmp(digest, ds->digest.bytes, size) == 0;
}

enum ds_form { DS_FORM_FINE, DS_FORM_DIGEST_WRONG, DS_FORM_ALGORITHM_WRONG };

static enum ds_form ds_form(const struct fact *fact, const struct fact_ds *ds,
                            const struct fact_key **ret_key)
{
    bool computable = ds->digest_type == 1 || ds->digest_type == 2 || ds->digest_type == 4;
    enum ds_form form = DS_FORM_FINE;
    if (ds->matches_key || !computable)
        return DS_FORM_FINE;
    for (size_t i = 0; i < fact->key_count; i++) {
        const struct fact_key *key = &fact->keys[i];
        bool fits = key->tag == ds->tag && digest_fits(fact, key, ds);
        if (fits && key->algorithm == ds->algorithm)
            return DS_FORM_FINE;
        if (fits) {
            *ret_key = key;
            form = DS_FORM_ALGORITHM_WRONG;
        } else if (form == DS_FORM_FINE && key->tag == ds->tag && key->algorithm == ds->algorithm) {
            *ret_key = key;
            form = DS_FORM_DIGEST_WRONG;
        }
    }
    return form;
}

static void judge_ds_form(struct judge *judge, const struct fact_ds *ds)
{
    const struct fact *fact = judge->fact;
    const struct fact_key *key = NULL;
    uint8_t identity[IDENTITY_ROOM], digest[DIGEST_DS_MAX];
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], algorithm[32], other[32];
    if (dsform_judge(judge, ds))
        return;
    enum ds_form form = ds_form(fact, ds, &key);
    if (form == DS_FORM_FINE)
        return;
    struct subject subject = ds_subject(fact, ds, identity);
    struct entry *entry = entry_begin(
        judge, form == DS_FORM_DIGEST_WRONG ? RULE_DS_DIGEST_WRONG : RULE_DS_ALGORITHM_MISMATCH,
        &subject);
    if (!entry)
        return;
    entry_clear(entry);
    struct fact_ds right = {
        .tag = key->tag,
        .algorithm = key->algorithm,
        .digest_type = ds->digest_type,
        .digest = {digest, (uint16_t)digest_ds(fact->zone, key, ds->digest_type, digest)}};
    entry_expected(entry, text_ds(fact->zone, &right, line));
    entry_observed(entry, text_ds(fact->zone, ds, line));
    if (form == DS_FORM_DIGEST_WRONG)
        entry_summary(entry, "DS %u of %s has tag and algorithm of a key, and not its digest%s",
                      ds->tag, name_text(fact->zone, zone),
                      digest_is_ownerless(key, ds) ? ", but one of the key without its owner name"
                                                   : "");
    else
        entry_summary(entry, "DS %u of %s states %s, the key whose digest it holds has %s", ds->tag,
                      name_text(fact->zone, zone), text_algorithm(judge, ds->algorithm, algorithm),
                      text_algorithm(judge, key->algorithm, other));
    entry_end(judge, entry, 0);
}

/* --- ds-unknown, ds-weak, ds-removed ------------------------------------------------------- */

/* "; it names the … key", or that none with its tag was seen. */
static void pointed_at(const struct fact *fact, const struct fact_ds *ds, char ret_text[160])
{
    const struct fact_key *keys[] = {fact->keys, fact->baseline.keys};
    const size_t counts[] = {fact->key_count, fact->baseline.key_count};
    static const char *const where[] = {"seen in the zone", "of the baseline"};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < counts[i]; j++) {
            const struct fact_key *key = &keys[i][j];
            if (key->tag != ds->tag || key->algorithm != ds->algorithm)
                continue;
            snprintf(ret_text, 160, "; its digest is %sthat of the key with this tag, %s",
                     digest_fits(fact, key, ds) ? "" : "not ", where[i]);
            return;
        }
    snprintf(ret_text, 160, "%s",
             ds->matches_key ? "; its digest is that of a key seen in the zone"
                             : "; no key with this tag has been seen");
}

static void judge_ds_unknown(struct judge *judge, const struct fact_ds *ds)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = ds_subject(fact, ds, identity);
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], note[160], algorithm[32];
    bool stated = !fact->baseline.algorithm || ds->algorithm == fact->baseline.algorithm;
    if (!fact->baseline.present || (fact->baseline.planned_sep && stated) ||
        ds_known(&fact->baseline, ds))
        return;
    if (fact->kind != FACT_DS && !findings_has(judge, RULE_DS_UNKNOWN, &subject))
        return;
    struct entry *entry = entry_begin(judge, RULE_DS_UNKNOWN, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    expect_ds(entry, fact);
    entry_observed(entry, text_ds(fact->zone, ds, line));
    pointed_at(fact, ds, note);
    entry_summary(entry, "the parent of %s publishes an undeclared DS %u (%s, digest type %u)%s",
                  name_text(fact->zone, zone), ds->tag,
                  text_algorithm(judge, ds->algorithm, algorithm), ds->digest_type, note);
    entry_end(judge, entry, 0);
}

/* Keys that turn up after an undeclared DS: its finding learns which key it points at. */
static void judge_named_keys(struct judge *judge)
{
    static const uint8_t types[] = {1, 2, 4};
    const struct fact *fact = judge->fact;
    bool quiet = judge->quiet;
    judge->quiet = true;
    for (size_t i = 0; i < fact->key_count; i++)
        for (size_t j = 0; j < sizeof types; j++) {
            uint8_t digest[DIGEST_DS_MAX];
            const struct fact_key *key = &fact->keys[i];
            struct fact_ds ds = {
                .tag = key->tag, .algorithm = key->algorithm, .digest_type = types[j]};
            ds.digest =
                (struct fact_rdata){digest, (uint16_t)digest_ds(fact->zone, key, types[j], digest)};
            if (ds.digest.size)
                judge_ds_unknown(judge, &ds);
        }
    judge->quiet = quiet;
}

static void judge_ds_weak(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_DS, NULL, 0};
    char zone[NAME_TEXT_MAX], line[LINE_ROOM];
    if (judge->limits->ignore_rfc8624)
        return;
    for (size_t i = 0; i < fact->ds_count; i++) {
        const struct algorithm *row = algorithm_digest(fact->ds[i].digest_type);
        if (!row || row->signing != ADVICE_MUST_NOT) {
            findings_close(judge, RULE_DS_WEAK, &subject);
            return;
        }
    }
    struct entry *entry = entry_begin(judge, RULE_DS_WEAK, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    for (size_t i = 0; i < fact->ds_count; i++)
        entry_observed(entry, text_ds(fact->zone, &fact->ds[i], line));
    entry_summary(entry, "every DS of %s uses a digest that must no longer be used",
                  name_text(fact->zone, zone));
    entry_end(judge, entry, 0);
}

#define GONE_DS_MAX 32 /* of larger sets nothing is concluded */

/* The parent gives a whole DS RRset, and what was said of other DS is no longer in it. */
static void judge_ds_gone(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    char ids[GONE_DS_MAX][FINDING_ID_TEXT];
    uint8_t identity[IDENTITY_ROOM];
    if (fact->verdict != VERDICT_SECURE || !fact->server || !(fact->aa || fact->from_referral) ||
        fact->tc || fact->ds_count == 0 || fact->ds_count > GONE_DS_MAX)
        return;
    for (size_t i = 0; i < fact->ds_count; i++) {
        struct subject subject = ds_subject(fact, &fact->ds[i], identity);
        findings_id(judge, RULE_DS_UNKNOWN, &subject, ids[i]);
    }
    findings_close_but(judge, RULE_DS_UNKNOWN, fact->zone, (const char(*)[FINDING_ID_TEXT])ids,
                       fact->ds_count);
}

static void judge_ds_removed(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_DS, NULL, 0};
    char zone[NAME_TEXT_MAX];
    if (!fact->baseline.present || !fact->baseline.signed_zone || fact->baseline.planned)
        return;
    struct entry *entry = entry_begin(judge, RULE_DS_REMOVED, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    expect_ds(entry, fact);
    entry_summary(entry, "the parent proves that %s has no DS: the zone has gone insecure",
                  name_text(fact->zone, zone));
    entry_end(judge, entry, 0);
}

static void judge_ds_set(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject removed = {fact->zone, fact->zone, TYPE_DS, NULL, 0};
    for (size_t i = 0; i < fact->ds_count; i++) {
        judge_ds_unknown(judge, &fact->ds[i]);
        if (ds_known(&fact->baseline, &fact->ds[i]))
            findings_close(judge, RULE_DS_REMOVED, &removed);
    }
    if (fact->ds_count)
        judge_ds_weak(judge);
}

/* --- cds-unexpected ------------------------------------------------------------------------ */

static bool cds_fine(const struct fact_baseline *baseline, uint16_t type,
                     const struct fact_rdata *rdata)
{
    if (rdata->size < 5)
        return false;
    if (type == TYPE_CDS) {
        struct fact_ds ds = {.tag = (uint16_t)(rdata->bytes[0] << 8 | rdata->bytes[1]),
                             .algorithm = rdata->bytes[2],
                             .digest_type = rdata->bytes[3],
                             .digest = {rdata->bytes + 4, (uint16_t)(rdata->size - 4)}};
        return ds_known(baseline, &ds);
    }
    for (size_t i = 0; i < baseline->key_count; i++) {
        const struct fact_key *key = &baseline->keys[i];
        struct fact_rdata bytes = {rdata->bytes + 4, (uint16_t)(rdata->size - 4)};
        if (key->algorithm == rdata->bytes[3] && rdata_equal(&key->public_key, &bytes))
            return true;
    }
    return false;
}

/* RFC 8078 4: algorithm 0 asks for deletion. */
static bool asks_deletion(uint16_t type, const struct fact_rdata *rdata)
{
    return rdata->size >= 4 && rdata->bytes[type == TYPE_CDS ? 2 : 3] == 0;
}

static void judge_cds(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_rrset *seen = &fact->observed;
    struct subject subject = {fact->zone, seen->owner, seen->type, NULL, 0};
    char zone[NAME_TEXT_MAX], type[32], trust[256];
    bool fine = true, deletion = false;
    if (!fact->baseline.present || fact->tc)
        return;
    /* A plan expects the key that it names, or any key; only one to go insecure a deletion. */
    for (size_t i = 0; i < seen->count; i++) {
        bool gone = asks_deletion(seen->type, &seen->rdata[i]);
        bool planned = gone ? fact->baseline.planned_withdrawal : fact->baseline.planned_sep;
        fine &= planned || rrset_has(&fact->baseline.expected, &seen->rdata[i]) ||
                cds_fine(&fact->baseline, seen->type, &seen->rdata[i]);
        deletion |= gone;
    }
    if (fine) {
        findings_close(judge, RULE_CDS_UNEXPECTED, &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_CDS_UNEXPECTED, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    text_expect_set(judge, entry, &fact->baseline.expected);
    expect_ds(entry, fact);
    text_observe_set(judge, entry, seen);
    entry_summary(entry, "%s of %s %s (%s)", text_type(judge, seen->type, type),
                  name_text(fact->zone, zone),
                  deletion ? "asks the parent to delete the DS" : "names an undeclared key",
                  text_trust(fact, trust));
    entry_end(judge, entry, 0);
}

/* --- delegation-changed -------------------------------------------------------------------- */

/* Glue may lawfully come in part: an address too many counts, one too few does not. */
static bool glue_fine(const struct fact_rrset *expected, const struct fact_rrset *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        if (!rrset_has(expected, &seen->rdata[i]))
            return false;
    return true;
}

/* Where the NS RRset was seen, as a member of the finding: types that are private (RFC 6895 3.1).
 */
static uint16_t side_of(bool from_referral)
{
    return from_referral ? 0xff01 : 0xff02;
}

/* What the zone says itself does not refute what its parent says: that is where resolvers are sent,
 * and a hijack there leaves the zone as it was. So the finding ends with the last of the two sides;
 * of the delegation the parent is the authority, though a referral has AA=0. True if it is the
 * parent's that was not so before. */
static bool side_is_fine(struct judge *judge, const struct subject *subject)
{
    const struct fact *fact = judge->fact;
    struct fact side = *fact;
    side.aa |= fact->from_referral;
    judge->fact = &side;
    side.observed.type = side_of(!fact->from_referral);
    if (!findings_concerns(judge, RULE_DELEGATION_CHANGED, subject))
        findings_close(judge, RULE_DELEGATION_CHANGED, subject);
    side.observed.type = side_of(fact->from_referral);
    bool back = fact->from_referral && findings_concerns(judge, RULE_DELEGATION_CHANGED, subject);
    findings_leave(judge, RULE_DELEGATION_CHANGED, fact->zone);
    judge->fact = fact;
    return back;
}

static void judge_servers(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_rrset *seen = &fact->observed, *expected = &fact->baseline.expected;
    bool glue = seen->type != TYPE_NS;
    struct subject subject = {fact->zone, seen->owner, seen->type, NULL, 0};
    char owner[NAME_TEXT_MAX], zone[NAME_TEXT_MAX], trust[256];
    if (!fact->baseline.present || seen->count == 0 || fact->tc)
        return;
    if (glue && expected->count == 0)
        return; /* only addresses that the owner declared are comparable */
    if (!glue && expected->count == 0 && (!fact->baseline.strict || fact->baseline.ns_unknown))
        return;
    if (glue ? glue_fine(expected, seen) : rrset_equal(expected, seen)) {
        bool changed = findings_any(judge, RULE_DELEGATION_CHANGED, fact->zone), back = false;
        if (glue)
            findings_close(judge, RULE_DELEGATION_CHANGED, &subject);
        else
            back = side_is_fine(judge, &subject);
        if (back || (changed && !findings_any(judge, RULE_DELEGATION_CHANGED, fact->zone)))
            findings_strangers_left(judge, fact->zone);
        return;
    }
    if (fact->baseline.dynamic || fact->baseline.planned || (!glue && fact->baseline.below_cut))
        return;
    struct entry *entry = entry_begin(judge, RULE_DELEGATION_CHANGED, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    if (!glue)
        (void)entry_join(entry, judge->findings, seen->owner, side_of(fact->from_referral));
    text_expect_set(judge, entry, expected);
    text_observe_set(judge, entry, seen);
    name_text(seen->owner, owner);
    name_text(fact->zone, zone);
    if (glue)
        entry_summary(entry, "glue of name server %s of %s is not what was declared", owner, zone);
    else
        entry_summary(entry, "NS of %s %s (%s, %s)", owner,
                      expected->count ? "differ from the baseline"
                                      : "are not in the baseline: an undeclared delegation",
                      fact->from_referral ? "in a referral of the parent"
                                          : "as the zone gives them",
                      text_trust(fact, trust));
    entry_end(judge, entry, 0);
}

void delegation_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    switch (fact->kind) {
    case FACT_DS:
        judge_ds_gone(judge);
        judge_ds_set(judge);
        break;
    case FACT_NO_DS:
        judge_ds_removed(judge);
        break;
    case FACT_RRSET:
        if (fact->observed.type == TYPE_CDS || fact->observed.type == TYPE_CDNSKEY)
            judge_cds(judge);
        else if (fact->observed.type == TYPE_NS)
            judge_servers(judge);
        break;
    case FACT_DELEGATION:
        judge_servers(judge);
        break;
    case FACT_DENIED: /* nothing is asked any more */
        if (fact->observed.type == TYPE_CDS || fact->observed.type == TYPE_CDNSKEY)
            findings_close(
                judge, RULE_CDS_UNEXPECTED,
                &(struct subject){fact->zone, fact->observed.owner, fact->observed.type, NULL, 0});
        break;
    default:
        break;
    }
    if (fact->kind == FACT_DS || fact->kind == FACT_DNSKEY || fact->kind == FACT_CHAIN) {
        bool quiet = judge->quiet;
        judge->quiet |= fact->kind == FACT_DNSKEY; /* it shows what a DS is, and is no DS */
        for (size_t i = 0; i < fact->ds_count; i++)
            judge_ds_form(judge, &fact->ds[i]);
        judge->quiet = quiet;
        if (fact->kind != FACT_DS) /* its verdict is that of the parent's signature over it */
            judge_mismatch(judge);
    }
    if (fact->kind == FACT_DNSKEY)
        judge_named_keys(judge);
}

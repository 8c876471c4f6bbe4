/*
 * served: findings about validly signed RRsets as they were served: an algorithm that the zone
 * announces and that does not sign them (RFC 4035 2.2, RFC 6840 5.11), and TTLs that their
 * signatures do not allow (RFC 4035 5.3.3).
 *
 * Contained in: analyze, tests. One finding per zone and algorithm, or kind of excess; the RRsets
 * are counted in it and leave it when they are served as they should be.
 */
#include "rules/judge.h"

#include <stdio.h>

#define TYPE_RRSIG    46
#define NS_PER_S      INT64_C(1000000000)
#define ALGORITHM_TOP 252 /* INDIRECT and private ones promise nothing that is known */

static bool has(const struct fact_algorithms *set, unsigned algorithm)
{
    return set->bits[algorithm >> 6] >> (algorithm & 63) & 1;
}

/* Does a declared algorithm sign it? If none does the keys were replaced, which is another finding.
 */
static bool signed_as_declared(const struct fact *fact)
{
    for (size_t i = 0; i < fact->baseline.key_declared; i++)
        if (has(&fact->served->signed_with, fact->baseline.keys[i].algorithm))
            return true;
    return false;
}

/* Who announces the algorithm; NULL nobody. The owner's word counts as long as nothing is planned
 * for the keys, and where one signer holds them all (RFC 8901 2.1 lets each have its own). */
static const char *announced_by(const struct fact *fact, unsigned algorithm)
{
    const struct fact_baseline *baseline = &fact->baseline;
    if (has(&fact->served->in_ds, algorithm))
        return "the parent's DS";
    /* In a roll that is planned, signatures may come after the keys and go before them (RFC 6840
     * 5.11), and the keys that were seen may be those of the stage before. */
    if (has(&fact->served->in_dnskey, algorithm) && !(baseline->present && baseline->planned))
        return "the DNSKEY RRset";
    if (!baseline->present || baseline->multi_signer || !signed_as_declared(fact))
        return NULL;
    for (size_t i = 0; i < baseline->key_declared; i++)
        if (baseline->keys[i].algorithm == algorithm && !(baseline->keys[i].flags & 0x80))
            return "the baseline";
    return NULL;
}

struct lack { /* the algorithms that do not sign the RRset */
    unsigned count;
    char words[256]; /* "A announced by X, B announced by Y" */
};

static struct lack find_lack(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct lack lack = {0, ""};
    size_t used = 0;
    for (unsigned algorithm = 0; algorithm < ALGORITHM_TOP; algorithm++) {
        const char *by =
            has(&fact->served->signed_with, algorithm) ? NULL : announced_by(fact, algorithm);
        char word[32];
        if (!by)
            continue;
        int n =
            snprintf(lack.words + used, sizeof lack.words - used, "%s%s, announced by %s",
                     lack.count ? "; " : "", text_algorithm(judge, (uint8_t)algorithm, word), by);
        used += (size_t)n < sizeof lack.words - used ? (size_t)n : 0;
        lack.words[used] = '\0'; /* what did not fit is counted */
        lack.count++;
    }
    return lack;
}

static void observe_signed(struct judge *judge, struct entry *entry, const char *rrset)
{
    char line[LINE_ROOM], word[32], server[64];
    for (unsigned algorithm = 0; algorithm < ALGORITHM_TOP; algorithm++) {
        if (!has(&judge->fact->served->signed_with, algorithm))
            continue;
        snprintf(line, sizeof line, "%s signed with %s, from %s", rrset,
                 text_algorithm(judge, (uint8_t)algorithm, word), text_server(judge->fact, server));
        entry_observed(entry, line);
    }
}

static void judge_algorithms(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_RRSIG, NULL, 0};
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX], type[32], rrset[NAME_TEXT_MAX + 40];
    char line[LINE_ROOM];
    if (!fact->served->whole || fact->tc || fact->baseline.planned)
        return;
    struct lack lack = find_lack(judge);
    if (lack.count == 0) {
        findings_leave(judge, RULE_RRSIG_ALGORITHM_MISSING, fact->zone);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_RRSIG_ALGORITHM_MISSING, &subject);
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    snprintf(rrset, sizeof rrset, "%s %s", name_text(fact->observed.owner, name),
             text_type(judge, fact->observed.type, type));
    snprintf(line, sizeof line, "%s signed also with %s", rrset, lack.words);
    entry_expected(entry, line);
    observe_signed(judge, entry, rrset);
    size_t others = entry_members(entry) - 1;
    char more[48] = "", rest[32] = "";
    if (others)
        snprintf(more, sizeof more, " and %zu more RRset%s", others, others > 1 ? "s" : "");
    if (lack.count > 1)
        snprintf(rest, sizeof rest, " (%u algorithms)", lack.count);
    const char *first = entry_first(entry, rrset);
    entry_summary(entry, "%s: no signature over %s%s with %s%s", name_text(fact->zone, zone), first,
                  more, lack.words, rest);
    entry_end(judge, entry, 0);
}

/* Authorities and caches apart: the one is the zone's matter, the other the resolver's. */
static void judge_ttl(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_served *served = fact->served;
    uint8_t who = fact->aa;
    struct subject subject = {fact->zone, fact->zone, TYPE_RRSIG, &who, 1};
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX], type[32], when[32], server[64], line[LINE_ROOM];
    if (!served->ttl_raised && !served->outlives) {
        findings_leave(judge, RULE_RRSIG_TTL, fact->zone);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_RRSIG_TTL, &subject);
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    name_text(fact->observed.owner, name);
    text_type(judge, fact->observed.type, type);
    if (served->ttl_raised)
        snprintf(line, sizeof line, "%s %s: TTL %u, the signature's original TTL is %u", name, type,
                 served->ttl, served->original_ttl);
    else
        snprintf(line, sizeof line, "%s %s: TTL %u at %s, the signature expires at %s", name, type,
                 served->ttl, text_time(fact_clock(fact) / NS_PER_S, server),
                 text_time(served->expiration, when));
    entry_observed(entry, line);
    size_t others = entry_members(entry) - 1;
    char more[48] = "";
    if (others)
        snprintf(more, sizeof more, "; %zu more RRset%s", others, others > 1 ? "s" : "");
    entry_summary(entry, "%s: %s%s; last from %s %s", name_text(fact->zone, zone),
                  entry_first(entry, line), more, fact->aa ? "server" : "resolver",
                  text_server(fact, server));
    entry_end(judge, entry, 0);
}

/* Where the lead time of rrsig-expiring is longer than the stated refresh, that rule goes by it. */
static void judge_refresh(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_RRSIG, NULL, 0};
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX], type[32], when[32], line[LINE_ROOM],
        more[48] = "";
    if (!fact->aa || fact->baseline.refresh_ns <= judge->limits->expiring_ns)
        return;
    if (!fact->served->overdue) {
        findings_leave(judge, RULE_RRSIG_STALE_REFRESH, fact->zone);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_RRSIG_STALE_REFRESH, &subject);
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    int64_t first = entry_earliest(entry, fact->served->expiration);
    name_text(fact->observed.owner, name);
    text_type(judge, fact->observed.type, type);
    snprintf(line, sizeof line, "%s %s signed anew %lld h before it expires", name, type,
             (long long)(fact->baseline.refresh_ns / NS_PER_S / 3600));
    entry_expected(entry, line);
    snprintf(line, sizeof line, "%s %s expires at %s", name, type,
             text_time(fact->served->expiration, when));
    entry_observed(entry, line);
    size_t others = entry_members(entry) - 1;
    if (others)
        snprintf(more, sizeof more, " and %zu more RRset%s", others, others > 1 ? "s" : "");
    snprintf(line, sizeof line, "%s %s", name, type);
    entry_summary(entry,
                  "%s: %s%s should have been signed anew %lld h before the end; the first "
                  "signature expires at %s, in %lld h",
                  name_text(fact->zone, zone), entry_first(entry, line), more,
                  (long long)(fact->baseline.refresh_ns / NS_PER_S / 3600), text_time(first, when),
                  (long long)(first - fact_clock(fact) / NS_PER_S) / 3600);
    entry_declared(judge, entry);
    entry_end(judge, entry, 0);
}

void served_judge(struct judge *judge)
{
    if (judge->fact->kind != FACT_SERVED || !judge->fact->served)
        return;
    judge_algorithms(judge);
    judge_ttl(judge);
    judge_refresh(judge);
}

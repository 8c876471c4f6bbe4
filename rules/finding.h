/*
 * finding: the table of findings, to the two files that keep it: finding.c opens and reports,
 * closing.c ends.
 *
 * Contained in: analyze, tests. Private to these two; families of rules see rules/judge.h alone.
 */
#ifndef RULES_FINDING_H
#define RULES_FINDING_H

#include "rules/entry.h"

#include <openssl/evp.h>

struct zone_note {
    struct entry *first;
    size_t open; /* findings in it that repetitions may refute */
    bool valid_seen;
    UT_hash_handle hh;
    size_t size;
    uint8_t name[];
};

struct findings {
    struct entry *table;
    struct zone_note *zones;
    size_t most, count, zone_count;
    rules_on_finding *on_finding;
    void *context;
    uint64_t dropped, suppressed;
    int64_t now_ns; /* packet time of the latest fact, observation or flush */
    EVP_MD_CTX *digest;
    const struct finding **sorted;
};

/* From then to now, or INT64_MAX when that is more than fits; times of files may be anything. */
static inline int64_t findings_since(int64_t then_ns, int64_t now_ns)
{
    int64_t elapsed;
    return __builtin_sub_overflow(now_ns, then_ns, &elapsed) ? INT64_MAX : elapsed;
}

/* Who gave it is the one to be asked: an authority, or the parent that refers to the zone. */
static inline bool findings_is_givers(const struct fact *fact)
{
    return fact->server && (fact->aa || fact->from_referral);
}

/* What is noted of the zone, or NULL. */
struct zone_note *findings_zone(struct findings *, const uint8_t *zone);
/* The finding about that, or NULL. */
struct entry *findings_entry(struct judge *, enum rule_id, const struct subject *);
/* Tells of it, unless nothing of it has changed. */
void findings_report(struct findings *, struct entry *);
/* One more is open, or one fewer, that repetitions may refute. */
void findings_count_open(struct entry *, int change);
/* Closes what was refuted, once it has stayed away for as long as its flapping asks for; the
 * frame that shows it, or 0. */
void findings_close_if_gone(struct findings *, struct entry *, int64_t now_ns, uint64_t frame);

#endif

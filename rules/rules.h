/*
 * rules: facts to findings.
 *
 * Contained in: analyze, tests, and the `rules` command (catalogue only). Pure: no clock, no files,
 * no randomness; the same facts in the same order give the same findings with the same ids.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "analyze/facts.h"
#include "rules/catalogue.h"

#define FINDING_FRAMES_MAX 64 /* cited frames of one finding: the first ones */
#define FINDING_ID_TEXT    17 /* 16 hex digits and NUL */

enum finding_state { FINDING_OPEN, FINDING_UPDATED, FINDING_CLOSED };

struct finding_proof { /* zone-file lines: two RRsets with RRSIGs, and the chain of their key */
    char **first, **second, **chain;
    char **served; /* by whom, under which serial: a line for each of the two */
    size_t first_count, second_count, chain_count, served_count;
};

struct finding {
    char id[FINDING_ID_TEXT]; /* first 64 bits of SHA-256 over rule, zone, owner, type and what
                                 tells deviations of one thing apart (key, DS, signing key, server):
                                 the same in every run over the same input */
    enum rule_id rule;
    enum severity severity;
    enum finding_state state;
    uint8_t zone[NAME_MAX_BYTES], owner[NAME_MAX_BYTES];
    uint16_t type;
    char *summary;               /* one line, presentation form, no control characters */
    char **expected, **observed; /* presentation lines of records */
    size_t expected_count, observed_count;
    struct finding_proof *proof; /* NULL: the finding is none that others could check by itself */
    const char *baseline;        /* the zone file that it was held against; NULL: the rule needs
                                    none. Borrowed from the facts, whose baseline outlives us */
    const uint8_t *baseline_sha256; /* of that file's bytes */
    uint32_t baseline_version;      /* that it states, from 1 */
    uint64_t frames[FINDING_FRAMES_MAX];
    size_t frame_count;
    uint64_t chain[FINDING_FRAMES_MAX]; /* frames of the chain relied on */
    size_t chain_count;
    int64_t first_seen_ns, last_seen_ns;
    int64_t closed_ns;     /* closed: packet time at which that became known; else 0 */
    uint64_t closed_frame; /* … and by which frame; 0: by none, time passed or it never was */
    uint64_t count;
    uint64_t counted; /* the frame that was counted last: frames[] does not hold all */
    uint32_t flaps;   /* how often it came back after traffic had refuted it */
    bool lossy;
    bool kept;          /* some judgement rested on keys from an earlier run */
    enum reason reason; /* gives RFC, EDE and DNSViz code where the rule has none of its own */
    bool changed;       /* count or state changed since it was last reported */
};

struct rules; /* opaque: the profile in force and the table of findings */

typedef void rules_on_finding(void *context, const struct finding *);

/* How the analyser writes DNS in presentation form. Each writes at most `room` bytes with NUL and
 * returns ret_text. A member may be NULL: generic forms (RFC 3597) are used. */
struct rules_text {
    const char *(*type)(uint16_t type, char *ret_text, size_t room);
    const char *(*rdata)(uint16_t type, const uint8_t *bytes, size_t size, char *ret_text,
                         size_t room);
    const char *(*algorithm)(uint8_t algorithm, char *ret_text, size_t room);
};

/* From how much on something is told: the profile's, for those who count
 * (analyze/follow/transport.h). */
struct rules_thresholds {
    uint64_t flood;   /* spoof-flood: responses that miss, within ten seconds */
    uint64_t unasked; /* response-unasked: responses to one address, within ten seconds */
    uint64_t tcp;     /* tcp-blocked: attempts */
    uint64_t edns;    /* edns-downgrade: questions between one client and one server */
    uint64_t tunnel;  /* tunnel-shape: names within ten minutes */
};

struct rules_limits {
    size_t findings;     /* most findings kept at once; 0: the default, 20000 */
    int64_t expiring_ns; /* rrsig-expiring lead time where the profile gives none; 0: 48 h */
    int64_t skew_ns;     /* tolerance at both ends of a signature's validity */
    bool ignore_rfc8624; /* no finding for what IANA's tables advise against (rules/algorithm.h) */
    bool ignore_rfc9276; /* nor for NSEC3 iterations and salt */
    const struct rules_text *text; /* borrowed; NULL: generic forms */
};

/* `profile` is YAML text laid over the built-in default (NULL: the default alone). On a mistake
 * returns NULL and fills `ret_error` with "file:line: what was expected". on_finding is called when
 * a finding opens, closes, opens again or grows more severe, and by rules_flush. Call it before
 * confinement: it makes OpenSSL ready. */
struct rules *rules_new(const char *profile_name, const void *profile, size_t profile_size,
                        const struct rules_limits *, rules_on_finding *, void *context,
                        char *ret_error, size_t error_room);
void rules_free(struct rules *);

/* Borrowed. */
const struct rules_thresholds *rules_thresholds(const struct rules *);

/* Judges one fact. Findings that it opens or supports are stored in ret_findings (at most `room`;
 * borrowed until rules_free): the caller keeps them beside what it judged and calls finding_seen
 * for repetitions. */
size_t rules_judge(struct rules *, const struct fact *, struct finding **ret_findings, size_t room);
struct finding_sight { /* a response that shows again what a finding is about */
    int64_t time_ns;
    uint64_t frame;
    bool aa;
    uint8_t family;
    const uint8_t *server; /* 16 bytes as in struct flow; NULL: not known */
    const uint8_t *owner;  /* of the RRset that supports it; NULL: none does */
    uint16_t type;
    uint32_t ttl; /* of that */
};

void finding_seen(struct rules *, struct finding *, int64_t time_ns, uint64_t frame);
void finding_sighted(struct rules *, struct finding *, const struct finding_sight *);
/* Is the frame one of those that it names? Then it has to be kept. */
bool finding_cites(const struct finding *, uint64_t frame);
/* Are findings of that zone open that sound responses may refute, though they say nothing new?
 * Then the facts that they gave are to be told again, marked as such. */
bool rules_refutable(struct rules *, const uint8_t *zone);

/* Frames were lost between these packet times: findings of absence that were made there say so and
 * go down one level; the next observation elsewhere raises them again. */
void rules_lossy(struct rules *, int64_t from_ns, int64_t to_ns);

/* To be called now and then with the packet time: closes what stayed away long enough, and reports
 * findings whose count moved since they were last reported: each at growing intervals, so that a
 * thing that lasts is no flood. `end`: nothing follows, all of them. */
void rules_flush(struct rules *, int64_t now_ns, bool end);
/* Observations lost to a full table; such as the owner suppressed or the profile excluded. */
uint64_t rules_dropped(const struct rules *);
uint64_t rules_suppressed(const struct rules *);
/* All findings, by severity, then first seen. Array borrowed until the next call that judges. */
size_t rules_findings(struct rules *, const struct finding *const **ret_findings);

#endif

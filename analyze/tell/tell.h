/*
 * tell: turns what the validator has just learned into facts for the rules.
 *
 * Contained in: analyze, tests. Tells each thing once, and again when its verdict changes; counts
 * repetitions on the findings that an RRset supports.
 */
#ifndef ANALYZE_TELL_TELL_H
#define ANALYZE_TELL_TELL_H

#include "analyze/validate/answer.h"
#include "rules/rules.h"

struct tell {
    struct answers *answers;
    struct rules *rules;
    struct habits *habits; /* how keys sign (analyze/follow/habit.h); NULL: nothing is learned */
    struct habits *stated; /* … as the owner's zone files show it; NULL: they show nothing */
    struct suspects *suspects; /* analyze/follow/suspects.h; NULL where `stated` is */
    struct rhythms *rhythms;   /* … and when (analyze/follow/rhythm.h) */
    bool lossy;                /* frames were lost lately */
    uint32_t epoch;            /* grows when a finding is attached to an RRset */
    /* What is declared changes with time: windows and suppressions begin and end. How often it did,
     * modulo 256, when it did last, and when it will next (packet time). */
    uint8_t turns;
    int64_t turned_ns, turn_ns;
};

/* After an answer was judged (the callback of struct answers). */
void tell_judged(struct tell *, struct answer *, bool retro);
/* What authoritative servers were seen to serve in it, first and last at these times, and last
 * along the flow at `flow_ns`, for the rolls of keys (analyze/follow/roll.h). */
void tell_rolls(struct tell *, struct answer *, const struct flow *, int64_t first_ns,
                int64_t last_ns, int64_t flow_ns, bool retro);
/* The answer was seen, for the first time or once more (tell_again.c). True if a finding now cites
 * the frame. */
bool tell_again(struct tell *, struct answer *, const struct datagram *);
/* What was told of the answer and its RRsets before what is declared changed last is told anew: it
 * is held against what is declared now, and cites the response in hand. True if it has findings. */
bool tell_anew(struct tell *, struct answer *, const struct datagram *);
/* A finding of that zone has opened or closed (tell_again.c). */
void tell_open(struct tell *, const uint8_t *zone);

/* --- for the files that tell of one topic --- */

/* What is common to all facts from an answer; `zone` may be NULL. Valid until the next one. */
struct fact tell_draft(struct tell *, const struct answer *, enum fact_kind, const struct zone *,
                       bool retro);
/* What the owner declared of the observed owner and type; NULL: nothing declared. */
void tell_describe(struct fact *, const struct baseline_zone *);
/* Where findings of the zone wait to be refuted: who else has the version that the flow's source
 * has (tell_again.c). Valid until the next call. */
void tell_fellows(struct fact *, const struct zone *, const struct flow *);
/* The keys of that DNSKEY RRset of the zone; returns how many. Room for RRSET_RECORDS_MAX. */
size_t tell_view_keys(struct tell *, const struct zone *, struct rrset *,
                      struct fact_key *ret_keys);
/* The same of a DS RRset, at that time. */
size_t tell_view_ds(const struct zone *, const struct rrset *, int64_t time_ns,
                    struct fact_ds *ret_ds);
/* To the rules; returns how many findings it opened or supports. They are counted again whenever
 * the RRset is seen again (NULL: they are not). */
size_t tell_give(struct tell *, const struct fact *, struct rrset *);
/* The same for what a response says as a whole: one finding at a time. */
void tell_give_answer(struct tell *, const struct fact *, struct answer *);

/* Algorithms, TTL and life left of what is validly signed, as the answer served it; what was told
 * before is not told again. */
void tell_served(struct tell *, const struct answer *, const struct answer_set *, bool retro);
/* How the proof of a denial, a wildcard or an unsigned delegation came out (tell_denial.c). */
void tell_proof(struct tell *, struct answer *, bool retro);
/* What the response shows against what was denied, and the other way round; true: a finding rests
 * on it now, or may come to (tell_denial.c). */
bool tell_contradictions(struct tell *, const struct answer *, const struct flow *, int64_t time_ns,
                         uint64_t frame);
/* `answer` NULL: none in hand (tell_denial.c). */
void tell_walk(struct tell *, const struct answer *, const struct fact_walk *, const uint8_t *zone);
/* A validly signed NSEC3 RRset of the zone (tell_denial.c). */
void tell_nsec3(struct tell *, const struct answer *, struct rrset *, struct zone *, bool retro);

#endif

/*
 * race: two different responses to one query (spoof-race).
 *
 * Contained in: analyze, tests. For each query that is remembered, the answer to it is noted: three
 * stores a response. When a second one comes, the two are compared by what they say, not by their
 * bytes: TTLs, order, signatures, the additional section, cookies and the writing of names are no
 * difference.
 *
 * Left out: queries that the client, or the mirror, sent as often as they were answered; TCP;
 * truncated and failing responses (a server that gives up and then answers), those that say a part
 * of what the other says; sets that overlap where nothing validates (rotation behind a balancer);
 * two answers that both validate.
 */
#ifndef ANALYZE_FOLLOW_RACE_H
#define ANALYZE_FOLLOW_RACE_H

#include "analyze/follow/transport.h"
#include "analyze/validate/answer.h"

struct race_note { /* the first response to a query */
    struct answer *answer;
    uint64_t frame;
    int64_t time_ns;
    uint32_t turn;
};

struct race {
    struct race_note *note; /* by turn of the query */
    uint32_t mask;
    struct race_open *open; /* told or waiting for a verdict */
    size_t opens;
    struct teller teller;
    struct answers *answers;
};

/* `capacity`: queries remembered by the pair table, a power of two. `teller` is copied, the answers
 * are borrowed. -1: no
 * memory. */
int race_init(struct race *, uint32_t capacity, const struct teller *, struct answers *);
void race_fini(struct race *);
/* A query got another response than its first. */
void race_second(struct race *, const struct query *, struct answer *, const struct datagram *);
/* The verdict of this answer has changed. */
void race_revised(struct race *, const struct answer *);
/* Answers are about to be dropped. */
void race_forget(struct race *);

/* Every response that was judged, with its query. */
static inline void race_answer(struct race *r, const struct query *query, struct answer *a,
                               const struct datagram *dg)
{
    struct race_note *note = &r->note[query->turn & r->mask];
    if (query->answered)
        race_second(r, query, a, dg);
    else
        *note = (struct race_note){a, dg->frame, dg->time_ns, query->turn};
}

#endif

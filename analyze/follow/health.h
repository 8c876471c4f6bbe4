/*
 * health: what resolvers made of the zones: who gets SERVFAIL, AD, or neither, and for how long.
 *
 * Contained in: analyze, tests. Looks at every response of a resolver (RA=1, AA=0): a few additions
 * for one that is in order, more only for zones that had trouble. What it finds goes to the rules
 * as FACT_HEALTH (analyze/fact_health.h), and never changes a verdict.
 *
 * A failure belongs to a zone only where that is certain: the zone is bogus or declared, or the
 * name was seen in it. What an unseen child of it does is not its failure.
 */
#ifndef ANALYZE_FOLLOW_HEALTH_H
#define ANALYZE_FOLLOW_HEALTH_H

#include "analyze/follow/receivers.h"
#include "analyze/follow/resolvers.h"
#include "analyze/follow/usage.h"
#include "analyze/validate/answer.h"
#include "rules/rules.h"

struct health {
    struct answers *answers;
    struct rules *rules;
    struct receivers *receivers;
    struct resolvers *resolvers;
    /* were frames lost near that time? */
    bool (*lossy)(void *context, int64_t time_ns);
    void *context;
};

/* A response, after it was counted, with its query if that was seen: true if its frames may be
 * cited later. What nobody asked for says nothing of a resolver whose queries are seen, nor does a
 * second answer to one query: both are easily forged. */
bool health_response(struct health *, struct answer *, const struct datagram *,
                     const struct query *query);
/* A response that was judged, or judged again. */
void health_judged(struct health *, struct answer *, bool retro);

/* --- what only the two files of health need (health.c finds, health_tell.c tells) --- */

/* The response at hand. */
struct health_case {
    struct health *h;
    struct answer *a;
    struct zone *zone;
    struct usage *usage;
    const struct flow *flow; /* its source is the resolver */
    int64_t time_ns;
    uint64_t frame;
};

void health_tell_failing(const struct health_case *, struct voices_run *, struct resolver *);
void health_tell_answered(const struct health_case *);
void health_tell_eased(const struct health_case *);
void health_tell_split(const struct health_case *, struct voices_question *,
                       const struct voice *failed, const struct voice *data, bool cd);
void health_tell_agreed(const struct health_case *, struct voices_question *);
void health_tell_unvalidated(const struct health_case *, struct voices_run *);
void health_tell_validated(const struct health_case *, struct voices_run *);
void health_tell_rate(const struct health_case *, struct resolver *);
void health_tell_vouched(const struct health_case *);
void health_tell_outage(const struct health_case *);

#endif

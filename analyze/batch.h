/*
 * batch: messages in, judged responses out, in order; the signature checks of many at a time.
 *
 * Contained in: analyze, tests. Queries are paired at once. Responses are read as they come and
 * judged at the next flush. What comes out does not depend on where the flushes fall.
 */
#ifndef ANALYZE_BATCH_H
#define ANALYZE_BATCH_H

#include "analyze/follow/transport.h"
#include "analyze/validate/ahead.h"
#include "analyze/validate/answer.h"
#include "analyze/validate/memo.h"

/* A response that was judged, with the id of its header; its bytes may be gone. `fresh`: no other
 * had this content. `referral` is its message if it is one, else NULL. */
typedef void batch_on_answer(void *context, const struct datagram *, uint16_t id, struct answer *,
                             const struct query *query, bool fresh,
                             const struct dns_message *referral);

struct batch; /* opaque */

struct batch_parts { /* borrowed */
    struct answers *answers;
    struct pair *pair;
    struct memo *memo;
    struct ahead *ahead;         /* NULL: each check when it is judged */
    struct transport *transport; /* NULL: nobody watches how messages travel */
    batch_on_answer *on_answer;
    void *context;
    void (*on_forget)(void *context); /* before what was learned goes; NULL: nobody minds */
};

struct batch_counters {
    uint64_t malformed;  /* messages that broke off */
    uint64_t recognised; /* responses that the memo knew */
    uint64_t twice[2];   /* frames of both copies of the first query that came twice; 0 none */
};

struct batch *batch_new(const struct batch_parts *);
void batch_free(struct batch *);
void batch_message(struct batch *, const struct datagram *);
void batch_flush(struct batch *);
const struct batch_counters *batch_counters(const struct batch *);

#endif

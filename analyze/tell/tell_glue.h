/*
 * tell_glue: glue of referrals as facts: against the baseline, and against what the zone says.
 *
 * Contained in: analyze, tests. Only responses to a query that was seen count for the latter.
 */
#ifndef ANALYZE_TELL_TELL_GLUE_H
#define ANALYZE_TELL_TELL_GLUE_H

#include "analyze/tell/tell.h"

/* Glue of a referral, straight from the message: additional RRsets are not part of the answer.
 * `asked` is the datagram, NULL where its query was not seen. */
void tell_glue(struct tell *, const struct dns_message *, struct answer *,
               const struct datagram *asked);
/* The same referral again, which is a matter of its hash. */
bool tell_glue_again(struct tell *, struct zone *, const struct answer *, const struct datagram *);
/* An address that the zone's own servers give for a name that glue was seen of. */
bool tell_glue_child(struct tell *, struct zone *, const struct answer *, const struct datagram *);
void tell_glue_final(struct tell *, struct zone *, const struct datagram *end);

#endif

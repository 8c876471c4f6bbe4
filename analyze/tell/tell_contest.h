/*
 * tell_contest: two contents of one RRset that no update explains, as a fact with its proof.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_TELL_CONTEST_H
#define ANALYZE_TELL_TELL_CONTEST_H

#include "analyze/follow/contest.h"
#include "analyze/tell/tell.h"

/* Notes a response and tells what it decides. True if its frames may be cited later on. */
bool tell_contest_seen(struct tell *, struct contests *, struct answer *, const struct datagram *);
/* The response was judged anew, without having passed again. */
void tell_contest_judged(struct tell *, struct contests *, struct answer *);

#endif

/*
 * tell_rhythm: an authority's signatures beside those that the signer replaced before, as a fact.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_TELL_RHYTHM_H
#define ANALYZE_TELL_TELL_RHYTHM_H

#include "analyze/tell/tell.h"

/* The answer was seen at that time, from that server: new, judged anew, or again at or after
 * answer.rhythm_ns, which this sets. */
void tell_rhythm(struct tell *, struct answer *, const struct flow *, int64_t time_ns, bool retro);

#endif

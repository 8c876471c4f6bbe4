/*
 * tell_rhythm: an authority's signatures beside those that the signer replaced before, as a fact.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_TELL_RHYTHM_H
#define ANALYZE_TELL_TELL_RHYTHM_H

#include "analyze/tell/tell.h"

/* The answer was judged, or (`again`: the message in hand, else NULL) seen again at or after
 * answer.rhythm_ns, which this sets. True if a finding now cites that message. */
bool tell_rhythm(struct tell *, struct answer *, const struct datagram *again, bool retro);

#endif

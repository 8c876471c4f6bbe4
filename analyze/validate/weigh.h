/*
 * weigh: the verdict of a whole response from the verdicts of its RRsets (RFC 4035 5, RFC 5155 8,
 * RFC 6672).
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_VALIDATE_WEIGH_H
#define ANALYZE_VALIDATE_WEIGH_H

#include "analyze/validate/answer.h"

/* Judges the answer at a packet time and fills reason, zone, by, the window and what it depends on.
 * Records proofs of unsigned delegations in the world as a side effect. */
void weigh_answer(struct answers *, struct answer *, int64_t time_ns);
/* Does the verdict it has still hold at this time? */
bool weigh_holds(struct answers *, const struct answer *, int64_t time_ns);

#endif

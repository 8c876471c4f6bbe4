/*
 * bearers: a response that supports findings: who got it, who signed what they are about, and
 * whether the parent gave it.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_BEARERS_H
#define ANALYZE_TELL_BEARERS_H

#include "analyze/follow/receivers.h"
#include "analyze/validate/answer.h"

/* `a` has findings; it was sent along `flow` then, or its verdict has changed since. */
void bearers_note(struct receivers *, const struct answer *, const struct flow *, int64_t time_ns,
                  uint64_t frame);

#endif

/*
 * verify_compare: two lists of findings, the sealed one and the one that followed again.
 */
#ifndef EVIDENCE_VERIFY_COMPARE_H
#define EVIDENCE_VERIFY_COMPARE_H

#include "evidence/verify_replay.h"

/* Sets VERIFY_VERDICTS of the report. Fails for a sealed finding that says "this
 * was seen and is wrong", when the second run came to a verdict on every frame that it cites and
 * did not find the same. A finding that rests on what was not seen, on more traffic than is
 * enclosed, or (with is_partial) on frames that were lost, may not follow again: that is a doubt.
 */
void verify_compare_findings(const void *sealed, size_t sealed_size, const struct verify_replayed *,
                             bool is_partial, struct verify_report *);

#endif

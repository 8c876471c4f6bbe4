/*
 * verify_compare: two lists of findings, the sealed one and the one that followed again.
 */
#ifndef EVIDENCE_VERIFY_COMPARE_H
#define EVIDENCE_VERIFY_COMPARE_H

#include "evidence/verify_replay.h"

/* Sets VERIFY_VERDICTS of the report, and which findings stand apart.
 *
 * Of all the traffic of a run (offer.is_whole) each finding must follow again as it was sealed, and
 * no other may: what differs is a failure, or a doubt if another version had sealed it, whose rules
 * may have been others. Of an extract it is a failure when
 *   - a finding says other things than the same observations gave again;
 *   - one that says "this was seen and is wrong" does not follow, though every frame that it cites
 *     was judged again.
 * What rests on more traffic than is enclosed, or on frames that were lost, is a doubt. */
void verify_compare_findings(const void *sealed, size_t sealed_size, const struct verify_replayed *,
                             const struct verify_offer *, struct verify_report *);

#endif

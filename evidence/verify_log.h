/*
 * verify_log: the chain of records, the tree heads over it and the keys that signed them.
 */
#ifndef EVIDENCE_VERIFY_LOG_H
#define EVIDENCE_VERIFY_LOG_H

#include "evidence/verify_bag.h"
#include "evidence/verify_story.h"

/* Walks log.jsonl once: LOG, CHECKPOINTS, EPOCHS and KNOWN_CHECKPOINT; gives each sound record to
 * the story. Stops at the first record that is not in the chain: what follows proves nothing. */
void verify_log_check(struct verify *, const struct verify_bag *, struct verify_story *);

#endif

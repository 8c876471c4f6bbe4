/*
 * verify_replay: do the findings follow again from what the bundle encloses?
 *
 * Three parts that trust each other little: the confined checker offers ranges of the bundle, with
 * their hashes (evidence/verify_offer.h); the unconfined parent passes them to `replay`, looking at
 * nothing; the confined comparer (evidence/verify_compare.h) reads both lists of findings.
 */
#ifndef EVIDENCE_VERIFY_REPLAY_H
#define EVIDENCE_VERIFY_REPLAY_H

#include "evidence/verify_offer.h"

/* What the second run left: findings.jsonl and, of an extract, eve.json. Heap; verify_replay_free.
 */
struct verify_replayed {
    char *findings, *events;
    size_t findings_size, events_size;
};

/* In the parent: replays what is offered, and shows how far it is. NULL and the second run's files,
 * or why it could not be done (constant). */
const char *verify_replay_run(const uint8_t *bytes, size_t size, const struct verify_offer *,
                              struct verify_replayed *ret_replayed);
void verify_replay_free(struct verify_replayed *);

/* The same, but to explain one verdict (`question`: frame or NAME/TYPE) on the standard output.
 * *ret_status is the exit status. */
const char *verify_replay_explain(const uint8_t *bytes, size_t size, const struct verify_offer *,
                                  const char *question, bool json, int *ret_status);

#endif

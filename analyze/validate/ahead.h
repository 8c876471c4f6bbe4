/*
 * ahead: signature checks done ahead of their judgement, on every processor we may use.
 *
 * Contained in: analyze, tests. Distinct signatures are what a replay spends its time on, and
 * nothing orders them: a batch of responses is read, the checks that will be asked for are done
 * side by side while the batch before is judged and the next is read, and the judgements are made
 * one after the other, in order, from the results. So the outcome is the same with any number of
 * threads.
 *
 * Landlock, capabilities and seccomp bind a thread, not a process: each thread raises the walls
 * itself, before it is given any work, and none is made later.
 */
#ifndef ANALYZE_VALIDATE_AHEAD_H
#define ANALYZE_VALIDATE_AHEAD_H

#include "analyze/validate/rrset.h"

/* Checks of one batch; what does not fit is checked when it is judged. */
#define AHEAD_CHECKS_MAX 4096

struct ahead; /* opaque */

/* Starts threads so that with the caller `threads` work (1 to KEY_LANES; 1: none are started). Each
 * calls `walls` once (may be NULL). NULL with errno set. */
struct ahead *ahead_new(unsigned threads, void (*walls)(void));
/* Returns when every thread has raised its walls. Until then none has touched a byte of input. */
void ahead_ready(struct ahead *);
/* Ends the threads; for tests (the process simply exits). */
void ahead_free(struct ahead *);

/* Is there no room for another check before the next turn? */
bool ahead_full(const struct ahead *);
/* Queues a check for the next round; no-op when full. The signature is marked as queued until its
 * result is noted. */
void ahead_add(struct ahead *, const struct rrset *, struct signature *, struct key *);
/* Ends the round that is under way (the caller works with the others), notes its results in the
 * signatures, and begins the round of what was queued since. RRsets and keys of queued checks must
 * stay until their round has ended. */
void ahead_turn(struct ahead *);
/* Does all queued checks and notes their results. */
void ahead_run(struct ahead *);
/* Processors that this process may run on, at least 1. */
unsigned ahead_processors(void);

#endif

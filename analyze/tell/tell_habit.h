/*
 * tell_habit: a valid signature beside those that its key made before, as a fact.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_TELL_HABIT_H
#define ANALYZE_TELL_TELL_HABIT_H

#include "analyze/tell/tell.h"

/* Once for each signature that verified: tells the rules, and learns it unless they found it made
 * otherwise. */
void tell_habit(struct tell *, const struct answer *, struct rrset *, const struct signature *,
                const struct fact_signature *, struct zone *, bool retro);

/* An answer was seen, again or not: if it shows a zone's SOA, signatures of that server may be told
 * of that wait for it. True if a finding now cites the message. A look at a counter where none
 * waits. */
bool tell_suspects(struct tell *, const struct answer *, const struct datagram *);

#endif

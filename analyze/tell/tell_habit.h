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

#endif

/*
 * exhibits: copies of what the verdicts were made with (settings, configuration, anchors, baseline,
 * sensor), so that they can be made again.
 *
 * Contained in: store.
 */
#ifndef EVIDENCE_EXHIBITS_H
#define EVIDENCE_EXHIBITS_H

#include "evidence/listing.h"
#include "sandbox/inputs.h"

/* Writes everything the inputs hold into `state` (the folder state/) and names it in the listing.
 * Ends the process if it cannot. */
void exhibits_copy(int state, const struct inputs *, struct listing *);

#endif

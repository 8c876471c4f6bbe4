/*
 * past: the history's files: made for the process that writes them, sealed when it is done.
 *
 * Contained in: store. The history is one SQLite database over all runs of an evidence directory:
 * a run begins with a copy of the last one's, which stays as it was sealed.
 */
#ifndef EVIDENCE_PAST_H
#define EVIDENCE_PAST_H

#include "evidence/listing.h"

#include <stdbool.h>

struct past_options {
    int socket;    /* FD_HANDOVER */
    int dir;       /* the evidence directory */
    int state;     /* its folder state */
    unsigned runs; /* earlier runs that were set aside: state-0001 to state-<runs> */
};

/* Makes the files and hands them over, with those of the latest run that had any. Ends the process
 * if they cannot be made. */
void past_begin(const struct past_options *);
/* Waits until the history is whole, adds it to the listing, and removes what SQLite kept beside it.
 * With `live` no longer than a minute. False: the process that writes it is gone, or too slow; what
 * it wrote stays, unsealed. */
bool past_seal(const struct past_options *, bool live, struct listing *);

#endif

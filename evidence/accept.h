/*
 * accept: a person adopted a change into the baseline: the record of it.
 *
 * Contained in: store. Knows no DNS: it writes down what the operator's command says, after
 * checking that every part of it is what the log's format wants.
 */
#ifndef EVIDENCE_ACCEPT_H
#define EVIDENCE_ACCEPT_H

#include "evidence/ledger.h"
#include "sandbox/inputs.h"

#include <stdbool.h>

/* Is this run one that only records an acceptance? */
bool accept_asked(const struct inputs *);
/* Writes the record. Ends the process if what was given is no acceptance. */
void accept_record(const struct inputs *, struct ledger *);

#endif

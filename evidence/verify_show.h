/*
 * verify_show: a report for a person or a program.
 */
#ifndef EVIDENCE_VERIFY_SHOW_H
#define EVIDENCE_VERIFY_SHOW_H

#include "evidence/verify.h"

/* One line a check, then what was verified, then the result in words: VERIFIED, INTEGRITY ONLY or
 * FAILED. Heap, caller frees; NULL for want of memory. */
char *verify_show_text(const struct verify_report *, enum verify_result);
/* The same as one JSON object and a line feed. */
char *verify_show_json(const struct verify_report *, enum verify_result);
const char *verify_show_outcome(enum verify_outcome);

#endif

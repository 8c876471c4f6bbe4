/*
 * verify_tar: the archive, read strictly.
 *
 * A bundle is the tar that this program writes and no other: ustar headers in one canonical form,
 * plain files only, in order of name, zeros as padding, two zero blocks, the end. Every byte of the
 * archive that is not the content of a file is thus fixed by names, sizes and one time, so that two
 * archives which differ anywhere differ in something that is checked.
 */
#ifndef EVIDENCE_VERIFY_TAR_H
#define EVIDENCE_VERIFY_TAR_H

#include "evidence/verify_state.h"

/* Fills members, names and mtime of the state; faults go to VERIFY_ARCHIVE. True when the members
 * can be looked at further (the archive may have faults nevertheless). Caller calls verify_tar_fini
 * in any case. */
bool verify_tar_read(struct verify *);
void verify_tar_fini(struct verify *);

#endif

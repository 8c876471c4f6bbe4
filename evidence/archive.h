/*
 * archive: sets the evidence of an earlier run aside before a new one begins.
 *
 * Contained in: store. Renames only; nothing is read but the old log and its newest checkpoint,
 * nothing is changed.
 */
#ifndef EVIDENCE_ARCHIVE_H
#define EVIDENCE_ARCHIVE_H

#include "evidence/format.h"
#include "evidence/json.h"

#include <stdbool.h>
#include <stdint.h>

struct archive_head {
    bool found;    /* there was a log */
    unsigned runs; /* set aside so far: state-0001 to state-<runs>, where they had one */
    char log[32];  /* its folder now: log-0001 */
    uint64_t size; /* whole lines */
    uint8_t root[HASH_BYTES];
    uint8_t head[HASH_BYTES]; /* of the last whole line with its LF; zeros if there is none */
    const char *state;        /* closed, open or damaged */
};

/* Sets aside what `dir` holds of an earlier run. Ends the process if it cannot. */
void archive_previous(int dir, struct archive_head *ret_head);
/* PREVIOUS of format.h, or null. */
void archive_write(const struct archive_head *, struct json *, const char *key);

#endif

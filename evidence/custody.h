/*
 * custody: who had what, in words a case tool reads: CASE/UCO graph and custody.jsonl.
 *
 * Contained in: store. Says only what this process did or was told; persons are added by people.
 */
#ifndef EVIDENCE_CUSTODY_H
#define EVIDENCE_CUSTODY_H

#include "evidence/listing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct custody_exhibit { /* a source, or a live interface (no hashes) */
    const char *name;
    bool is_file;
    uint64_t size;
    uint8_t sha256[HASH_BYTES];
};

struct custody_run { /* borrowed */
    const char *origin, *sensor;
    bool live;
    int64_t begun_ns, ended_ns; /* the sensor's clock */
    const struct custody_exhibit *exhibits;
    size_t exhibit_count;
    const struct listing *results; /* what came of it */
    int state;                     /* folder state/ */
};

/* Writes state/case.jsonld and state/custody.jsonl and names them in `l`. */
void custody_write(const struct custody_run *, struct listing *l);

#endif

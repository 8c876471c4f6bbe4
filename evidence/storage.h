/*
 * storage: how much longer there is room for evidence, and whether it can be written.
 *
 * Contained in: store. Live capture only; asks the file system once a minute.
 */
#ifndef EVIDENCE_STORAGE_H
#define EVIDENCE_STORAGE_H

#include "evidence/recorder.h"

#include <stdint.h>

#define STORAGE_SAMPLES 11 /* ten minutes, one sample a minute */

struct storage {
    int folder; /* borrowed */
    int64_t due_ns;
    uint64_t free_bytes[STORAGE_SAMPLES]; /* the latest last */
    int64_t at_ns[STORAGE_SAMPLES];
    unsigned samples;
    uint64_t unwritten; /* frames, as told */
    unsigned sound;     /* samples since frames could last not be written */
};

void storage_init(struct storage *, int folder);
/* Says over FD_CONTROL how it is, if it is time. `now_ns`: monotonic. */
void storage_watch(struct storage *, const struct recorder *, int64_t now_ns);
/* The same with what the file system said. Returns bytes a second by which room shrinks. */
uint64_t storage_sample(struct storage *, uint64_t free_bytes, int64_t now_ns);

#endif

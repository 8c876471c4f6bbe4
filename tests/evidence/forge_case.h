/*
 * forge_case: two whole bundles to attack, a replay's and a live capture's, with every key known.
 */
#ifndef TESTS_EVIDENCE_FORGE_CASE_H
#define TESTS_EVIDENCE_FORGE_CASE_H

#include "tests/evidence/forge.h"

#define FORGE_START       1780000000 /* 2026-05-28T20:26:40Z: time of record 0; one record a second */
#define FORGE_CHECKPOINTS 16

struct forge_case {
    struct forge bundle;
    struct forge_log log;
    struct forge_checkpoint checkpoint[FORGE_CHECKPOINTS];
    size_t checkpoint_count;
};

/* Knobs of the live capture: one deviation each, told to the log consistently by whoever holds all
 * keys. Zero is the honest run. */
struct forge_capture_plan {
    unsigned
        first_frame[3];   /* numbers of the segments' first frames, three frames each; 0: honest */
    long shift[3];        /* seconds added to the segments' packet times */
    unsigned received[3]; /* cumulative counters; 0: honest */
    unsigned file_number[3]; /* +1; 0: honest */
    long step_back;          /* records from the third segment on are so many seconds older */
    long long step_ns;       /* and a clock record says so, if not 0 */
};

#define FORGE_ZONE "data/baseline/x.zone"
struct forge_accept_plan {         /* zeros: an honest acceptance */
    const char *run, *file, *root; /* instead of the honest ones */
    unsigned more;                 /* further accept records; -1: none at all */
    bool other_hash, source;
};
void forge_case_accept(struct forge_case *, const struct forge_identity *,
                       const struct forge_accept_plan *);

/* Epoch 0: open, source, segment, finding, epoch; epoch 1: finding, epoch; epoch 2: close. */
void forge_case_replay(struct forge_case *ret, const struct forge_identity *);
/* Epoch 0: open, segment, segment, epoch; epoch 1: segment, close. */
void forge_case_capture(struct forge_case *ret, const struct forge_identity *,
                        const struct forge_capture_plan *);
/* Recomputes log, manifests and seal; the bundle is then whole again, whatever was changed before.
 */
void forge_case_finish(struct forge_case *, const struct forge_identity *);
void forge_case_free(struct forge_case *);
/* "2026-05-28T20:26:40.000000000Z" of so many seconds after FORGE_START. */
const char *forge_case_time(long seconds, char ret_text[32]);

#endif

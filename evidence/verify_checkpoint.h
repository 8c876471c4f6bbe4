/*
 * verify_checkpoint: a tree head as C2SP tlog-checkpoint writes it (signed note, Ed25519).
 */
#ifndef EVIDENCE_VERIFY_CHECKPOINT_H
#define EVIDENCE_VERIFY_CHECKPOINT_H

#include "evidence/verify_text.h"

struct verify_checkpoint {
    struct verify_text origin;
    uint64_t size; /* records covered */
    uint8_t root[HASH_BYTES];
    uint8_t key_id[CHECKPOINT_KEY_ID];
    uint8_t signature[ED25519_SIG_BYTES];
    struct verify_text covered; /* the signed lines */
};

/* Reads the five lines; false if they are not in the one form of evidence/format.h. */
bool verify_checkpoint_read(const void *bytes, size_t size,
                            struct verify_checkpoint *ret_checkpoint);
/* Is it signed by this key, under the name of the origin? */
bool verify_checkpoint_signed(const struct verify_checkpoint *,
                              const uint8_t key[ED25519_KEY_BYTES]);

#endif

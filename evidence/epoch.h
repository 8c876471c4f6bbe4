/*
 * epoch: the Ed25519 key in force, and the one that follows.
 *
 * Contained in: sign, tests. Keys are random, live only in this process's memory, and are wiped
 * when they are erased: what was signed with them can then be signed by nobody again. Sizes only
 * grow, so that no epoch has two views of one size.
 */
#ifndef EVIDENCE_EPOCH_H
#define EVIDENCE_EPOCH_H

#include "evidence/format.h"

#include <stddef.h>
#include <stdint.h>

struct epoch; /* opaque */

enum epoch_error {
    EPOCH_OK = 0,
    EPOCH_WRONG_NUMBER = -1, /* not the epoch whose key is in force */
    EPOCH_NOT_GROWING = -2,  /* a size at or below one already signed */
    EPOCH_ERASED = -3        /* no key is in force */
};

/* Epoch 0 with a fresh key. `origin` fits (checkpoint_origin_fits). Never NULL. Caller frees. */
struct epoch *epoch_new(const char *origin);
void epoch_free(struct epoch *); /* wipes */
/* Public key of the key in force. EPOCH_OK or EPOCH_ERASED. */
int epoch_public(const struct epoch *, uint8_t ret_key[ED25519_KEY_BYTES]);
/* Makes the next key if it is not made yet. EPOCH_OK or EPOCH_ERASED. */
int epoch_prepare(struct epoch *, uint8_t ret_key[ED25519_KEY_BYTES]);
/* Wipes the key in force; the next, if prepared, takes over, else none is in force for good. */
int epoch_rotate(struct epoch *);
/* The signed note for the tree head. */
int epoch_checkpoint(struct epoch *, uint64_t number, uint64_t size, const uint8_t root[HASH_BYTES],
                     char ret_note[CHECKPOINT_MAX], size_t *ret_length);

#endif

/*
 * checkpoint: the tree head as text, and the note that carries its signature (evidence/format.h).
 *
 * Contained in: sign (builds and signs), tests. Pure text: knows no key but its public half.
 */
#ifndef EVIDENCE_CHECKPOINT_H
#define EVIDENCE_CHECKPOINT_H

#include "evidence/format.h"
#include "evidence/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An origin is 1 to TEXT_MAX bytes of printable ASCII without space, '+' and '"'. */
bool checkpoint_origin_fits(const char *origin);
/* The three lines that are signed. Returns their length; ret_text is not NUL-terminated by need. */
size_t checkpoint_text(const char *origin, uint64_t size, const uint8_t root[HASH_BYTES],
                       char ret_text[CHECKPOINT_MAX]);
/* Appends the blank line and the signature line to `text` of `length`. Returns the new length. */
size_t checkpoint_note(char text[CHECKPOINT_MAX], size_t length, const char *origin,
                       const uint8_t public_key[ED25519_KEY_BYTES],
                       const uint8_t signature[ED25519_SIG_BYTES]);
void checkpoint_key_id(const char *name, const uint8_t public_key[ED25519_KEY_BYTES],
                       uint8_t ret_id[CHECKPOINT_KEY_ID]);

#endif

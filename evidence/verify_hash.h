/*
 * verify_hash: SHA-256, SHA-512, the Merkle tree of the log (RFC 9162 2.1) and Ed25519.
 */
#ifndef EVIDENCE_VERIFY_HASH_H
#define EVIDENCE_VERIFY_HASH_H

#include "evidence/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the process if OpenSSL cannot hash: our failure, not the bundle's. */
void verify_sha256(const void *bytes, size_t size, uint8_t ret_hash[HASH_BYTES]);
void verify_sha512(const void *bytes, size_t size, uint8_t ret_hash[2 * HASH_BYTES]);
/* Both in one pass over what may be large; *done (may be NULL) grows as it goes on. */
void verify_sha_both(const void *bytes, size_t size, uint8_t ret_256[HASH_BYTES],
                     uint8_t ret_512[2 * HASH_BYTES], uint64_t *done);

/* Roots of all perfect subtrees of the leaves so far: constant memory, a root at any time. */
struct verify_tree {
    uint64_t size; /* leaves */
    uint8_t roots[64][HASH_BYTES];
};

/* Adds SHA-256(0x00 ‖ line). */
void verify_tree_add(struct verify_tree *, const void *line, size_t size);
void verify_tree_root(const struct verify_tree *, uint8_t ret_root[HASH_BYTES]);

/* Is this Ed25519's signature (RFC 8032) by `key` over the bytes? */
bool verify_ed25519(const uint8_t key[ED25519_KEY_BYTES],
                    const uint8_t signature[ED25519_SIG_BYTES], const void *bytes, size_t size);

#endif

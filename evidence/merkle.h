/*
 * merkle: the tree of RFC 9162 2.1 over the lines of the log, in memory that grows with log n.
 *
 * Contained in: store, tests. Proofs work on an array of leaf hashes that the caller holds.
 */
#ifndef EVIDENCE_MERKLE_H
#define EVIDENCE_MERKLE_H

#include "evidence/format.h"
#include "evidence/hash.h"

#include <stddef.h>
#include <stdint.h>

#define MERKLE_DEPTH 64

struct merkle {
    struct hash *hash; /* SHA-256; borrowed */
    uint64_t size;     /* leaves */
    /* Roots of the full subtrees, largest first: one for each bit set in size. */
    uint8_t stack[MERKLE_DEPTH][HASH_BYTES];
};

void merkle_init(struct merkle *, struct hash *sha256);
/* Appends a leaf: the line without its LF. */
void merkle_add(struct merkle *, const void *line, size_t size);
void merkle_root(const struct merkle *, uint8_t ret_root[HASH_BYTES]);

void merkle_leaf(struct hash *, const void *line, size_t size, uint8_t ret_leaf[HASH_BYTES]);
/* Root of `count` leaf hashes (RFC 9162 2.1.1). */
void merkle_root_of(struct hash *, const uint8_t (*leaves)[HASH_BYTES], uint64_t count,
                    uint8_t ret_root[HASH_BYTES]);
/* Inclusion proof of leaf `index` (< count) in the tree of `count` leaves (RFC 9162 2.1.3.1).
 * Returns the number of hashes written to ret_path. */
size_t merkle_inclusion(struct hash *, const uint8_t (*leaves)[HASH_BYTES], uint64_t count,
                        uint64_t index, uint8_t ret_path[MERKLE_DEPTH][HASH_BYTES]);
/* Consistency proof between the trees of the first `before` (1 ≤ before ≤ count) and of all `count`
 * leaves (RFC 9162 2.1.4.1). Returns the number of hashes written to ret_path (at most
 * MERKLE_DEPTH + 1). */
size_t merkle_consistency(struct hash *, const uint8_t (*leaves)[HASH_BYTES], uint64_t count,
                          uint64_t before, uint8_t ret_path[MERKLE_DEPTH + 1][HASH_BYTES]);

#endif

/*
 * hash: SHA-256 and SHA-512 over bytes as they pass.
 *
 * Contained in: store, sign, digest, pack, tests. A context is fetched once and reused; make it
 * before confinement, so that OpenSSL reads its configuration while it still may. A refusal of
 * OpenSSL ends the process: evidence without its hash must not go on.
 */
#ifndef EVIDENCE_HASH_H
#define EVIDENCE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum hash_kind { HASH_SHA256, HASH_SHA512 };

#define HASH_SHA256_BYTES 32
#define HASH_SHA512_BYTES 64

struct hash; /* opaque; one computation at a time */

struct hash *hash_new(enum hash_kind); /* caller frees; never NULL */
void hash_free(struct hash *);
void hash_begin(struct hash *);
void hash_add(struct hash *, const void *bytes, size_t size);
/* Writes 32 or 64 bytes; the next hash_begin starts anew. */
void hash_end(struct hash *, uint8_t *ret_digest);
void hash_once(struct hash *, const void *bytes, size_t size, uint8_t *ret_digest);

#endif

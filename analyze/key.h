/*
 * key: DNSKEYs, and what can be computed with them: signature checks, DS digests, NSEC3 hashes.
 *
 * Contained in: analyze, tests, bench. OpenSSL does the arithmetic; a key is decoded once and kept,
 * since decoding costs as much as a check. Every length is tested before OpenSSL sees the bytes, so
 * that a malformed key or signature is named as such and costs next to nothing.
 */
#ifndef ANALYZE_KEY_H
#define ANALYZE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_FLAG_ZONE   0x0100u /* RFC 4034 2.1.1 */
#define KEY_FLAG_REVOKE 0x0080u /* RFC 5011 7 */
#define KEY_FLAG_SEP    0x0001u /* RFC 4034 2.1.1 */

/* Can signatures of this algorithm be checked (rules/algorithm.h)? */
bool key_algorithm_supported(uint8_t algorithm);
/* Digest type of a DS (rules/algorithm.h): its bytes, 0 if unsupported. */
size_t key_digest_size(uint8_t digest_type);

/* A lane is one thread's way through OpenSSL: contexts must not be shared between threads, keys
 * may. */
#define KEY_LANES 8

struct key {
    struct key *next;    /* keys of the same zone */
    uint16_t flags, tag; /* tag: RFC 4034 appendix B over the rdata as it stands */
    uint8_t protocol, algorithm;
    bool malformed; /* the key field is impossible for its algorithm */
    uint16_t bits;  /* RSA modulus or curve size, 0 unknown */
    uint16_t rdata_size;
    void *pkey;               /* EVP_PKEY, NULL if it cannot be used */
    void *context[KEY_LANES]; /* EVP_PKEY_CTX of each lane, made when first needed */
    uint8_t rdata[];
};

/* A copy of DNSKEY rdata (at least 4 bytes); NULL without memory. Freed with key_free. */
struct key *key_new(const uint8_t *rdata, size_t size);
void key_free(struct key *);

uint16_t key_tag(const uint8_t *rdata, size_t size);

/* Is a signature of `size` bytes possible for this algorithm (RFC 3110, 6605, 8080)? For RSA the
 * key's modulus decides in key_verify. */
bool key_signature_size_ok(uint8_t algorithm, size_t size);

enum key_result { KEY_VERIFIES, KEY_REFUTES, KEY_MALFORMED, KEY_UNSUPPORTED };
/* Checks `signature` over `data` (RRSIG rdata without the signature, then the canonical RRset).
 * `lane` is below KEY_LANES; two threads never use the same one at a time. */
enum key_result key_verify(struct key *, unsigned lane, const uint8_t *data, size_t size,
                           const uint8_t *signature, size_t signature_size);

/* What a check with this key costs, microseconds: a fixed figure for its algorithm and size, near
 * what OpenSSL 3 takes on a current processor, so that budgets are the same on every machine. */
unsigned key_cost(const struct key *);

/* Does the DS rdata (tag, algorithm, digest type, digest) name this key of `owner` (canonical)?
 * Protocol and flags are not looked at. */
enum key_ds { KEY_DS_OTHER, KEY_DS_MATCHES, KEY_DS_DIGEST_WRONG, KEY_DS_UNSUPPORTED };
enum key_ds key_matches_ds(const uint8_t *owner, const uint8_t *key_rdata, size_t key_size,
                           const uint8_t *ds_rdata, size_t ds_size);

/* The digest a DS of this type would have (RFC 4034 5.1.4): its bytes, 0 if unsupported. */
#define KEY_DIGEST_MAX 64
size_t key_ds_digest(const uint8_t *owner, const uint8_t *key_rdata, size_t key_size,
                     uint8_t digest_type, uint8_t ret_digest[KEY_DIGEST_MAX]);

/* RFC 5155 5: SHA-1, `iterations` more times, into ret_hash. `name` canonical. */
void key_nsec3_hash(const uint8_t *name, const uint8_t *salt, size_t salt_size, unsigned iterations,
                    uint8_t ret_hash[20]);

#endif
